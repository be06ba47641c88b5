"""Which exchanges there are, who goes when there are too many, and who has been silent for too long. No clock."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

MOST = 1024
IDLE = 300.0
"""Seconds without a datagram in either direction; RFC 4787 REQ-5 recommends five minutes or more …"""
NEW = 500
"""Peers per second from beyond loopback that may be new: so forged senders cannot evict whoever is not silent."""
LEAST_IDLE = 120.0
"""… and forbids less than two, but for well-known ports whose protocol needs less."""


class FlowTable(Generic[K]):
    """Keys by when they were last used, times in seconds."""

    def __init__(self, most: int = MOST, idle: float = IDLE) -> None:
        self.most, self.idle = most, idle
        self._used: OrderedDict[K, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._used)

    def __contains__(self, key: K) -> bool:
        return key in self._used

    def __iter__(self) -> Iterator[K]:
        return iter(list(self._used))

    def use(self, key: K, now: float) -> K | None:
        """The key is used; returns the one that has to go for it, if it is new and there is no room."""
        known = key in self._used
        self._used[key] = now
        if known:
            self._used.move_to_end(key)
        return None if known or len(self._used) <= self.most else self._used.popitem(last=False)[0]

    def remove(self, key: K) -> bool:
        """The key has ended; whether it was there."""
        return self._used.pop(key, None) is not None

    def expire(self, now: float) -> list[K]:
        """Removes and returns those that were silent for as long as may be."""
        gone = []
        for key, used in self._used.items():
            if used + self.idle > now:
                break
            gone.append(key)
        for key in gone:
            del self._used[key]
        return gone

    def next_expiry(self) -> float | None:
        """When the next one expires; None when there is none."""
        return next(iter(self._used.values())) + self.idle if self._used else None


class Bucket:
    """Lets through so many at once, and so many more each second."""

    def __init__(self, room: int, rate: float) -> None:
        self._room, self._rate = room, rate
        self._left, self._at = float(room), 0.0

    def take(self, now: float) -> bool:
        """Whether there is one left at that time in seconds."""
        self._left = min(self._room, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
