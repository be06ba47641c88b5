"""The shapes of sessions, streams and receivers.

They are asyncio's own transport and protocol turned round a little: ``asyncio.Transport`` and asyncssh's channels
fit :class:`Stream` as they are. Direction exists only in the plan: a relay joins a connection that an entry session
accepted to one that an exit session dialed, and does not know which of them is remote.
"""

from __future__ import annotations

import functools
import socket
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol, TypeAlias, TypeVar, cast, runtime_checkable

from orchestra.model.frozen import dataclass

R = TypeVar("R", bound="Receiver")


class Stream(Protocol):
    """What one writes to.

    ``write`` never blocks and never refuses; a writer stops when its receiver is told ``pause_writing``. ``close``
    flushes first; ``abort`` drops what is queued and, on a socket of this machine, resets the connection (TCP RST).
    """

    def write(self, data: bytes, /) -> None: ...
    def write_eof(self) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def is_closing(self) -> bool: ...
    def close(self) -> None: ...
    def abort(self) -> None: ...
    def get_extra_info(self, name: str, default: object = None, /) -> object: ...


class Receiver(Protocol):
    """What one is told, in this order: ``connection_made``, data, at most one ``eof_received``, ``connection_lost``.

    ``connection_lost(None)`` comes only after ``eof_received`` or after our own ``close``; a stream that ends without
    an end of file from the peer ends with an exception. ``eof_received`` returning true keeps our direction open
    (half-close). ``pause_writing``: this stream is full, or the whole session is congested.
    """

    def connection_made(self, stream: Stream, /) -> None: ...
    def data_received(self, data: bytes, /) -> None: ...
    def eof_received(self) -> bool | None: ...
    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...
    def connection_lost(self, exc: Exception | None, /) -> None: ...


Take: TypeAlias = Callable[[bytes | memoryview], None]
"""Takes data, and keeps no view of it."""


def borrowing(end: Stream | Receiver, take: Callable[[bytes], None]) -> Take:
    """``take`` is a stream's ``write``, or a receiver's ``data_received``. One with an attribute ``borrows`` may be
    given a memoryview of what is overwritten as soon as it returns; any other gets bytes, which are its own."""
    if getattr(end, "borrows", False):
        return cast(Take, take)

    @functools.wraps(take)
    def hand_over(data: bytes | memoryview) -> None:
        take(bytes(data))

    return hand_over


class Process(Stream, Protocol):
    """A running command: writing goes to its standard input, what it prints is received.

    Standard error is collected apart, bounded.
    """

    @property
    def exit_status(self) -> int | None: ...
    def stderr_tail(self) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who connected to a listener, as far as it is known; ``text`` is for people."""

    host: str | None
    port: int | None
    text: str


Accept: TypeAlias = Callable[[Peer], Awaitable[Receiver]]
"""Awaited before the connection is confirmed (or, on this machine's sockets, before anything is read from it);
raising refuses it: a forwarded channel is refused, a local socket reset."""


@runtime_checkable
class Prompt(Protocol):
    """What an :data:`Accept` may be besides: one that need not be awaited, most of the time."""

    def at_once(self, peer: Callable[[], Peer], /) -> Receiver | None:
        """Who receives, although it is not certain yet that the connection is of any use: it is not to be read from
        until the receiver resumes it, and is aborted when it was of none. None: it is to be awaited after all."""
        ...


class Listener(Protocol):
    """An open listener. It ends with ``close`` or with its session.

    One at a server may have ``widened: str | None``: the server's own word that it listens on more than was asked for.
    """

    @property
    def port(self) -> int: ...

    """The port that is bound (chosen by the listening host when 0 was asked for); 0 for a Unix socket."""

    def close(self) -> None: ...

    """Stops accepting. Connections that were accepted live on."""

    async def wait_closed(self) -> None: ...


@runtime_checkable
class Datagrams(Protocol):
    """What a place may do besides, when its sockets are of this process: UDP. Elsewhere it takes a command."""

    @property
    def host(self) -> str: ...

    async def create_datagram_connection(self, host: str, port: int) -> socket.socket:
        """A UDP socket that is connected to there, and does not block. Raises DialRefused, SessionLost or
        Unsupported."""
        ...


class Session(Protocol):
    """A place that dials, listens and runs.

    Raises :class:`~orchestra.session.errors.DialRefused`, ``BindRefused``, ``SessionLost`` and ``Unsupported``, and
    nothing else that is foreign. ``host`` is the name of the host in the topology. Cancelling any of the coroutines
    leaves nothing half-open.
    """

    host: str
    is_here: bool

    @property
    def state(self) -> Literal["open", "closing", "closed"]: ...

    async def create_connection(self, make: Callable[[], R], host: str, port: int) -> tuple[Stream, R]:
        """Dials from this place. Reading is paused until ``connection_made`` returns; ``host`` is sent as it is."""
        ...

    async def create_unix_connection(self, make: Callable[[], R], path: str) -> tuple[Stream, R]:
        """Dials a Unix socket of this place."""
        ...

    async def create_server(self, accept: Accept, host: str, port: int) -> Listener:
        """Listens at this place. Here: ``host`` is one literal, or ``*``. At a server: the text that is sent to it,
        ``*`` standing for every address. Port 0: any free one, see ``Listener.port``."""
        ...

    async def create_unix_server(self, accept: Accept, path: str) -> Listener:
        """Listens on a Unix socket of this place."""
        ...

    async def create_process(self, make: Callable[[], R], command: str) -> tuple[Process, R]:
        """Runs a command under the account's shell there."""
        ...

    async def ping(self) -> None:
        """One round trip; raises SessionLost. The caller sets the deadline."""
        ...

    def close(self) -> None:
        """Ends it in good order: queued data is sent, then it is closed."""
        ...

    def abort(self) -> None:
        """Ends it at once."""
        ...

    async def wait_closed(self) -> Exception | None:
        """Waits for the end. None when it was closed from here; else why it was lost."""
        ...


@runtime_checkable
class Asking(Protocol):
    """What a session may do besides: dial without anybody who waits."""

    def begin_connection(
        self, make: Callable[[], Receiver], host: str, port: int, done: Callable[[Exception | None], None]
    ) -> Callable[[], None]:
        """Dials as :meth:`Session.create_connection` does; ``done`` is told once, later, that the receiver has its
        stream, or why not. Gives what gives the dial up, after which nothing is told. Raises SessionLost."""
        ...


@runtime_checkable
class Attentive(Protocol):
    """What a session may tell besides: a link that is full of data answers late, and yet lives."""

    @property
    def heard(self) -> float:
        """When anything came from there last, by the event loop's clock."""
        ...
