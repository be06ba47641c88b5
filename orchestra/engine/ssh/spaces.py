"""Memory for the packets that are at hand: kept, because malloc(3) gives pieces so large back to the system, and every
packet would fault its pages in anew."""

from __future__ import annotations

SIZE = 384 * 1024
"""Bytes of one: what a socket reads at a time, and the packets that began before it and go on behind it."""


class Spaces:
    """One for each hop that data passes within one turn of the loop."""

    def __init__(self) -> None:
        self._free: list[memoryview] = []

    def take(self) -> memoryview:
        """One that nobody else has; it comes back by :meth:`give`."""
        return self._free.pop() if self._free else memoryview(bytearray(SIZE))

    def give(self, space: memoryview) -> None:
        """Nobody looks at it any more."""
        self._free.append(space)
