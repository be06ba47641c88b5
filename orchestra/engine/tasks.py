"""The tasks of an engine: one for each thing that it does, and those that are still ending."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class Tasks:
    """They are known by what they do, and for whom. ``failed`` is told what one of them raised."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def start(self, what: str, name: str, work: Coroutine[object, object, None]) -> None:
        """Begins something, whose task is known from now on."""
        self._running[what, name] = self._begin(f"{what} {name}", work)

    def in_background(self, what: str, work: Coroutine[object, object, None]) -> None:
        """Begins something of which nobody has to know but the end of all."""
        self._ending.add(self._begin(what, work))

    def runs(self, what: str, name: str) -> bool:
        """Whether it has begun and not ended."""
        task = self._running.get((what, name))
        return task is not None and not task.done()

    def cancel(self, what: str, name: str) -> None:
        """Ends it, if there is one; it may take its time."""
        task = self._running.pop((what, name), None)
        if task is not None and not task.done():
            self._ending.add(task)
            task.cancel()

    def cancel_all(self) -> set[asyncio.Task[None]]:
        """Ends all; those that have not ended yet."""
        tasks = {*self._ending, *(task for task in self._running.values() if not task.done())}
        for task in tasks:
            task.cancel()
        return tasks

    def _begin(self, name: str, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._failed(fault)
