"""Receivers that keep what they are told, for a test to look at."""

# ruff: noqa: S101 - what does not arrive is an assertion that fails

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

from orchestra.session.protocols import Peer, Receiver, Stream

CHUNK = bytes(range(256)) * 256


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

    async def receive(self, size: int = sys.maxsize) -> bytes:
        """Waits until that many bytes came, or an end; returns all that came."""
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


class Accepting:
    """An accept that makes collectors and keeps them once connected; ``gate`` holds each back until it is set."""

    def __init__(self, *, gate: asyncio.Event | None = None, refuse: bool = False, **options: bool) -> None:
        self.collectors: asyncio.Queue[Collector] = asyncio.Queue()
        self.peers: asyncio.Queue[Peer] = asyncio.Queue()
        self._gate, self._refuse, self._options = gate, refuse, options

    async def __call__(self, peer: Peer) -> Receiver:
        self.peers.put_nowait(peer)
        if self._gate is not None:
            await self._gate.wait()
        if self._refuse:
            raise ConnectionAbortedError("not today")
        return Collector(**self._options, made=self.collectors.put_nowait)


def stream_of(collector: Collector) -> Stream:
    """The stream of one that is connected."""
    assert collector.stream is not None, "it is not connected"
    return collector.stream


async def transfer(writer: Collector, reader: Collector, size: int = 1 << 20) -> None:
    """So many bytes go over, in whole chunks, and arrive as they were."""
    already, sent = len(reader.data), CHUNK * (size // len(CHUNK))
    for _ in range(size // len(CHUNK)):
        await writer.send(CHUNK)
    received = await reader.receive(already + len(sent))
    assert received[already:] == sent, f"{len(received) - already} of {len(sent)} bytes arrived, or not as they were"
