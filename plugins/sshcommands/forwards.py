"""What ssh forwards: ``[bind_address:]port:host:hostport`` and its other forms, see ``-L``, ``-R`` and ``-D`` of
ssh(1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from orchestra.loading.sshconfig.values import BadValue, port_number
from orchestra.model.address import AddressError, check_host_name

Direction = Literal["L", "R", "D"]
_FIELD = re.compile(r"\[([^\]]*)\]|([^:\[\]]*)")


@dataclass(frozen=True, slots=True)
class End:
    """A port of a host, or a Unix socket. At the listening end ``host`` None is loopback, ``*`` everything, and port 0
    any; at the dialing end None is a proxy."""

    host: str | None = None
    port: int = 0
    path: str | None = None

    def __str__(self) -> str:
        if self.path is not None:
            return f"unix:{self.path}"
        host = self.host or "localhost"
        return f"{f'[{host}]' if ':' in host else host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Forward:
    """One forward. ``listen`` None: standard input and output (``-W``). ``dial`` None: a proxy, what its clients ask
    for is dialed."""

    direction: Direction
    listen: End | None
    dial: End | None


def parse(direction: Direction, text: str) -> Forward:
    """A forward as ssh reads it. Raises BadValue."""
    fields = split(text)
    if direction == "D":
        return Forward("D", _listen(fields, text, direction), None)
    dial: End | None = None
    if fields[-1].startswith("/") and len(fields) > 1:
        dial = End(path=fields.pop())
    elif len(fields) > 2:
        number, host = port_number(fields.pop()), fields.pop()
        dial = End(checked_host(host), number)
    _demand(dial is not None or direction == "R", text)
    return Forward(direction, _listen(fields, text, direction), dial)


def split(text: str) -> list[str]:
    """The fields between colons; brackets keep an IPv6 address together. Raises BadValue."""
    fields, at = [], 0
    while match := _FIELD.match(text, at):
        fields.append(match[1] if match[1] is not None else match[2])
        at = match.end()
        if at == len(text):
            break
        _demand(text[at] == ":", text)
        at += 1
    return fields


def _listen(fields: list[str], text: str, direction: Direction) -> End:
    if len(fields) == 1 and fields[0].startswith("/"):
        return End(path=fields[0])
    _demand(len(fields) in (1, 2), text)
    number = 0 if direction == "R" and fields[-1] == "0" else port_number(fields[-1])
    if len(fields) == 1:
        return End(None, number)
    return End("*" if fields[0] in ("", "*") else checked_host(fields[0]), number)


def checked_host(text: str) -> str:
    """A host that may be dialed. Raises BadValue."""
    try:
        check_host_name(text)
    except AddressError as error:
        raise BadValue(str(error)) from None
    return text


def _demand(good: bool, text: str) -> None:
    if not good:
        raise BadValue(f"{text!r} is no forward: [bind_address:]port:host:hostport is, with IPv6 in brackets")
