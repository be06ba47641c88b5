"""The scalar types of the file: addresses, ports, durations, names."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from orchestra.diagnostics import Code
from orchestra.loading.faults import Fault, describe, from_address
from orchestra.loading.report import quoted
from orchestra.loading.shapes.base import TEXT, Parsed, named
from orchestra.model.address import (
    Address,
    AddressError,
    IPAddress,
    IPNetwork,
    check_host_name,
    parse_address,
    parse_ip,
)
from orchestra.model.names import UnsafeName, check_alias, check_file, check_user
from orchestra.model.topology import CommandRef

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+\Z")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIMPLE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*([_-][A-Za-z0-9]+)*\Z")
_TOPOLOGY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}\Z")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_OBEYED = re.compile(
    r"(PATH|HOME|SHELL|IFS|ENV|BASH_ENV|(LD|DYLD)_\w+|PYTHON(PATH|HOME|STARTUP)|(PERL5|RUBY)(LIB|OPT)"
    r"|NODE_OPTIONS|JAVA_TOOL_OPTIONS)\Z"
)
"""Variables by which loaders, shells and interpreters run other code: a topology may be a stranger's."""
PORTS = "ports are numbers from 1 to 65535"


def address(value: Any, *, listening: bool = False, port_required: bool = True) -> Address:
    """An address of the grammar in :mod:`orchestra.model.address`; an integer is a port."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        raise Fault(f"an address is needed here, not {describe(value)}", code=Code.BAD_TYPE)
    try:
        return parse_address(text, listening=listening, port_required=port_required)
    except AddressError as error:
        raise from_address(error) from None


def listen_address(value: Any) -> Address:
    """Where something of ours listens; a host without a port is refused, ``auto`` is any free port."""
    return address(value, listening=True)


def service_address(value: Any) -> Address:
    """Where a target listens, as its own host sees it; the port may stand as ``display``."""
    if isinstance(value, str) and value.startswith("*:"):
        return address(value[2:])
    return address(value, port_required=False)


def port(value: Any) -> int:
    """A port number."""
    if isinstance(value, str) and value.isdecimal():
        raise Fault(
            f"{quoted(value)} is text", code=Code.BAD_TYPE, suggestion=f"write {int(value[:20])} without quotes"
        )
    if not isinstance(value, int) or isinstance(value, bool):
        raise Fault(f"a port number is needed here, not {_shown(value)}", code=Code.BAD_TYPE, suggestion=PORTS)
    if not 1 <= value <= 65535:
        raise Fault(f"port {value} is out of range", suggestion=PORTS)
    return value


def port_range(value: Any) -> tuple[int, int]:
    """A port or ``"FIRST-LAST"``, as an inclusive range."""
    if not isinstance(value, str):
        return port(value), port(value)
    first, dash, last = value.partition("-")
    if not (first.isdecimal() and (last.isdecimal() or not dash)):
        raise Fault(f"{quoted(value)} is no port and no range of ports", suggestion='write 22 or "8000-8100"')
    ends = port(int(first[:20])), port(int((last or first)[:20]))
    if ends[0] > ends[1]:
        raise Fault(f"the range {value} ends before it begins", suggestion=f"write {ends[1]}-{ends[0]}")
    return ends


def ip(text: str) -> IPAddress:
    """An address of a host on a network."""
    found = parse_ip(text)
    if found is None:
        bare = text.partition("/")[0]
        hint = f"write {bare}" if parse_ip(bare) else "write an IPv4 or IPv6 address, without a port"
        raise Fault(f"{quoted(text)} is not an IP address", code=Code.BAD_ADDRESS, suggestion=hint)
    if getattr(found, "scope_id", None) or found.is_unspecified or found.is_multicast or found.is_loopback:
        what = "a loopback address" if found.is_loopback else "no address of one host"
        raise Fault(f"{text} is {what}: it means nothing on a network", code=Code.BAD_ADDRESS)
    return found


def cidr(text: str) -> IPNetwork:
    """A network; bits beyond the prefix are refused."""
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        pass
    try:
        loose = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise Fault(
            f"{quoted(text)} is not a network", code=Code.BAD_CIDR, suggestion="write a CIDR such as 10.20.0.0/24"
        ) from None
    raise Fault(
        f"{text} has bits set beyond its prefix: it is an address, not a network",
        code=Code.BAD_CIDR,
        suggestion=f"write {loose}",
    )


def duration(value: Any) -> float:
    """Seconds from ``15s``, ``2m``, ``1h30m``, ``500ms`` or a plain number of seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0:
        return float(value)
    if isinstance(value, str) and _DURATION.match(value):
        return sum(float(number) * _UNITS[unit] for number, unit in _DURATION_PART.findall(value))
    raise Fault(f"{_shown(value)} is not a duration", suggestion="write 15s, 2m, 1h30m, 500ms, or seconds")


