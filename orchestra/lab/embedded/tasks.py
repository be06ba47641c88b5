"""Tasks that belong to something and end with it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any


class Tasks:
    """A set of running tasks; none outlives :meth:`close`. Each handles its own errors."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, object], sock: socket.socket) -> None:
        """Runs what serves a socket; the socket is closed when the task is cancelled, even before it began."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda task: sock.close() if task.cancelled() else None)

    def cancel(self) -> None:
        """Asks all of them to end."""
        for task in self._running:
            task.cancel()

    async def close(self) -> None:
        """Cancels what runs and waits for it."""
        while self._running:
            self.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
