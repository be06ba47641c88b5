"""What the handshakes share: bytes as they come, what is asked for, and how it is granted or refused. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import Enum, auto
from hmac import compare_digest
from typing import TypeAlias, TypeVar

from orchestra.model.address import AddressError, check_host_name, parse_ip
from orchestra.model.text import clean

T = TypeVar("T")

Steps: TypeAlias = Generator[bytes, None, T]
"""A handshake: it yields what is to be sent, nothing when it needs more input, and returns what came of it."""

_NUMBER_LAST = re.compile(r"(?:.*\.)?(?:\d+|0[xX][0-9A-Fa-f]*)\.?\Z")
"""Resolvers take ``127.1``, ``010.0.0.1`` and ``0x7f000001`` for addresses (inet_aton(3)); no name ends in a number."""


class Cause(Enum):
    """Why a request is not granted; each protocol has a code for it."""

    MALFORMED = auto()
    FAILED = auto()
    NOT_ALLOWED = auto()
    NETWORK_UNREACHABLE = auto()
    HOST_UNREACHABLE = auto()
    REFUSED = auto()
    TIMED_OUT = auto()
    UNSUPPORTED = auto()


class Refused(Exception):
    """The handshake is over: ``str(refused)`` says why, ``reply`` is what the client is told, in its own protocol."""

    def __init__(self, why: str, reply: bytes = b"") -> None:
        super().__init__(why)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Login:
    """What a client has to know."""

    user: bytes
    password: bytes

    def admits(self, user: bytes, password: bytes) -> bool:
        """Compares without telling by its time how much is right."""
        return compare_digest(user, self.user) & compare_digest(password, self.password)


Refusal: TypeAlias = Callable[[Cause, str], bytes]
"""The reply for a cause; the text is for protocols that have room for one."""


@dataclass(frozen=True, slots=True)
class Request:
    """A connection is asked for. ``host`` is a name or a literal, as the client wrote it."""

    host: str
    port: int
    granted: bytes
    """The reply when it is open."""
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class DatagramRequest:
    """A relay for datagrams is asked for, by a client that sends from ``port``; 0: it does not know yet."""

    port: int
    granted: Callable[[str, int], bytes]
    """The reply when it is open, with where the datagrams are to be sent."""
    refusal: Refusal


def asked(host: str, port: int, granted: bytes, refusal: Refusal) -> Request:
    """The request, unless it leads nowhere; raises :class:`Refused`."""
    try:
        return Request(destination(host, port), port, granted, refusal)
    except AddressError as error:
        why = clean(str(error))
        raise Refused(why, refusal(Cause.MALFORMED, why)) from None


def destination(host: str, port: int) -> str:
    """What is dialed for a host that a client wrote, and so what is judged. Raises AddressError.

    IPv4 in IPv6 (``::ffff:10.0.0.1``) becomes IPv4, and texts that are neither names nor addresses, but that a resolver
    would take for an address, are refused.
    """
    address = parse_ip(host)
    check_host_name(host)
    if address is None and _NUMBER_LAST.match(host):
        raise AddressError(f"{host!r} is neither a name nor an address")
    if port == 0:
        raise AddressError("port 0 cannot be dialed")
    return str(getattr(address, "ipv4_mapped", None) or host)


class Input:
    """What has come and was not read yet."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> None:
        """More has come."""
        self._data += data

    def first(self) -> Steps[int]:
        """The next byte, which stays."""
        while not self._data:
            yield b""
        return self._data[0]

    def exactly(self, size: int) -> Steps[bytes]:
        """That many bytes."""
        while len(self._data) < size:
            yield b""
        return self._take(size)

    def until(self, end: bytes, limit: int, too_long: Refused) -> Steps[bytes]:
        """What stands before ``end``, which is read too; at most ``limit`` bytes."""
        most = limit + len(end)
        while (size := self._data.find(end, 0, most)) < 0:
            if len(self._data) >= most:
                raise too_long
            yield b""
        taken = self._take(size)
        self._take(len(end))
        return taken

    def rest(self) -> bytes:
        """All that is left: it came behind the request."""
        return self._take(len(self._data))

    def _take(self, size: int) -> bytes:
        taken = bytes(self._data[:size])
        del self._data[:size]
        return taken
