"""How long things took, as a value: fixed bounds, counts, and the sum, as monitoring systems add them up."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

from orchestra.model.frozen import dataclass

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds. A dial on loopback and a handshake over three hops around the world are both told apart by them."""


@dataclass(frozen=True, slots=True)
class Durations:
    """``counts[i]`` of them took at most ``BOUNDS[i]`` seconds and more than the bound before it, the last more than
    any; ``total`` is their sum in seconds."""

    counts: tuple[int, ...] = (0,) * (len(BOUNDS) + 1)
    total: float = 0.0

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self.counts)

    def plus(self, seconds: float) -> Durations:
        """With one more."""
        index = bisect_left(BOUNDS, seconds)
        counts = (*self.counts[:index], self.counts[index] + 1, *self.counts[index + 1 :])
        return Durations(counts, self.total + seconds)

    def cumulative(self) -> tuple[tuple[float, int], ...]:
        """For each bound, and then for infinity, how many took at most so long."""
        return tuple(zip((*BOUNDS, float("inf")), accumulate(self.counts), strict=True))


NONE = Durations()
