"""Sessions in memory: a little network of places, for fast tests of whatever works over sessions.

Loopback addresses mean the place that dials; other texts are names of places or the aliases given to the network.
Streams behave as TCP does: half-close both ways, bounded buffers, resets.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from typing import Literal, TypeAlias, TypeVar

from orchestra.diagnostics import Code
from orchestra.model.address import WILDCARD, is_loopback
from orchestra.plugin.interfaces import OpenRequest
from orchestra.plugin.vocabulary import TransportSpec
from orchestra.session.errors import BindRefused, DialRefused, OpenFailed, SessionLost, Unsupported
from orchestra.session.protocols import Accept, Peer, Process, Receiver, Session, Stream

R = TypeVar("R", bound=Receiver)
Key: TypeAlias = tuple[str, str | int]
"""A place's name, and a port or a socket's path."""

HIGH_WATER = 64 * 1024
LOW_WATER = 16 * 1024


class MemoryNetwork:
    """Places, their listeners, and the faults that a test wants."""

    def __init__(self, aliases: dict[str, str] | None = None) -> None:
        self.aliases = dict(aliases or {})
        """Address or DNS name to the place that it means."""
        self.listeners: dict[Key, MemoryListener] = {}
        self.sessions: list[MemorySession] = []
        self.black_holes: set[Key] = set()
        """Dials to these are never answered."""
        self.refused_opens: dict[str, OpenFailed] = {}
        """Servers to which no session opens, and why."""
        self._ports = itertools.count(40000)

    def place(self, host: str, *, is_here: bool = False, over: Session | None = None) -> MemorySession:
        """A new session at that place; with ``over`` it is lost when that one ends."""
        session = MemorySession(self, host, is_here=is_here)
        self.sessions.append(session)
        if isinstance(over, MemorySession):
            over.children.append(session)
        return session

    def free_port(self, host: str) -> int:
        """A port that nothing listens on at that place."""
        return next(port for port in self._ports if (host, port) not in self.listeners)

    def meant_by(self, dialer: str, host: str) -> str:
        """The place that the text means to the dialer; DialRefused when it means none."""
        meant = dialer if is_loopback(host) else self.aliases.get(host, host)
        if meant != dialer and meant not in {s.host for s in self.sessions}:
            message = f"{dialer} cannot resolve {host}"
            raise DialRefused(Code.NAME_UNRESOLVED, message, host=dialer)
        return meant


class MemorySession:
    """A place in a :class:`MemoryNetwork`."""

    def __init__(self, network: MemoryNetwork, host: str, *, is_here: bool = False) -> None:
        self.network, self.host, self.is_here = network, host, is_here
        self.children: list[MemorySession] = []
        self.streams: set[MemoryStream] = set()
        self.dialed: list[str] = []
        """Every address that was dialed from here, in order."""
        self._listeners: set[MemoryListener] = set()
        self._reason: Exception | None = None
        self._closed = asyncio.Event()

    @property
    def state(self) -> Literal["open", "closing", "closed"]:
        return "closed" if self._closed.is_set() else "open"

    async def create_connection(self, make: Callable[[], R], host: str, port: int) -> tuple[Stream, R]:
        self._check()
        self.dialed.append(f"{host}:{port}")
        return await self._dial(make, (self.network.meant_by(self.host, host), port), f"{host}:{port}")

    async def create_unix_connection(self, make: Callable[[], R], path: str) -> tuple[Stream, R]:
        self._check()
        self.dialed.append(path)
        return await self._dial(make, (self.host, path), path)

    async def create_server(self, accept: Accept, host: str, port: int) -> MemoryListener:
        self._check()
        if host == WILDCARD or is_loopback(host) or self.network.meant_by(self.host, host) == self.host:
            return self._listen(accept, port or self.network.free_port(self.host))
        raise BindRefused(Code.LISTEN_FAILED, f"{self.host} has no address {host} to listen on", host=self.host)

    async def create_unix_server(self, accept: Accept, path: str) -> MemoryListener:
        self._check()
        return self._listen(accept, path)

    async def create_process(self, make: Callable[[], R], command: str) -> tuple[Process, R]:  # noqa: ARG002
        raise Unsupported(Code.TRANSPORT_CANNOT, f"{self.host} is in memory and runs no commands", host=self.host)

    async def ping(self) -> None:
        self._check()
        await asyncio.sleep(0)
        self._check()

    def close(self) -> None:
        for stream in list(self.streams):
            stream.close()
        self._end(None)

    def abort(self) -> None:
        self._end(None)

    def lose(self, reason: str = "the connection broke") -> None:
        """Ends it as a broken connection would, and all sessions opened over it."""
        self._end(SessionLost(Code.SESSION_LOST, f"the session to {self.host} was lost: {reason}", host=self.host))

    async def wait_closed(self) -> Exception | None:
        await self._closed.wait()
        return self._reason

    def forget(self, listener: MemoryListener) -> None:
        """The listener closed."""
        self._listeners.discard(listener)

    def _check(self) -> None:
        if self._closed.is_set():
            raise SessionLost(Code.SESSION_LOST, f"the session to {self.host} is closed", host=self.host)

    async def _dial(self, make: Callable[[], R], key: Key, text: str) -> tuple[Stream, R]:
        if key in self.network.black_holes:
            await asyncio.get_running_loop().create_future()
        listener = self.network.listeners.get(key)
        refused = DialRefused(Code.CONNECT_REFUSED, f"{self.host} dials {text}: connection refused", host=self.host)
        if listener is None:
            raise refused
        try:
            theirs = await listener.accept(Peer(host="127.0.0.1", port=None, text=self.host))
        except Exception as error:
            raise refused from error
        if self._closed.is_set() or listener.session.state == "closed":
            theirs.connection_lost(ConnectionResetError("the session ended meanwhile"))
            raise refused
        ours = make()
        stream, other = MemoryStream(self, ours), MemoryStream(listener.session, theirs)
        stream.other, other.other = other, stream
        theirs.connection_made(other)
        ours.connection_made(stream)
        return stream, ours

    def _listen(self, accept: Accept, key: int | str) -> MemoryListener:
        if (self.host, key) in self.network.listeners:
            message = f"{self.host} cannot listen on {key}: the address is in use"
            raise BindRefused(Code.LISTEN_IN_USE, message, host=self.host)
        listener = MemoryListener(self, accept, key)
        self.network.listeners[self.host, key] = listener
        self._listeners.add(listener)
        return listener

    def _end(self, reason: SessionLost | None) -> None:
        if self._closed.is_set():
            return
        self._reason = reason
        self._closed.set()
        for listener in list(self._listeners):
            listener.close()
        for stream in list(self.streams):
            stream.break_off(reason or SessionLost(Code.SESSION_LOST, "the session was closed", host=self.host))
        for child in self.children:
            child.lose("the session below it ended")


class MemoryListener:
    """A listener of a memory session."""

    def __init__(self, session: MemorySession, accept: Accept, key: int | str) -> None:
        self.session, self.accept = session, accept
        self._key = key
        self._closed = asyncio.Event()

    @property
    def port(self) -> int:
        return self._key if isinstance(self._key, int) else 0

    def close(self) -> None:
        if not self._closed.is_set():
            self._closed.set()
            self.session.forget(self)
            self.session.network.listeners.pop((self.session.host, self._key), None)

    async def wait_closed(self) -> None:
        await self._closed.wait()


class MemoryStream:
    """One end of a pair. What the other end wrote waits here until it is delivered by the loop's next turn."""

    other: MemoryStream

    def __init__(self, session: MemorySession, receiver: Receiver) -> None:
        self._session, self.receiver = session, receiver
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
            self._session.streams.discard(self)
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

    def _schedule(self) -> None:
        if not self._scheduled and not self._lost:
            self._scheduled = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._scheduled = False
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


class MemoryTransport:
    """A transport named ``ssh`` whose sessions are places of a memory network, opened by a dial of nothing."""

    def __init__(self, network: MemoryNetwork, name: str = "ssh") -> None:
        self.network = network
        self.spec = TransportSpec(name=name)
        self.opened: list[MemorySession] = []

    async def open(self, request: OpenRequest) -> Session:
        """The next session to that server; raises what ``network.refused_opens`` says."""
        await asyncio.sleep(0)
        name = request.server.name
        if request.over.state != "open":
            raise OpenFailed(Code.CONNECT_FAILED, f"{request.over.host} is not connected", host=request.over.host)
        if refusal := self.network.refused_opens.get(name):
            raise refusal
        session = self.network.place(name, over=request.over)
        self.opened.append(session)
        return session
