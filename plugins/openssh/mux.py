"""The messages between a master and who shares its connection: PROTOCOL.mux of OpenSSH, version 4."""

from __future__ import annotations

from dataclasses import dataclass

from .wire import Malformed, Reader, string, uint32

VERSION = 4

HELLO = 0x00000001
ALIVE_CHECK, TERMINATE, OPEN_FORWARD, CLOSE_FORWARD, PROXY = 0x10000004, 0x10000005, 0x10000006, 0x10000007, 0x1000000F
OK, PERMISSION_DENIED, FAILURE, ALIVE, REMOTE_PORT = 0x80000001, 0x80000002, 0x80000003, 0x80000005, 0x80000007
PROXIED = 0x8000000F

REMOTE = 2
"""The kind of a forward that listens at the server."""
PATH = 0xFFFFFFFE
"""In place of a port: what stands in place of the host is the path of a Unix socket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """A listener at the server, and the Unix socket here that is dialed for what it accepts. ``port`` is as it was
    asked for, also 0: that is how the master finds it again."""

    host: str
    port: int
    to: str

    def fields(self) -> bytes:
        """As OPEN_FORWARD and CLOSE_FORWARD have them."""
        return uint32(REMOTE) + string(self.host) + uint32(self.port) + string(self.to) + uint32(PATH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a master answers to a request; ``number`` is a process or a port, where the kind has one."""

    kind: int
    request: int
    number: int = 0
    reason: str = ""


def hello() -> bytes:
    """The first message, in both directions."""
    return string(uint32(HELLO) + uint32(VERSION))


def request(kind: int, number: int, fields: bytes = b"") -> bytes:
    """A request, numbered by who makes it."""
    return string(uint32(kind) + uint32(number) + fields)


def check_hello(packet: bytes) -> None:
    """Raises Malformed for a master that speaks another version."""
    reader = Reader(packet)
    if (kind := reader.uint32()) != HELLO:
        raise Malformed(f"ssh began with message {kind:#x}")
    if (version := reader.uint32()) != VERSION:
        raise Malformed(f"ssh speaks version {version} of its control protocol, and {VERSION} is known here")


def parse(packet: bytes) -> Answer:
    """An answer. Raises Malformed."""
    reader = Reader(packet)
    kind, number = reader.uint32(), reader.uint32()
    if kind in {ALIVE, REMOTE_PORT}:
        return Answer(kind=kind, request=number, number=reader.uint32())
    if kind in {PERMISSION_DENIED, FAILURE}:
        return Answer(kind=kind, request=number, reason=reader.string().decode("utf-8", "replace"))
    return Answer(kind=kind, request=number)
