"""Streams over sockets of this machine: asyncio's transports, with an abort that is a TCP reset."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from orchestra.session.protocols import Receiver

READ_SIZE = 95 * 1024
"""Bytes read at a time. asyncio's 256 KiB are above what malloc(3) keeps: every read would fault its pages in anew.
Three packets of SSH are 96 KiB; the rest is left for what each hop puts round them, so that they stay three."""
_LINGER_ZERO = struct.pack("ii", 1, 0)


def reset(sock: socket.socket) -> None:
    """Closes it with a TCP RST (RFC 1122 4.2.2.13, by SO_LINGER 0): the peer sees a failure, not an end of file."""
    linger_zero(sock)
    sock.close()


def linger_zero(sock: socket.socket) -> None:
    """Makes the next close of it a reset; a Unix socket has none."""
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)


class SocketStream:
    """A connected socket as a Stream."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.eof_written = False
        """Whether our direction has ended in an end of file."""

    def write(self, data: bytes, /) -> None:
        if not self.eof_written and not self._transport.is_closing():
            self._transport.write(data)

    def write_eof(self) -> None:
        if not self.eof_written and not self._transport.is_closing():
            self.eof_written = True
            with suppress(OSError):  # the peer has reset it: reading tells
                self._transport.write_eof()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        sock = self._transport.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            linger_zero(sock)
        self._transport.abort()

    def get_extra_info(self, name: str, default: object = None, /) -> object:
        """Asyncio's, and ``unsent``: bytes that were written and that the kernel has not taken yet."""
        if name == "unsent":
            return self._transport.get_write_buffer_size()
        return self._transport.get_extra_info(name, default)


class SocketProtocol(asyncio.BaseProtocol):
    """What asyncio calls; it hands everything to the receiver, the data by its own bound method."""

    def __init__(
        self, receiver: Receiver, opened: Callable[[SocketStream], None], lost: Callable[[SocketStream], None]
    ):
        self._receiver, self._opened, self._lost = receiver, opened, lost
        self.data_received = receiver.data_received
        self.eof_received = receiver.eof_received
        self.stream: SocketStream | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if hasattr(transport, "max_size"):  # asyncio's own transports; uvloop's have none
            transport.max_size = READ_SIZE
        self.stream = SocketStream(cast("asyncio.Transport", transport))
        self._opened(self.stream)
        self._receiver.connection_made(self.stream)

    def pause_writing(self) -> None:
        self._receiver.pause_writing()

    def resume_writing(self) -> None:
        self._receiver.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.stream is not None:
            self._lost(self.stream)
        self._receiver.connection_lost(exc)
