"""The stream below an SSH session: a socket of this machine, or a channel of the session before it.

asyncssh writes once per packet. Over another session each write would become a packet of its own there, twice as
many at every hop; so the writes of one turn of the loop are gathered. When the stream below is full, everything that
writes to the session is paused.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import functools
import socket
import struct
import termios
from collections.abc import Callable, Sized
from typing import Any

import asyncssh

from orchestra.engine.ssh.internals import is_opening, tune
from orchestra.engine.ssh.spaces import Spaces
from orchestra.model.topology import Family
from orchestra.session.here import Here
from orchestra.session.protocols import Session, Stream, Take, borrowing
from orchestra.session.sockets import READ_SIZE

FLUSH_AT = 112 * 1024
"""Bytes that are passed on at once, without waiting for the turn of the loop to end; three packets and more. Pieces
above 128 KiB would be slower to join: malloc(3) gives them back to the system each time."""
_UNKNOWN = (None,)
"""For a loop that does not let itself be asked: there is always something else."""
_HIDDEN = frozenset({"peername", "sockname"})
_TURNS = 3
"""Turns of the loop in which asyncssh handles a packet: a task, its end, and what is made of it."""
_INT = struct.Struct("i")
_LEAST = 15
"""Seconds: the kernel is never the first to lose patience, whatever the network loses."""
_PROBES = 3


class Carrier:
    """Joins one connection of asyncssh to the stream that carries it: a receiver below, a transport above.
    ``spaces`` are those of all sessions that are carried in each other."""

    borrows = carries = True

    def __init__(self, congested: Callable[[bool], None], spaces: Spaces | None = None) -> None:
        self._congested = congested
        self._spaces = Spaces() if spaces is None else spaces
        self._loop = asyncio.get_running_loop()
        self._stream: Stream | None = None
        self._connection: asyncssh.SSHClientConnection | None = None
        self._early: list[bytes] = []
        self._receive: Take = self._keep
        self._buffer: list[bytes] = []
        self._size = 0
        self._written = 0
        self._write: Take = _nowhere
        self._socket: Any = None
        self._scheduled = False
        self._others: Sized = getattr(self._loop, "_ready", _UNKNOWN)
        """What else is to be done in this turn of the loop."""
        self._acknowledge: Callable[[], None] = _nothing
        self._lost: Exception | None = None
        self.is_lost = False
        self.graceful = False
        """Whether what is queued is to be sent before the end."""

    async def dial(
        self,
        over: Session,
        host: str | None,
        port: int | None,
        path: str | None,
        family: Family | None = None,
        source: str | None = None,
        silence: float = 0.0,
    ) -> None:
        """Dials the server from the place before it. Raises what that session raises.

        ``family`` and ``source`` concern this machine only, as in ssh: others dial as they like. ``silence``: seconds
        that the server may be silent, 0 for ever.
        """
        if path is not None:
            stream, _ = await over.create_unix_connection(lambda: self, path)
        elif isinstance(over, Here) and (family or source):
            stream, _ = await over.create_connection(lambda: self, host or "", port or 0, family, source)
        else:
            stream, _ = await over.create_connection(lambda: self, host or "", port or 0)
        sock = stream.get_extra_info("socket")
        if hasattr(sock, "setsockopt") and getattr(sock, "family", None) in (socket.AF_INET, socket.AF_INET6):
            _tune_socket(sock, silence)
            self._socket = sock
            self._acknowledge = _acknowledger(sock)

    @property
    def loss(self) -> Exception | None:
        """Why the stream below ended, when it did."""
        return self._lost

    @property
    def nested(self) -> bool:
        """Whether another session carries it, or whoever else."""
        return self._stream is not None and self._socket is None

    def progress(self) -> tuple[int, int]:
        """Bytes that were written to the socket that carries it all, by whomever, and how many have arrived there."""
        if self._stream is None:
            return 0, 0
        if self._socket is None:
            below = self._stream.get_extra_info("progress")
            return below if isinstance(below, tuple) else (self._written, self._written)
        return self._written, self._written - _unsent(self._stream, self._socket)

    # What asyncssh asks of a tunnel.

    async def create_connection(
        self, factory: Callable[[], asyncssh.SSHClientConnection], _host: str, _port: int
    ) -> tuple[Any, asyncssh.SSHClientConnection]:
        """Gives the connection its transport: this object."""
        connection = factory()
        self._receive = tune(connection, self.progress, self._spaces)
        self._connection = connection
        connection.connection_made(self)  # type: ignore[arg-type]
        if self.is_lost:
            connection.connection_lost(self._lost)
        for data in self._early:
            self._receive(data)
        self._early.clear()
        if self._stream is not None:
            self._stream.resume_reading()
        return self, connection

    async def wait_closed(self) -> None:
        """Nothing to wait for: the session waits for the connection."""

    # What asyncssh asks of a transport.

    def write(self, data: bytes) -> None:
        """Queues it until the turn of the loop ends."""
        self._queue(data, FLUSH_AT)

    def lend(self, data: bytes | memoryview) -> None:
        """Queues it too, unless nobody else has a part in this turn of the loop: then there is nothing to gather,
        and at each hop it would only wait for another turn. What it is lent it does not keep."""
        self._queue(data, FLUSH_AT if self._others else 0)

    def _queue(self, data: bytes | memoryview, enough: int) -> None:
        if self._size + len(data) >= enough:
            self._flush()
            self._pass_on(data)
            return
        self._buffer.append(bytes(data))
        self._size += len(data)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._end_of_turn)

    def is_closing(self) -> bool:
        """Whether the stream below has ended or is ending."""
        return self._stream is None or self._stream.is_closing()

    def close(self) -> None:
        """Ends the stream below; asyncssh calls ``abort``, also for a good end."""
        self.abort()

    def abort(self) -> None:
        """Ends the stream below: at once, or after what is queued has been sent."""
        if self._stream is None:
            return
        if self.graceful:
            self._flush()
            self._stream.close()
        else:
            self._stream.abort()

    def get_extra_info(self, name: str, default: object = None) -> object:
        """What is known of the stream below, but no addresses: the first hop's would pass for those of this server
        wherever host keys are looked up by address."""
        if self._stream is None or name in _HIDDEN or name == "socket":
            return default
        return self._stream.get_extra_info(name, default)

    def _end_of_turn(self) -> None:
        self._scheduled = False
        self._flush()

    def _flush(self) -> None:
        if self._buffer:
            data = self._buffer[0] if len(self._buffer) == 1 else b"".join(self._buffer)
            self._buffer.clear()
            self._size = 0
            self._pass_on(data)

    def _pass_on(self, data: bytes | memoryview) -> None:
        self._written += len(data)
        self._write(data)

    # What the stream below tells.

    def connection_made(self, stream: Stream, /) -> None:
        """Nothing is read before there is a connection to read it: whoever answers may talk without end."""
        self._stream = stream
        self._write = borrowing(stream, stream.write)
        stream.pause_reading()

    def data_received(self, data: bytes | memoryview, /) -> None:
        self._receive(data)
        if len(data) < READ_SIZE:  # else there is more, and its end will be acknowledged
            self._acknowledge()

    def _keep(self, data: bytes | memoryview) -> None:
        self._early.append(bytes(data))

    def eof_received(self) -> bool | None:
        if self._connection is not None:
            self._tell(self._connection.eof_received)
        else:
            self.connection_lost(ConnectionResetError("it was closed at once"))
        return False

    def pause_writing(self) -> None:
        self._congested(True)

    def resume_writing(self) -> None:
        self._congested(False)

    def connection_lost(self, exc: Exception | None, /) -> None:
        if not self.is_lost:
            self.is_lost, self._lost = True, exc
        if self._connection is not None:
            self._tell(functools.partial(self._connection.connection_lost, exc))

    def _tell(self, end: Callable[[], None], turns: int = _TURNS) -> None:
        """Tells asyncssh of the end. While a session opens, after the packets before it: a server that refuses says
        why and hangs up, and the end would be taken for the reason."""
        if turns and self._connection is not None and is_opening(self._connection):
            self._loop.call_soon(self._tell, end, turns - 1)
        else:
            end()


def _nowhere(data: bytes | memoryview) -> None:
    """Before there is a stream nothing is written."""


def _nothing() -> None:
    """No socket, or no such option: nothing to do."""


def _acknowledger(sock: Any) -> Callable[[], None]:
    """Acknowledges what was just read at once (TCP_QUICKACK, tcp(7); it does not last, so it is set anew each time).

    sshd leaves Nagle's algorithm on until a session runs a command: a small packet behind another one, such as the
    end of file behind the last data, would wait 40 ms for our delayed acknowledgement.
    """
    option = getattr(socket, "TCP_QUICKACK", None)
    if option is None:
        return _nothing

    def acknowledge() -> None:
        with contextlib.suppress(OSError):  # it has just been closed
            sock.setsockopt(socket.IPPROTO_TCP, option, 1)

    return acknowledge


def _unsent(stream: Stream, sock: Any) -> int:
    """Bytes that wait to be sent, or for the peer's acknowledgement (SIOCOUTQ, tcp(7), where the system has it)."""
    waiting = stream.get_extra_info("unsent")
    queued: int
    try:
        (queued,) = _INT.unpack(fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(_INT.size)))
    except (OSError, ValueError):  # it is closed, or no such socket
        queued = 0
    return queued + waiting if isinstance(waiting, int) else queued


def _tune_socket(sock: Any, silence: float) -> None:
    """Lets the kernel notice a dead link too, but not before the keepalives of SSH do: what is sent and is not
    acknowledged ends the connection (TCP_USER_TIMEOUT, tcp(7)), and so do its own keepalives."""
    if not silence:
        return
    seconds = max(_LEAST, round(silence))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", seconds),
        ("TCP_KEEPINTVL", seconds // _PROBES),
        ("TCP_KEEPCNT", _PROBES),
        ("TCP_USER_TIMEOUT", 2000 * seconds),
    ):
        if number := getattr(socket, option, None):
            sock.setsockopt(socket.IPPROTO_TCP, number, value)
