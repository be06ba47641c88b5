"""One stream of events for any number of readers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from orchestra.model.events import Occurrence

BACKLOG = 4096
"""Events that a reader may lag behind; one that lags further is cut off, so that nothing is kept without limit."""


class Feed:
    """Publishing never waits. What is published before somebody subscribes is not for them."""

    def __init__(self) -> None:
        self._readers: set[asyncio.Queue[Occurrence | None]] = set()
        self._last: Occurrence | None = None

    def publish(self, told: Occurrence) -> None:
        """Hands it to every reader."""
        for reader in tuple(self._readers):
            if reader.qsize() < BACKLOG:
                reader.put_nowait(told)
            else:
                self._readers.discard(reader)
                reader.put_nowait(None)

    def close(self, last: Occurrence) -> None:
        """Ends every reader's stream: after what it has not read yet comes ``last``. So it does for those who come
        later, but not for those who were cut off."""
        self._last = last
        for reader in self._readers:
            _end(reader, last)

    @contextmanager
    def subscribed(self) -> Iterator[AsyncIterator[Occurrence]]:
        """The events from now on."""
        reader: asyncio.Queue[Occurrence | None] = asyncio.Queue()
        if self._last is not None:
            _end(reader, self._last)
        self._readers.add(reader)
        try:
            yield _read(reader)
        finally:
            self._readers.discard(reader)


def _end(reader: asyncio.Queue[Occurrence | None], last: Occurrence) -> None:
    reader.put_nowait(last)
    reader.put_nowait(None)


async def _read(reader: asyncio.Queue[Occurrence | None]) -> AsyncIterator[Occurrence]:
    while (told := await reader.get()) is not None:
        yield told
