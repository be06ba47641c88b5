"""How much the other ends of all channels may send before we have taken any of it (RFC 4254 section 5.2)."""

from __future__ import annotations

TOTAL = 64 * 1024 * 1024
"""Bytes that all receive windows of one transport may hold together, until there are too many of them."""
LARGEST = 2 * 1024 * 1024
SMALLEST = 128 * 1024


class WindowBudget:
    """Shares out receive windows: large ones while there are few channels, smaller ones when there are many."""

    def __init__(self, total: int = TOTAL) -> None:
        self._left = total

    def take(self) -> int:
        """The window of one more channel, in bytes; it comes back by :meth:`give`."""
        window = max(SMALLEST, min(LARGEST, self._left // 8))
        self._left -= window
        return window

    def give(self, window: int) -> None:
        """The channel of that window has ended."""
        self._left += window
