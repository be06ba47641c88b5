"""Addresses as they are written in a topology: values that parse from and print to the same text.

An address has no meaning without its dialer; these values carry none. Grammar: ``PORT``, ``HOST:PORT``,
``[IPv6]:PORT``, ``IPv6/PORT``, ``*:PORT``, ``auto``, ``HOST:auto`` and ``unix:/path``.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

LOCALHOST = "localhost"
WILDCARD = "*"
LOOPBACKS = ("127.0.0.1", "::1")
SSH_PORT = 22
"""RFC 4253 section 4.1."""
SUN_PATH = 107
"""Bytes of a Unix socket's path, by Linux's unix(7); macOS and the BSDs take 103."""

_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_.])?\Z")
_SCOPE = re.compile(r"[A-Za-z0-9_.-]+\Z")
_IPV6_SLASH = re.compile(r"(?P<host>[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[\w.-]+)?)/(?P<port>\w+)\Z")


class AddressError(ValueError):
    """The text is no address; ``str(error)`` says what is wrong with it, ``suggestion`` how to write it."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """A TCP or UDP endpoint: ``host`` is a name or a literal, ``*`` for every address, or None when left out.

    ``port`` is 0 for "any free port" (only where something listens), None when left out.
    """

    host: str | None
    port: int | None

    def __str__(self) -> str:
        port = "auto" if self.port == 0 else "" if self.port is None else str(self.port)
        if self.host is None:
            return port
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{port}" if port else host


@dataclass(frozen=True, slots=True, order=True)
class UnixPath:
    """A Unix domain socket."""

    path: str

    def __str__(self) -> str:
        return f"unix:{self.path}"


Address: TypeAlias = Endpoint | UnixPath


@lru_cache(maxsize=1 << 14)
def parse_ip(text: str) -> IPAddress | None:
    """The IP literal (without brackets; a scope id is allowed), or None when the text is not one."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    scope = getattr(found, "scope_id", None)  # ipaddress takes any text for one, a shell's too
    return found if scope is None or _SCOPE.match(scope) else None


def is_loopback(host: str) -> bool:
    """Whether the host text means only the machine that dials it: ``localhost`` or a loopback literal."""
    if host.lower().rstrip(".") == LOCALHOST:
        return True
    address = parse_ip(host)
    return address is not None and address.is_loopback


def parse_address(text: str, *, listening: bool = False, port_required: bool = True) -> Address:
    """Parses any form of the grammar.

    ``auto``, ``HOST:auto``, ``HOST:0`` and ``*`` are only accepted when ``listening``; a host without a port only
    when the port is not required. Raises :class:`AddressError`.
    """
    if text.startswith("unix:"):
        return _parse_unix(text)
    if text == "auto" and listening:
        return Endpoint(None, 0)
    if text.isdecimal():
        return Endpoint(None, parse_port(text, zero=listening))
    host, port = _split(text)
    if port is None:
        if port_required:
            raise AddressError(f"{text!r} has no port", f"write {_bracketed(host)}:PORT")
        return Endpoint(_check_host(host, listening), None)
    number = 0 if port == "auto" and listening else parse_port(port, zero=listening)
    return Endpoint(_check_host(host, listening), number)


def parse_port(text: str, *, zero: bool = False) -> int:
    """A port number from 1 (or 0, when any free port may be asked for) to 65535."""
    if not (text.isascii() and text.isdecimal()):
        raise AddressError(f"{text!r} is not a port number", "ports are numbers from 1 to 65535")
    number = int(text[:20])
    if number > 65535 or (number == 0 and not zero):
        raise AddressError(f"port {text[:20]} is out of range", "ports are numbers from 1 to 65535")
    return number


def _parse_unix(text: str) -> UnixPath:
    path = text.removeprefix("unix:")
    if not path:
        raise AddressError("'unix:' has no path", "write unix:/path/to/socket")
    if not path.startswith("/"):
        raise AddressError(f"{text!r} is not absolute", "write unix:/path/to/socket, or unix:${HOME}/path")
    if (size := len(path.encode("utf-8", "surrogateescape"))) > SUN_PATH:
        raise AddressError(f"the path has {size} bytes; of a socket's, systems take {SUN_PATH} at most", "shorten it")
    if "\0" in path:
        raise AddressError("a socket path cannot hold a NUL character")
    return UnixPath(path)


def _split(text: str) -> tuple[str, str | None]:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise AddressError(f"{text!r} has a bracket that does not close", "write [IPv6]:PORT")
        if not isinstance(parse_ip(host), ipaddress.IPv6Address):
            raise AddressError(f"{host!r} is not an IPv6 address", "brackets are for IPv6 addresses only")
        return host, rest[1:] if rest else None
    if match := _IPV6_SLASH.match(text):
        return match["host"], match["port"]
    if isinstance(parse_ip(text), ipaddress.IPv6Address):
        return text, None
    if text.count(":") > 1:
        raise AddressError(f"{text!r} is not an address", "an IPv6 address is written [ADDRESS]:PORT or ADDRESS/PORT")
    host, colon, port = text.partition(":")
    return host, port if colon else None


def _check_host(host: str, listening: bool) -> str:
    if host == WILDCARD:
        if not listening:
            raise AddressError("'*' is not a host", "'*' stands for every address, where something listens")
        return host
    if host.isdecimal():
        raise AddressError(f"{host!r} is a bare number, not a host", "write a name or an IP address before the colon")
    check_host_name(host)
    return host


def check_host_name(host: str) -> None:
    """Raises :class:`AddressError` unless the text is an IP literal or a name that is safe to hand to other programs.

    As OpenSSH does, names that look like options or hold characters of a shell are refused.
    """
    if parse_ip(host) is None and not _HOST_NAME.match(host):
        what = "the host is empty" if not host else f"{host!r} is not a host name"
        raise AddressError(what, "names have letters, digits, '.', '-' and '_' and do not begin with '-'")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
