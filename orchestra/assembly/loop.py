"""The event loop that carries traffic: it looks whether something came before it goes to sleep.

Waking a sleeping process costs more than all that a byte's way through a tunnel asks of it. Hypervisors and network
drivers therefore poll for a moment before they halt, as long as that pays (Linux: Documentation/virt/kvm/halt-polling,
net.core.busy_poll).
"""

from __future__ import annotations

import asyncio
import os
import selectors
import sys
from collections.abc import Callable, Coroutine
from time import perf_counter
from typing import Any, TypeVar

T = TypeVar("T")
Ready = list[tuple[selectors.SelectorKey, int]]

PATIENCE = 500e-6
"""Seconds of polling before each sleep, at most: what an answer takes that comes from this machine or its network."""
LULL, LONGEST_LULL = 0.001, 0.05
"""Seconds without polling after it was in vain: at first, and at most. They double each time, and are halved whenever
it was not in vain; so a pause between two bursts costs one attempt, and a peer that is always late next to nothing."""
_give_way = getattr(os, "sched_yield", lambda: None)


class EagerSelector(selectors.DefaultSelector):
    """Polls as long as two sides talk, for the one that came soon when it was last waited for.

    What comes from the same side again and again is a stream, and more of it gathers in one sleep; among many sides
    another process has more use for the processor. Where polling was in vain, the answer was late, or a busy process
    held the processor that it was given: then there is none for a while, longer each time, so that neither costs much.
    """

    def __init__(self, patience: float = PATIENCE, clock: Callable[[], float] = perf_counter) -> None:
        super().__init__()
        self._patience, self._clock = patience, clock
        self._last = self._before = -1
        """Where something came from last, and before that."""
        self._soon = False
        """Whether what came last came soon."""
        self._again = clock()
        """When polling may be tried again."""
        self._lull = LULL
        """Seconds until then, if it is in vain next time."""
        self.eager = False
        """Whether the next wait begins with polling."""

    def select(self, timeout: float | None = None) -> Ready:
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        began = self._clock()
        until = None if timeout is None else began + timeout
        ready = self._poll(began, until) if self.eager and began >= self._again else []
        self.eager = False
        if ready := ready or super().select(None if until is None else max(0, until - self._clock())):
            key, events = ready[0]
            talk = events == selectors.EVENT_READ and key.fd == self._before != self._last
            self.eager = talk and self._soon
            self._soon = self._clock() - began < self._patience
            self._before, self._last = self._last, key.fd
        return ready

    def _poll(self, began: float, until: float | None) -> Ready:
        """What comes before patience is at its end, or the time that was given."""
        end = began + self._patience
        if until is not None and until < end:
            end = until
        while self._clock() < end:
            if ready := super().select(0):
                self._lull = max(LULL, self._lull / 2)
                return ready
            # Who has to run before anything can come may wait for this very processor, and it can take the scheduler
            # milliseconds to move one away from a process that never sleeps, beside another processor that is idle.
            _give_way()
        if end != until:
            self._again = self._clock() + self._lull
            self._lull = min(LONGEST_LULL, self._lull * 2)
        return []


def run(work: Coroutine[Any, Any, T]) -> T:
    """What ``asyncio.run`` does, in such a loop where it helps: with one processor, whoever polls keeps the others
    from answering; and Windows waits in a way of its own."""
    with asyncio.Runner(loop_factory=None if sys.platform == "win32" or _processors() < 2 else _eager_loop) as runner:
        return runner.run(work)


def _eager_loop() -> asyncio.AbstractEventLoop:
    return asyncio.SelectorEventLoop(EagerSelector())


def _processors() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
