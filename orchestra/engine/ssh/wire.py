"""SSH's wire form (RFC 4251 section 5): what keys, certificates and revocation lists are written in."""

from __future__ import annotations

import struct
from collections.abc import Iterator


class Wire:
    """Reads it field by field. Raises ValueError where it ends too early."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        """That many bytes."""
        if size > len(self._data) - self._at:
            raise ValueError("it ends in the middle of a field")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, size: int) -> int:
        """An unsigned number of that many bytes."""
        return int.from_bytes(self.take(size), "big")

    def string(self) -> bytes:
        """Bytes behind their length."""
        return self.take(self.number(4))

    def text(self) -> str:
        """A string of characters."""
        return self.string().decode("utf-8", "replace")

    def strings(self) -> Iterator[bytes]:
        """The strings that are left."""
        while self:
            yield self.string()


def pack(data: bytes) -> bytes:
    """A string in wire form."""
    return struct.pack(">I", len(data)) + data