def positive_duration(value: Any) -> float:
    """A duration longer than nothing."""
    seconds = duration(value)
    if seconds <= 0:
        raise Fault("the duration must be longer than 0", suggestion="write 15s, 2m, 1h30m, 500ms, or seconds")
    return seconds


def host_name(text: str) -> str:
    """A host name or address that is safe to hand to other programs."""
    try:
        check_host_name(text)
    except AddressError as error:
        raise from_address(error) from None
    if text.isdecimal():
        raise Fault(
            f"{quoted(text)} is a bare number, not a host",
            code=Code.BAD_ADDRESS,
            suggestion="write a name or an address",
        )
    return text


def dns_name(text: str) -> str:
    """A name that DNS resolves; no address."""
    name = host_name(text)
    if parse_ip(name) is not None:
        raise Fault(
            f"{name} is an address, not a name", code=Code.BAD_ADDRESS, suggestion="addresses go under `networks`"
        )
    return name


def user_name(text: str) -> str:
    """A user that is safe to hand to other programs."""
    return _safe(text, check_user)


def config_host(text: str) -> str:
    """A Host of ssh_config: what may follow ``ssh``."""
    return _safe(text, check_alias)


def file_name(text: str) -> str:
    """A file that is safe to hand to other programs; what it is relative to is decided later."""
    return _safe(text, check_file)


def file(value: Any) -> Path:
    """A file, before it is made absolute."""
    if not isinstance(value, str):
        raise Fault(f"text is needed here, not {describe(value)}", code=Code.BAD_TYPE)
    return Path(file_name(value))


def _safe(text: str, check: Callable[[str], None]) -> str:
    try:
        check(text)
    except UnsafeName as error:
        raise Fault(str(error), suggestion=error.suggestion) from None
    return text


def command(value: Any) -> CommandRef:
    """A program and its arguments: a list of words, never a line for a shell."""
    if not (isinstance(value, list) and value and all(isinstance(word, str) for word in value) and value[0]):
        raise Fault("a command is a list of words", code=Code.BAD_TYPE, suggestion="write [PROGRAM, ARGUMENT]")
    return CommandRef(argv=tuple(value))


def variable_name(text: str) -> str:
    """The name of an environment variable."""
    if not _VARIABLE.match(text):
        raise Fault(f"{quoted(text)} is not the name of a variable", suggestion="letters, digits and '_'")
    if _OBEYED.match(text):
        raise Fault(f"{text} decides which code is run, so a topology does not set it", suggestion="set it yourself")
    return text


def topology_name(text: str) -> str:
    """The name of a topology: of its running instance's directory too."""
    if not _TOPOLOGY_NAME.match(text):
        raise Fault(
            f"{quoted(text)} cannot be the name of a topology",
            suggestion="letters, digits, '.', '-' and '_', beginning with a letter or digit",
        )
    return text


def name_fault(name: str) -> Fault | None:
    """Why a text cannot be the name of a host, network, target or tunnel; names become parts of addresses, variables
    and commands, so they are as host names are."""
    if len(name) < 100 and _SIMPLE_NAME.match(name) and name != "any":
        return None
    try:
        if dns_name(name) == "any":
            return Fault("'any' is a word of the rules and cannot be a name")
    except Fault as fault:
        return Fault(f"{quoted(name)} cannot be a name", suggestion=fault.suggestion)
    return None


