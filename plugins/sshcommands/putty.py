"""PuTTY's saved sessions: a session file of Unix, or what Windows' registry editor exports of them (``.reg``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal, cast

from orchestra.diagnostics import Code, Diagnostic, Place
from orchestra.errors import TopologyInvalid
from orchestra.loading.sshconfig.values import BadValue, Jump, port_number
from orchestra.plugin.interfaces import Imported, ImportRequest

from .drafting import drafted, with_left_out
from .forwards import Forward, checked_host, parse
from .invocation import Invocation

BY_SSH = "6"
"""ProxyMethod: through an SSH server, by a forward of it."""
_SECTION = re.compile(r"\[.*\\PuTTY\\Sessions\\.*\]\s*\Z", re.IGNORECASE)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"="((?:[^"\\]|\\.)*)"\s*\Z')
_NUMBER = re.compile(r'"([^"]+)"=dword:([0-9a-fA-F]{8})\s*\Z')
_ITEM = re.compile(r"((?:[^,=\\]|\\.)*)=((?:[^,\\]|\\.)*)")
_FORWARD = re.compile(r"[46A]?([LRD]?)(.*)\Z", re.DOTALL)


def from_putty(request: ImportRequest) -> Imported:
    """Every session that logs in by SSH."""
    found: list[Invocation] = []
    left: list[str] = []
    for keys in sessions(request.text):
        try:
            found += [invocation(keys)] if keys.get("HostName") else []
        except BadValue as error:
            left.append(f"the session of {keys['HostName']} is not taken over: {error}")
    if not found:
        raise _invalid("; ".join(left) or "it holds no session of PuTTY with a HostName", request.name)
    return with_left_out(drafted(found, request.name), left)


def _invalid(message: str, file: str) -> TopologyInvalid:
    return TopologyInvalid(
        (Diagnostic(code=Code.BAD_VALUE, severity="error", message=message, place=Place(file, 1, 1)),)
    )


def sessions(text: str) -> Iterator[Mapping[str, str]]:
    """The keys of each session, numbers as decimal text."""
    lines = text.splitlines()
    if not any(_SECTION.match(line) for line in lines):
        yield dict(line.split("=", 1) for line in lines if "=" in line)
        return
    keys: dict[str, str] | None = None
    for line in lines:
        if line.startswith("["):
            if keys is not None:
                yield keys
            keys = {} if _SECTION.match(line) else None
        elif keys is not None and (match := _STRING.match(line)):
            keys[_plain(match[1])] = _plain(match[2])
        elif keys is not None and (match := _NUMBER.match(line)):
            keys[match[1]] = str(int(match[2], 16))
    if keys is not None:
        yield keys


def invocation(keys: Mapping[str, str]) -> Invocation:
    """One session. Raises BadValue."""
    user, at, host = keys["HostName"].rpartition("@")
    made = Invocation(host=checked_host(host), exposed=keys.get("LocalPortAcceptAll") == "1")
    if name := user if at else keys.get("UserName"):
        made.ssh["user"] = name
    if (port := keys.get("PortNumber", "22")) != "22":
        made.ssh["port"] = port_number(port)
    if alias := keys.get("LogHost"):
        made.ssh["host_key_name"] = checked_host(alias)
    if key := keys.get("PublicKeyFile"):
        made.notes.append(f"its key {key} is PuTTY's: puttygen KEY -O private-openssh-new -o FILE, then name FILE")
    if keys.get("AgentFwd") == "1":
        made.notes.append("the agent is not forwarded: no server on the way needs it")
    _proxy(made, keys)
    made.forwards += forwards(keys.get("PortForwardings", ""), remote_wide=keys.get("RemotePortAcceptAll") == "1")
    return made


def _proxy(made: Invocation, keys: Mapping[str, str]) -> None:
    method = keys.get("ProxyMethod", "0")
    if method == BY_SSH:
        port = port_number(keys.get("ProxyPort", "22"))
        user = keys.get("ProxyUsername") or None
        made.jumps = (Jump(checked_host(keys.get("ProxyHost", "")), user, None if port == 22 else port),)
    elif method != "0":
        made.notes.append(f"its proxy {keys.get('ProxyHost', '')} is not taken over: use servers that one is `behind`")
    if keys.get("ProxyPassword"):
        made.notes.append("the password of its proxy is stored in clear, and is not taken over: change it")


def forwards(text: str, *, remote_wide: bool = False) -> Iterator[Forward]:
    """``L8080=db:5432,4R127.0.0.1:9000=localhost:80,D1080=``. Raises BadValue."""
    for key, value in _ITEM.findall(text):
        match = _FORWARD.match(_plain(key))
        assert match is not None  # noqa: S101 - it matches everything
        letter = cast("Literal['L', 'R', 'D']", "D" if value == "D" else match[1] or "L")
        listen = match[2] if letter != "R" or ":" in match[2] or not remote_wide else f"*:{match[2]}"
        yield parse(letter, listen if letter == "D" else f"{listen}:{_plain(value)}")


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
