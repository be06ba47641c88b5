"""How ssh writes numbers, texts and packets: RFC 4251 section 5, and PROTOCOL.mux."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct

UINT32 = Struct(">I")
LARGEST = 256 * 1024
"""Bytes of a packet; what a master accepts (CHANNEL_MUX_MAX_PACKET), and sends no more than."""


class Message(IntEnum):
    """The messages about channels: RFC 4254 section 9."""

    OPEN = 90
    CONFIRMATION = 91
    OPEN_FAILURE = 92
    WINDOW_ADJUST = 93
    DATA = 94
    EXTENDED_DATA = 95
    EOF = 96
    CLOSE = 97
    REQUEST = 98
    SUCCESS = 99
    FAILURE = 100


class Malformed(Exception):
    """The peer wrote what cannot be read."""


def uint32(number: int) -> bytes:
    """Four bytes, most significant first."""
    return UINT32.pack(number)


def string(value: str | bytes) -> bytes:
    """Its length, then its bytes; text as UTF-8, or as the bytes that it came from (PEP 383)."""
    data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    return UINT32.pack(len(data)) + data


def boolean(value: bool) -> bytes:
    """One byte."""
    return b"\1" if value else b"\0"


class Reader:
    """Takes one field after the other from a packet. Raises Malformed when it ends early."""

    def __init__(self, data: bytes | memoryview) -> None:
        self._rest = memoryview(data)

    def uint32(self) -> int:
        """The next number."""
        return int(UINT32.unpack(self._take(4))[0])

    def string(self) -> bytes:
        """The next text, as bytes."""
        return bytes(self._take(self.uint32()))

    def boolean(self) -> bool:
        """The next truth."""
        return bool(self._take(1)[0])

    def rest(self) -> bytes:
        """All that is left."""
        return bytes(self._rest)

    def _take(self, size: int) -> memoryview:
        if size > len(self._rest):
            raise Malformed(f"{size} bytes were announced, {len(self._rest)} came")
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


class Packets:
    """Cuts a stream into packets: each is preceded by its length."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The packets that are whole now. Raises Malformed."""
        self._buffer += data
        begin, end = 0, len(self._buffer)
        try:
            while end - begin >= 4:
                size: int = UINT32.unpack_from(self._buffer, begin)[0]
                if size > LARGEST:
                    raise Malformed(f"a packet of {size} bytes was announced")
                if end - begin - 4 < size:
                    break
                begin += 4 + size
                yield bytes(memoryview(self._buffer)[begin - size : begin])
        finally:
            del self._buffer[:begin]
