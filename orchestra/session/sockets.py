"""Streams over sockets of this machine, with an abort that is a TCP reset.

They do what asyncio's transports do, in fewer turns of the loop: a stream is there as soon as its socket is, is watched
only once somebody reads, and its names are asked for by those who want them.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from asyncio.trsock import TransportSocket
from collections.abc import Callable
from contextlib import suppress

from orchestra.session.protocols import Receiver, borrowing

READ_SIZE = 255 * 1024
"""Bytes read at a time. Eight packets of SSH are 256 KiB; the rest is left for what each hop puts round them, so that
they stay eight."""
SHARED_SIZE = 63 * 1024
"""Bytes read at a time while another stream says little."""
LITTLE = 4 * 1024
LATELY = 0.05
"""Seconds for which one that said little is expected to go on: who waits for an answer before the next question."""
HIGH_WATER = 64 * 1024
"""Bytes that wait to be sent, beyond which the writer is told to pause; a quarter of them, and it may go on."""
_LINGER_ZERO = struct.pack("ii", 1, 0)


def reset(sock: socket.socket) -> None:
    """Closes it with a TCP RST (RFC 1122 4.2.2.13, by SO_LINGER 0): the peer sees a failure, not an end of file."""
    linger_zero(sock)
    sock.close()


def no_delay(sock: socket.socket) -> None:
    """Has small packets sent at once; those that a listening socket accepts are like itself (tcp(7))."""
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):  # it is gone already: reading tells
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def linger_zero(sock: socket.socket) -> None:
    """Makes the next close of it a reset; a Unix socket has none."""
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)


class ReadingSpace:
    """What streams of one event loop read into, one after the other: malloc(3) does not keep pieces so large, and
    every read would fault their pages in anew.

    What one of them has read, all others wait for; so beside one that says little, the others read less at a time.
    """

    __slots__ = ("_clock", "_shared", "_speaker", "_until", "whole")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.whole = memoryview(bytearray(READ_SIZE))
        self._shared = self.whole[:SHARED_SIZE]
        self._clock, self._speaker, self._until = clock, -1, 0.0

    def room(self, number: int) -> memoryview:
        """What the stream of that number may read into."""
        alone = number == self._speaker or self._clock() >= self._until
        return self.whole if alone else self._shared

    def took(self, number: int, size: int) -> None:
        """It has read so many bytes."""
        if size <= LITTLE:
            self._speaker, self._until = number, self._clock() + LATELY


class SocketStream:
    """A connected, non-blocking socket as a Stream; ``ended`` is called when it has. ``space`` is what others read into
    too. A receiver with an attribute ``carries`` is told what is of many: that counts as nobody's, and is all read."""

    borrows = True

    def __init__(
        self,
        sock: socket.socket,
        receiver: Receiver,
        ended: Callable[[SocketStream], None] | None = None,
        space: ReadingSpace | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock, self._receiver, self._ended = sock, receiver, ended
        self._number = sock.fileno()
        """It is watched by this: a selector that does not know a socket says so with its names, from the kernel."""
        self._received = borrowing(receiver, receiver.data_received)
        self._space = ReadingSpace() if space is None else space
        self._carries = getattr(receiver, "carries", False)
        self._unsent = bytearray()
        self._paused = self._watched = self._full = self._eof_read = self._closing = self._over = False
        self.eof_written = False
        """Whether our direction has ended in an end of file."""

    def start(self) -> None:
        """Introduces itself to the receiver; from now on it reads, unless it was paused by that."""
        self._tell(self._receiver.connection_made, self)
        self._watch()

    def write(self, data: bytes | memoryview, /) -> None:
        if self.eof_written or self._closing or not data:
            return
        sent = 0
        if not self._unsent:
            try:
                sent = self._sock.send(data)
            except (BlockingIOError, InterruptedError):
                pass
            except OSError as error:
                self._fail(error)
                return
            if sent == len(data):
                return
            self._loop.add_writer(self._number, self._write_ready)
        self._unsent += memoryview(data)[sent:]
        if len(self._unsent) > HIGH_WATER and not self._full:
            self._full = True
            self._receiver.pause_writing()

    def write_eof(self) -> None:
        if not (self.eof_written or self._closing):
            self.eof_written = True
            if self._eof_read:  # both directions have ended, and so has it
                self.close()
            elif not self._unsent:
                self._shut()

    def pause_reading(self) -> None:
        """It goes on being watched until something comes, since most pauses are over by then."""
        self._paused = True

    def resume_reading(self) -> None:
        self._paused = False
        self._watch()

    def hasten(self) -> None:
        """Reads the little that is there already, if it reads now. In the space may stand what another is just told."""
        if self._watched and not self._paused:
            self._read_into(memoryview(bytearray(LITTLE + 1)))

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._unwatch()
            if not self._unsent:
                self._over = True
                self._loop.call_soon(self._end, None)

    def abort(self) -> None:
        if self._sock.fileno() >= 0:
            linger_zero(self._sock)
        self._fail(None)

    def get_extra_info(self, name: str, default: object = None, /) -> object:
        """``socket``, ``peername`` and ``sockname`` as asyncio has them, and ``unsent``: bytes that were written and
        that the kernel has not taken yet."""
        if name == "unsent":
            return len(self._unsent)
        if name == "socket":
            return TransportSocket(self._sock)
        with suppress(OSError):  # it has ended
            if name == "peername":
                return self._sock.getpeername()
            if name == "sockname":
                return self._sock.getsockname()
        return default

    def _watch(self) -> None:
        if not (self._watched or self._paused or self._eof_read or self._closing):
            self._watched = True
            self._loop.add_reader(self._number, self._read_ready)

    def _unwatch(self) -> None:
        if self._watched:
            self._watched = False
            self._loop.remove_reader(self._number)

    def _read_ready(self) -> None:
        if self._paused:
            self._unwatch()
            return
        self._read_into(self._space.whole if self._carries else self._space.room(self._number))

    def _read_into(self, room: memoryview) -> None:
        try:
            size = self._sock.recv_into(room)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._fail(error)
            return
        if size:
            if not self._carries:
                self._space.took(self._number, size)
            self._tell(self._received, room[:size])
            return
        self._eof_read = True
        self._unwatch()
        if not self._tell(self._receiver.eof_received):
            self.close()

    def _tell(self, receive: Callable[..., object], *arguments: object) -> object:
        try:
            return receive(*arguments)
        except Exception as error:  # noqa: BLE001 - the receiver is anybody's: its fault ends its stream
            self._loop.call_exception_handler({"message": "a receiver failed", "exception": error})
            self._fail(error)
            return None

    def _write_ready(self) -> None:
        try:
            sent = self._sock.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._fail(error)
            return
        del self._unsent[:sent]
        if self._full and len(self._unsent) <= HIGH_WATER // 4:
            self._full = False
            self._receiver.resume_writing()  # it may write more
        if self._unsent or self._over:
            return
        self._loop.remove_writer(self._number)
        if self._closing:
            self._over = True
            self._end(None)
        elif self.eof_written:
            self._shut()

    def _shut(self) -> None:
        with suppress(OSError):  # the peer has reset it: reading tells
            self._sock.shutdown(socket.SHUT_WR)

    def _fail(self, error: Exception | None) -> None:
        """Ends it at once."""
        if self._over:
            return
        self._closing = self._over = True
        self._unwatch()
        if self._unsent:
            self._unsent.clear()
            self._loop.remove_writer(self._number)
        self._loop.call_soon(self._end, error)

    def _end(self, error: Exception | None) -> None:
        try:
            if self._ended is not None:
                self._ended(self)
            self._receiver.connection_lost(error)
        finally:
            self._sock.close()
