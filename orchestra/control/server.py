"""The control socket of a running orchestra: HTTP over a Unix socket that only its user can reach.

What answers (:mod:`.answers`) takes as long to load as a session to open, and as much memory as a thousand connections;
so it is loaded when somebody asks.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib import import_module
from pathlib import Path

from orchestra.control.handlers import Handlers
from orchestra.control.paths import unwritable


@asynccontextmanager
async def serving(handlers: Handlers, path: Path) -> AsyncIterator[None]:
    """Answers on the socket at ``path`` meanwhile. Its directory is private already; nothing is left at the path.

    Raises RuntimeFailure with STATE_UNWRITABLE.
    """
    with bound(path) as listening:
        listening.listen()
        task = asyncio.create_task(_answer(handlers, listening), name="control")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait((task,))
            if not task.cancelled():
                task.result()


async def _answer(handlers: Handlers, listening: socket.socket) -> None:
    """Whoever is first waits until it can be answered; what is carried goes on meanwhile."""
    await _readable(listening)
    answers = await asyncio.to_thread(import_module, "orchestra.control.answers")
    async with answers.answering(handlers, listening):
        await asyncio.Event().wait()


async def _readable(listening: socket.socket) -> None:
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(listening, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(listening)


@contextmanager
def bound(path: Path) -> Iterator[socket.socket]:
    """A socket bound at ``path``, never open to others, not even for the instant between bind and chmod."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        before = os.umask(0o177)
        try:
            listening.bind(str(path))
        except OSError as error:
            raise unwritable(path, error) from error
        finally:
            os.umask(before)
        try:
            yield listening
        finally:
            path.unlink(missing_ok=True)
