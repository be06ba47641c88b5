"""How much the other ends of all channels may send before we have taken any of it (RFC 4254 section 5.2).

A window that is smaller than what fits on the way holds its sender up; one that is larger only promises memory. So
each begins small and becomes twice what came in the last round trip, as TCP's does by dynamic right-sizing
(``tcp_rcv_space_adjust`` of Linux, and HPN-SSH); that makes it larger while the sender uses it up, and smaller once
whoever reads, or the way, is slower, or there was little to send.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from orchestra.model.frozen import dataclass

TOTAL = 64 * 1024 * 1024
"""Bytes that all channels of one transport begin with together, until there are too many of them."""
GROWTH = 128 * 1024 * 1024
"""Bytes by which they may grow, together."""
FIRST = 2 * 1024 * 1024
SMALLEST = 128 * 1024
LARGEST = 64 * 1024 * 1024
_LONGEST = 1.0
"""Seconds: what took longer was no round trip."""


@dataclass(frozen=True, slots=True)
class Used:
    """What was seen of a window while it was used once."""

    window: int
    first: int
    """What the channel began with, in bytes; it is never less."""
    seconds: float
    """From room being made until the data came that needed it: one round trip if the sender waited for it."""
    shortest: float
    """The shortest such time of the session; the round trip, as far as is known."""
    spare: int
    """Bytes by which windows may still grow, all together."""


def next_window(used: Used) -> int:
    """Bytes: twice what comes in a round trip. Of what it has beyond its first and what is spare it leaves a third, so
    that channels that need it all have as much as each other."""
    wanted = int(2 * used.window * used.shortest / used.seconds)
    share = used.first + (used.window - used.first + used.spare) * 2 // 3
    return max(used.first, min(wanted, share, LARGEST))


class WindowBudget:
    """Shares out receive windows: large ones while there are few channels, smaller ones when there are many."""

    def __init__(self, total: int = TOTAL, growth: int = GROWTH) -> None:
        self._left = total
        self.spare = growth
        """Bytes by which windows may still grow."""

    def take(self) -> int:
        """The first window of one more channel, in bytes; it comes back by :meth:`give`."""
        window = max(SMALLEST, min(FIRST, self._left // 8))
        self._left -= window
        return window

    def give(self, window: int) -> None:
        """The channel of that window has ended."""
        self._left += window


class ShortestTrip:
    """The shortest round trip that a session has had: of all that were seen, the one with the least data of our own
    before it. If those of the last while were all that counted, a full way's queue would become its length."""

    def __init__(self) -> None:
        self._seconds = math.inf

    def of(self, seconds: float) -> float:
        """With one more; infinite while none was seen."""
        self._seconds = min(self._seconds, seconds)
        return self._seconds


class ReceiveWindow:
    """That of one channel, which begins with ``first`` bytes. What its sender may send, and what has come and nobody
    has taken, are together never more than it was at its largest since; all that is lent by ``budget``."""

    __slots__ = (
        *("size", "_first", "_low", "_open", "_granted", "_mark", "_since", "_paused", "_waited", "_lent"),
        *("_budget", "_trip", "_clock"),
    )

    def __init__(
        self, first: int, budget: WindowBudget, trip: ShortestTrip, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.size = self._first = self._open = self._granted = first
        self._low = first * 3 // 4
        self._mark = self._lent = 0
        self._since = self._paused = math.nan
        self._waited = 0.0
        self._budget, self._trip, self._clock = budget, trip, clock

    def take(self, size: int) -> int:
        """So many bytes were taken. Gives how many more the sender is to be granted now: none until a quarter of the
        window can be granted at once, so that it is told seldom, and long before it has to wait."""
        self._open -= size
        return self._grant() if self._open < self._low else 0

    def pause(self) -> None:
        """From now on nothing is taken, whatever comes."""
        self._paused = self._clock()

    def resume(self) -> None:
        """It is, again."""
        if not math.isnan(self._paused):
            self._waited += self._clock() - self._paused
            self._paused = math.nan

    def close(self) -> None:
        """The channel has ended."""
        self._lend(self._first)

    def _grant(self) -> int:
        now = self._clock()
        if self._granted - self._open > self._mark:  # what could only come because of the grant before the mark
            if not math.isnan(self._since):
                self._resize(max(now - self._since, 1e-6))
            self._since, self._mark, self._waited = now, self._granted, 0.0
        if self._open >= self._low:  # it has become smaller
            self._since, self._mark = math.nan, 0
            return 0
        more = self.size - self._open
        self._lend(self.size)
        self._granted += more
        self._open = self.size
        return more

    def _resize(self, seconds: float) -> None:
        """A time that passed mostly with waiting, for whoever takes it or for there to be anything, tells nothing of
        the way."""
        known = seconds <= _LONGEST and self._waited <= seconds / 2
        shortest = self._trip.of(seconds if known else math.inf)
        if shortest < math.inf:
            self.size = next_window(Used(self.size, self._first, seconds, shortest, self._budget.spare))
            self._low = self.size * 3 // 4

    def _lend(self, size: int) -> None:
        """The budget lends what is beyond the first window: as much as may come."""
        self._budget.spare -= size - self._first - self._lent
        self._lent = size - self._first
