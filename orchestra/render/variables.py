"""The tunnels as environment variables, and those variables as text that other programs read."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from typing import TYPE_CHECKING, Literal, TypeAlias

from orchestra.errors import UsageError
from orchestra.model.address import LOOPBACKS, WILDCARD, Endpoint, UnixPath, parse_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from orchestra.model.address import Address
    from orchestra.model.plan import Plan
    from orchestra.model.status import TunnelStatus

VariableFormat: TypeAlias = Literal["shell", "dotenv", "json", "github"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_BARE = re.compile(r"[A-Za-z0-9_./:@%+,\[\]-]*\Z")
_PLACEHOLDER = re.compile(r"\{host\}:\{port\}|\{(?:host|port|address)\}")


def variables(plan: Plan, tunnels: Iterable[TunnelStatus]) -> dict[str, str]:
    """``ORCHESTRA_<NAME>_HOST``, ``_PORT`` and ``_ADDRESS`` of every bound tunnel, and its own ``env``.

    HOST is a literal: 127.0.0.1 when that is bound, else ::1, else the first address. A Unix socket has only
    ``_ADDRESS``, its path.
    """
    specs = {tunnel.name: tunnel.spec for tunnel in plan.tunnels}
    found: dict[str, str] = {}
    for tunnel in tunnels:
        if tunnel.listen:
            own = specs[tunnel.name].env if tunnel.name in specs else {}
            found |= variables_of(tunnel.name, tunnel.listen, own)
    return found


def variables_of(name: str, listen: Sequence[str], own: Mapping[str, str]) -> dict[str, str]:
    """The same of one tunnel, which listens there and has ``own`` variables besides."""
    return _of_tunnel(name, _best(listen), own)


def variable_prefix(tunnel: str) -> str:
    """``ORCHESTRA_DESK_VNC`` for ``desk-vnc``."""
    return f"ORCHESTRA_{re.sub('[^A-Z0-9]', '_', tunnel.upper())}"


def variables_text(values: Mapping[str, str], form: VariableFormat) -> str:
    """The variables for ``eval``, for a .env file, as JSON, or for the file that GITHUB_ENV names.

    Values are quoted so that nothing in them is executed or expanded. Raises UsageError for a name that is no name of
    a variable.
    """
    if form == "json":
        return json.dumps(dict(values), indent=2)
    write = {"shell": _shell, "dotenv": _dotenv, "github": _github}[form]
    return "\n".join(write(_checked(name), value) for name, value in values.items())


def _of_tunnel(name: str, address: Address, own: Mapping[str, str]) -> dict[str, str]:
    prefix = variable_prefix(name)
    if isinstance(address, UnixPath):
        host = port = ""
        text = address.path
        found = {f"{prefix}_ADDRESS": text}
    else:
        host, port, text = address.host or "", str(address.port), str(address)
        found = {f"{prefix}_HOST": host, f"{prefix}_PORT": port, f"{prefix}_ADDRESS": text}
    # "{host}:{port}" is taken as a whole, so that an IPv6 address gets its brackets
    parts = {"{host}": host, "{port}": port, "{address}": text, "{host}:{port}": text}
    filled = {key: _PLACEHOLDER.sub(lambda match: parts[match[0]], template) for key, template in own.items()}
    return found | filled


def _best(listen: Iterable[str]) -> Address:
    """The address that programs on this machine should use."""
    candidates = [_usable(parse_address(text, listening=True)) for text in listen]
    return min(candidates, key=_rank)


def _usable(address: Address) -> Address:
    if isinstance(address, Endpoint) and address.host in (WILDCARD, "0.0.0.0", "::"):  # noqa: S104 - nothing is bound
        return Endpoint(LOOPBACKS[1] if address.host == "::" else LOOPBACKS[0], address.port)
    return address


def _rank(address: Address) -> int:
    host = address.host if isinstance(address, Endpoint) else None
    return LOOPBACKS.index(host) if host in LOOPBACKS else len(LOOPBACKS)


def _checked(name: str) -> str:
    if not _NAME.match(name):
        raise UsageError(f"{name!r} is not a name that a variable can have")
    return name


def _shell(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _dotenv(name: str, value: str) -> str:
    if _BARE.match(value):
        return f"{name}={value}"
    if not re.search(r"['\\\r\n]", value):
        return f"{name}='{value}'"
    return f'{name}="{"".join(_escaped(value))}"'


def _escaped(value: str) -> Iterator[str]:
    escapes = {"\n": "\\n", "\r": "\\r", "\\": "\\\\", '"': '\\"', "$": "\\$", "`": "\\`"}
    return (escapes.get(char, char) for char in value)


def _github(name: str, value: str) -> str:
    if not re.search(r"[\r\n]", value):
        return f"{name}={value}"
    end = f"ORCHESTRA_{hashlib.sha256(value.encode()).hexdigest()}"  # no value contains its own digest
    return f"{name}<<{end}\n{value}\n{end}"
