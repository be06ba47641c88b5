"""Standard input and output as one stream, whatever they are: pipes, terminals, files, sockets."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import select
import socket
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from orchestra.session.protocols import Receiver
from orchestra.session.sockets import READ_SIZE, SocketStream


def take(descriptor: int) -> int:
    """Its file under another number; the old number leads nowhere from now on, so that neither a child nor a stray
    print reads or writes there. Raises OSError when it is closed."""
    taken = os.dup(descriptor)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, descriptor)
    os.close(null)
    return taken


class StandardStreams:
    """A descriptor to read and one to write, as one connection.

    Not all of them can be polled (files), and what a shell shares with us must stay blocking (terminals); so one
    thread each moves the bytes to and from a pair of sockets, of which one end is the stream. Nothing is kept beyond
    what those sockets hold.
    """

    def __init__(self, source: int, sink: int) -> None:
        self._source, self._sink = source, sink
        self._error: OSError | None = None

    @classmethod
    def taken(cls) -> Self:
        """This process's own, which nothing else reads or writes from now on. Raises OSError when one is closed."""
        if fcntl.fcntl(0, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY:  # it was closed, see orchestra.cli.main
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return cls(take(0), take(1))

    async def join(self, receiver: Receiver) -> bool:
        """Joins them to the receiver until both directions have ended; whether the peer's ended in an end of file.

        What was received is written before it returns. Raises OSError when they cannot be read or written any more:
        BrokenPipeError when nobody reads.
        """
        self._loop = asyncio.get_running_loop()
        lost, drained = asyncio.Event(), asyncio.Event()
        near, far = socket.socketpair()
        near.setblocking(False)
        stream = SocketStream(near, receiver, lambda _: lost.set())
        stream.start()
        for work, arguments in ((self._feed, (far.dup(), stream)), (self._drain, (far, stream, drained))):
            threading.Thread(target=work, args=arguments, daemon=True).start()
        try:
            await lost.wait()
            await drained.wait()
        finally:
            if not lost.is_set():
                stream.abort()
        if self._error is not None:
            raise self._error
        return stream.eof_written

    def _feed(self, far: socket.socket, stream: SocketStream) -> None:
        """A thread: what is read goes to the stream, as long as there is one."""
        with far, suppress(ConnectionError):
            try:
                while data := os.read(self._source, READ_SIZE):
                    far.sendall(data)
                far.shutdown(socket.SHUT_WR)
            except ConnectionError:
                raise
            except OSError as error:
                self._tell(self._fail, stream, error)

    def _drain(self, far: socket.socket, stream: SocketStream, drained: asyncio.Event) -> None:
        """A thread: what the stream receives is written."""
        with far:
            try:
                while data := _receive(far, self._sink):
                    _write(self._sink, data)
            except OSError as error:
                self._tell(self._fail, stream, error)
        _end(self._sink)
        self._tell(drained.set)
        if os.isatty(self._source):
            self._tell(stream.close)  # nobody goes on typing to a service that has said its last word

    def _fail(self, stream: SocketStream, error: OSError) -> None:
        self._error = self._error or error
        stream.abort()

    def _tell(self, call: Callable[..., object], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            self._loop.call_soon_threadsafe(call, *arguments)


def _receive(far: socket.socket, sink: int) -> bytes:
    """What is to be written next. Raises BrokenPipeError as soon as nobody reads it any more, also when there is
    nothing to write."""
    poll = select.poll()
    poll.register(far, select.POLLIN)
    poll.register(sink, 0)
    if any(descriptor == sink for descriptor, _ in poll.poll()):
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
    try:
        return far.recv(READ_SIZE)
    except ConnectionResetError:  # the stream was closed while there was something left to send
        return b""


def _write(sink: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(sink, rest) :]


def _end(sink: int) -> None:
    """The reader sees the end of it, also when the socket is standard input too."""
    with suppress(OSError):
        if stat.S_ISSOCK(os.fstat(sink).st_mode):
            with socket.socket(fileno=os.dup(sink)) as both:
                both.shutdown(socket.SHUT_WR)
    os.close(sink)
