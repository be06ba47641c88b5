"""What may stand after a keyword of ssh_config(5), and what it means. Each raises :class:`BadValue`."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import unquote

from orchestra.loading.sshconfig.syntax import BLANKS, Line
from orchestra.model.frozen import dataclass

UNSET = None
"""A value that leaves the keyword as if it had not been written: ``ConnectTimeout none``."""
NONE = "none"
LARGEST = 2**31 - 1
_TIME = re.compile(r"(?:\d+[smhdw]?)+\Z", re.ASCII | re.IGNORECASE)
_TIME_PART = re.compile(r"(\d+)([smhdw]?)", re.ASCII | re.IGNORECASE)
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_NUMBER = re.compile(r"\d{1,10}\Z", re.ASCII)
_DOMAIN = re.compile(r"[A-Za-z0-9](?!.*\.\.)[\w.-]*\Z", re.ASCII)

Parse: TypeAlias = Callable[[Line], Any]


class BadValue(ValueError):
    """What stands there is none of what the keyword takes."""


@dataclass(frozen=True, slots=True)
class Jump:
    """One host of ``ProxyJump``; None: as that host's own settings say."""

    host: str
    user: str | None = None
    port: int | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{f'{self.user}@' if self.user else ''}{host}{f':{self.port}' if self.port else ''}"


def anything(line: Line) -> tuple[str, ...]:
    """Whatever stands there."""
    return line.words


def word(line: Line) -> str:
    """One argument that is not empty."""
    if len(line.words) != 1:
        raise BadValue("one argument is needed" if not line.words else "there is more than one argument")
    if not line.words[0]:
        raise BadValue("the argument is empty")
    return line.words[0]


def words(line: Line) -> tuple[str, ...]:
    """Arguments, or ``none`` alone."""
    if not all(line.words):
        raise BadValue("an argument is empty")
    if len(line.words) > 1 and any(each.lower() == NONE for each in line.words):
        raise BadValue("none has to stand alone")
    return line.words


def choice(line: Line, meanings: dict[str, Any]) -> Any:
    """One of these words, in either letter case."""
    text = word(line)
    if text.lower() not in meanings:
        raise BadValue(f"{text!r} is none of {', '.join(meanings)}")
    return meanings[text.lower()]


def one_of(**meanings: Any) -> Parse:
    """What :func:`choice` gives; in names ``_`` is a hyphen. A last ``_`` lets ``yes`` and ``no`` be names."""
    return partial(choice, meanings={name.replace("_", "-"): value for name, value in meanings.items()})


FLAG: Parse = one_of(yes=True, true=True, no=False, false=False)


def number(line: Line) -> int:
    """A whole number."""
    text = word(line)
    if not _NUMBER.match(text) or int(text) > LARGEST:
        raise BadValue(f"{text!r} is no number")
    return int(text)


def port(line: Line) -> int:
    """A port, or the name of a service."""
    return port_number(word(line))


def port_number(text: str) -> int:
    """A port from 1 to 65535, or the name of a TCP service (services(5))."""
    try:
        found = int(text) if _NUMBER.match(text) else socket.getservbyname(text, "tcp")
    except (OSError, ValueError):  # no such service; no text that could be one
        found = 0
    if not 1 <= found <= 65535:
        raise BadValue(f"{text!r} is no port")
    return found


def time(line: Line) -> int | None:
    """Seconds, see TIME FORMATS in sshd_config(5)."""
    text = word(line)
    if text == NONE:
        return UNSET
    if len(text) > 100 or not _TIME.match(text):
        raise BadValue(f"{text!r} is no time")
    seconds = sum(int(count) * _UNITS[unit.lower()] for count, unit in _TIME_PART.findall(text))
    if seconds > LARGEST:
        raise BadValue(f"{text!r} is too long a time")
    return seconds


def command(line: Line) -> str:
    """The rest of the line as written."""
    return line.rest.lstrip(BLANKS + "=")


def jumps(line: Line) -> tuple[Jump, ...]:
    """The hosts to go through, the first one first; none: ``none``."""
    text = command(line).partition("#")[0].rstrip(BLANKS)
    return () if text.lower() == NONE else tuple(map(jump, text.split(",")))


def jump(text: str) -> Jump:
    """``[user@]host[:port]`` or ``ssh://[user@]host[:port]``."""
    uri = text.startswith("ssh://")
    user, at, place = text.removeprefix("ssh://").partition("@") if uri else text.rpartition("@")
    if uri:
        user, place = (user, place) if at else ("", user)
        place, _, path = place.partition("/")
        user = unquote(user.partition(";")[0].replace("+", " "))
        if path:
            raise BadValue(f"{text!r} has a path")
    if at and not user:
        raise BadValue(f"{text!r} has no user before @")
    if place.startswith("["):
        host, bracket, rest = place[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise BadValue(f"{text!r} is no host to go through")
        number = rest[1:]
    else:
        host, _, number = place.partition(":")
    if not host or "/" in place or (uri and not _DOMAIN.match(host)):
        raise BadValue(f"{text!r} is no host to go through")
    return Jump(host, user or None, port_number(number) if number else None)
