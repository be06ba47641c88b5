"""A receiver that keeps what it is told, for a test to look at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from orchestra.session.protocols import Stream


class Collector:
    """Keeps data and endings. ``calls`` has the names of what was called, in order, without data.

    ``made`` is told when there is a connection.
    """

    def __init__(
        self,
        *,
        paused: bool = False,
        keep_open: bool = True,
        echo: bool = False,
        made: Callable[[Collector], None] = lambda _: None,
    ) -> None:
        self.stream: Stream | None = None
        self.data = bytearray()
        self.error: Exception | None = None
        self.calls: list[str] = []
        self.ended = asyncio.Event()
        self.eof = asyncio.Event()
        self.writable = asyncio.Event()
        self.writable.set()
        self._paused, self._keep_open, self._echo, self._made = paused, keep_open, echo, made
        self._wakers: set[asyncio.Future[None]] = set()

    def connection_made(self, stream: Stream, /) -> None:
        self.calls.append("made")
        self.stream = stream
        if self._paused:
            stream.pause_reading()
        self._made(self)

    def data_received(self, data: bytes, /) -> None:
        self.data += data
        if self._echo and self.stream is not None:
            self.stream.write(bytes(data))
        self._wake()

    def eof_received(self) -> bool | None:
        self.calls.append("eof")
        self.eof.set()
        if self._echo and self.stream is not None:
            self.stream.write_eof()
        self._wake()
        return self._keep_open

    def pause_writing(self) -> None:
        self.calls.append("pause")
        self.writable.clear()

    def resume_writing(self) -> None:
        self.calls.append("resume")
        self.writable.set()

    def connection_lost(self, exc: Exception | None, /) -> None:
        self.calls.append("lost")
        self.error = exc
        self.writable.set()
        self.ended.set()
        self._wake()

    async def receive(self, size: int) -> bytes:
        """Waits until that many bytes came, or the end; returns all that came."""
        while len(self.data) < size and not self.ended.is_set() and not self.eof.is_set():
            waker = asyncio.get_running_loop().create_future()
            self._wakers.add(waker)
            await waker
        return bytes(self.data)

    async def send(self, data: bytes) -> None:
        """Writes, and waits as long as the stream is full."""
        await self.writable.wait()
        if self.stream is not None and not self.ended.is_set():
            self.stream.write(data)

    def _wake(self) -> None:
        for waker in self._wakers:
            if not waker.done():
                waker.set_result(None)
        self._wakers.clear()
