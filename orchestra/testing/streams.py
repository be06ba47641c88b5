"""What goes between two places in memory, with what TCP promises; and a command as such a stream."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from orchestra.session.protocols import Receiver

if TYPE_CHECKING:
    from orchestra.testing.memory import MemorySession

Program: TypeAlias = Callable[[bytes], tuple[int, bytes, bytes]]
"""Standard input, whole, to exit status, standard output and standard error."""

HIGH_WATER, LOW_WATER = 64 * 1024, 16 * 1024
"""Bytes that wait to be received when their writer is told to pause, and to go on."""


class MemoryStream:
    """One end of a pair. What the other end wrote waits here until it is delivered by the loop's next turn."""

    other: MemoryStream

    def __init__(self, session: MemorySession, receiver: Receiver) -> None:
        self.session, self.receiver = session, receiver
        self._loop = asyncio.get_running_loop()
        self._incoming: deque[bytes] = deque()
        self._size = 0
        self._paused = self._scheduled = False
        self._eof_pending = self._eof_sent = self._closing = self._lost = False
        self._writer_paused = False
        session.streams.add(self)

    def write(self, data: bytes, /) -> None:
        if not (self._eof_sent or self._closing or self._lost) and data:
            self.other.feed(bytes(data))

    def write_eof(self) -> None:
        if not (self._eof_sent or self._closing or self._lost):
            self._eof_sent = True
            self.other.feed_eof()

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        self._paused = False
        self._schedule()

    def is_closing(self) -> bool:
        return self._closing or self._lost

    def close(self) -> None:
        self.write_eof()
        self._finish(None)

    def abort(self) -> None:
        self.other.break_off(ConnectionResetError("connection reset by peer"))
        self._finish(None)

    def get_extra_info(self, name: str, default: object = None, /) -> object:  # noqa: ARG002
        return default

    def break_off(self, reason: Exception) -> None:
        """Ends both ends with an error; what was not delivered is dropped."""
        ended, self._closing = self._closing, True
        self._finish(None if ended else reason)
        if not self.other.is_closing():
            self.other.break_off(ConnectionResetError("connection reset by peer"))

    def _finish(self, reason: Exception | None) -> None:
        self._closing = True
        if not self._lost:
            self._lost = True
            self._incoming.clear()
            self.session.streams.discard(self)
            self._loop.call_soon(self.receiver.connection_lost, reason)

    # What the other end calls.

    def feed(self, data: bytes) -> None:
        if self._lost:  # a write to what is closed is answered by a reset
            self.other.break_off(ConnectionResetError("connection reset by peer"))
            return
        self._incoming.append(data)
        self._size += len(data)
        if self._size > HIGH_WATER and not self._writer_paused:
            self._writer_paused = True
            self.other.receiver.pause_writing()
        self._schedule()

    def feed_eof(self) -> None:
        self._eof_pending = True
        self._schedule()

    def wake(self) -> None:
        """What waited here is delivered."""
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled and not self._lost:
            self._scheduled = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._scheduled = False
        if self.session.is_stalled or self.other.session.is_stalled:
            return
        while self._incoming and not self._paused:
            data = self._incoming.popleft()
            self._size -= len(data)
            self.receiver.data_received(data)
        if self._writer_paused and self._size <= LOW_WATER:
            self._writer_paused = False
            self.other.receiver.resume_writing()
        if self._eof_pending and not self._incoming and not self._lost:
            self._eof_pending = False
            if not self.receiver.eof_received():
                self.close()


class MemoryProcess:
    """A command that runs when its standard input has ended, and is over at once."""

    def __init__(self, receiver: Receiver, program: Program) -> None:
        self._receiver, self._program = receiver, program
        self._given = bytearray()
        self._stderr = b""
        self._closing = False
        self.exit_status: int | None = None

    def write(self, data: bytes, /) -> None:
        self._given += data

    def write_eof(self) -> None:
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_soon(self._run)

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self.write_eof()

    def abort(self) -> None:
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_soon(self._receiver.connection_lost, None)

    def get_extra_info(self, name: str, default: object = None, /) -> object:  # noqa: ARG002
        return default

    def stderr_tail(self) -> bytes:
        return self._stderr

    def _run(self) -> None:
        self.exit_status, output, self._stderr = self._program(bytes(self._given))
        if output:
            self._receiver.data_received(output)
        self._receiver.eof_received()
        self._receiver.connection_lost(None)


def not_found(_given: bytes) -> tuple[int, bytes, bytes]:
    """What a shell says of a command that is not there."""
    return 127, b"", b"sh: command not found\n"