def _shown(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return quoted(value) if isinstance(value, str) else describe(value)


_PORT = named("port", "a number from 1 to 65535", {"type": "integer", "minimum": 1, "maximum": 65535})
_PORTS = named(
    "port range",
    "a port, or FIRST-LAST such as `8000-8100`",
    {"anyOf": [_PORT, {"type": "string", "pattern": r"^\d+(-\d+)?$"}]},
)
_IP = named("IP address", "of IPv4 or IPv6, without a port", {"type": "string", "pattern": r"^[0-9A-Fa-f:.]+$"})
_CIDR = named(
    "CIDR",
    "a network such as `10.20.0.0/24` or `fd00:20::/64`, without bits beyond its prefix",
    {"type": "string", "pattern": r"^[0-9A-Fa-f:.]+(/\d+)?$"},
)
_DURATION_SCHEMA = named(
    "duration",
    "`15s`, `2m`, `1h30m`, `500ms`, or a number of seconds",
    {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d))+$"}]},
)
_ADDRESS = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0, "maximum": 65535}]}
_SERVICE = named("address", "`PORT`, `HOST:PORT`, `[IPv6]:PORT`, `IPv6/PORT` or `unix:/PATH`", _ADDRESS)
_LISTEN = named("listen address", "an address, or with `*` for every address, `auto` for any free port", _ADDRESS)
_HOST = named("host", "a name or an address, without a port; no bare number", TEXT)
DNS_NAME = named("DNS name", "what DNS resolves; no address", TEXT)
_TOPOLOGY = named("topology name", "letters, digits, `.`, `-` and `_`", TEXT)
_USER = named("user", "an account at the server", TEXT)
_FILE = named("file", "relative to the file that names it; `~` is your home", TEXT)
_COMMAND = named(
    "command",
    "a program of this machine and its arguments, a list of words; no shell reads them",
    {"type": "array", "items": {"type": "string"}, "minItems": 1},
)
_CONFIG_HOST = named("ssh host", "what may follow `ssh`", TEXT)

Port: TypeAlias = Annotated[int, Parsed(port, _PORT)]
PortRange: TypeAlias = Annotated[tuple[int, int], Parsed(port_range, _PORTS)]
Ip: TypeAlias = Annotated[IPAddress, Parsed(ip, _IP, text=True)]
Cidr: TypeAlias = Annotated[IPNetwork, Parsed(cidr, _CIDR, text=True)]
Duration: TypeAlias = Annotated[float, Parsed(duration, _DURATION_SCHEMA)]
PositiveDuration: TypeAlias = Annotated[float, Parsed(positive_duration, _DURATION_SCHEMA)]
Listen: TypeAlias = Annotated[Address, Parsed(listen_address, _LISTEN)]
Service: TypeAlias = Annotated[Address, Parsed(service_address, _SERVICE)]
HostName: TypeAlias = Annotated[str, Parsed(host_name, _HOST, text=True)]
DnsText: TypeAlias = Annotated[str, Parsed(dns_name, DNS_NAME, text=True)]
TopologyName: TypeAlias = Annotated[str, Parsed(topology_name, _TOPOLOGY, text=True)]
User: TypeAlias = Annotated[str, Parsed(user_name, _USER, text=True)]
FileName: TypeAlias = Annotated[str, Parsed(file_name, _FILE, text=True)]
File: TypeAlias = Annotated[Path, Parsed(file, _FILE)]
"""A file among the fields of a plugin, which is handed an absolute path."""
Command: TypeAlias = Annotated[CommandRef, Parsed(command, _COMMAND)]
"""A program among the fields of a plugin."""
ConfigHost: TypeAlias = Annotated[str, Parsed(config_host, _CONFIG_HOST, text=True)]
