"""One stream of events for any number of readers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from orchestra.model.events import Event

BACKLOG = 4096
"""Events that a reader may lag behind; one that lags further is cut off, so that nothing is kept without limit."""


class Feed:
    """Publishing never waits. What is published before somebody subscribes is not for them."""

    def __init__(self) -> None:
        self._readers: set[asyncio.Queue[Event | None]] = set()
        self._closed = False

    def publish(self, event: Event) -> None:
        """Hands it to every reader."""
        for reader in tuple(self._readers):
            if reader.qsize() < BACKLOG:
                reader.put_nowait(event)
            else:
                self._readers.discard(reader)
                reader.put_nowait(None)

    def close(self) -> None:
        """Ends every reader's stream, after what it has not read yet."""
        self._closed = True
        for reader in self._readers:
            reader.put_nowait(None)

    @contextmanager
    def subscribed(self) -> Iterator[AsyncIterator[Event]]:
        """The events from now on."""
        reader: asyncio.Queue[Event | None] = asyncio.Queue()
        if self._closed:
            reader.put_nowait(None)
        self._readers.add(reader)
        try:
            yield _read(reader)
        finally:
            self._readers.discard(reader)


async def _read(reader: asyncio.Queue[Event | None]) -> AsyncIterator[Event]:
    while (event := await reader.get()) is not None:
        yield event
