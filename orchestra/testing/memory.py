"""Sessions in memory: a little network of places, for fast tests of whatever works over sessions.

Loopback addresses mean the place that dials; other texts are names of places or the aliases given to the network.
Streams behave as TCP does: half-close both ways, bounded buffers, resets.

=========  ==================================================================================================
refuse     ``network.refused_opens`` (sessions), ``refused_dials``, ``refused_binds``; a port without listener
stall      ``network.stalled_opens`` (sessions), ``black_holes`` (dials), ``session.stall()`` (what is open)
break      ``session.lose()``, with every session over it; ``stream.abort()`` is a reset
recover    ``session.resume()``; what is taken out of the sets above; the transport opens a lost session anew
=========  ==================================================================================================
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Literal, TypeAlias, TypeVar

from orchestra.diagnostics import Code
from orchestra.model.address import LOCALHOST, WILDCARD, is_loopback, parse_ip
from orchestra.plugin.interfaces import OpenRequest
from orchestra.plugin.vocabulary import TransportSpec
from orchestra.session.errors import BindRefused, DialRefused, OpenFailed, SessionLost, Unsupported
from orchestra.session.protocols import Accept, Peer, Process, Receiver, Session, Stream
from orchestra.testing.streams import MemoryProcess, MemoryStream, Program, not_found

R = TypeVar("R", bound=Receiver)
Key: TypeAlias = tuple[str, str | int]
"""A place's name, and a port or a socket's path."""


class MemoryNetwork:
    """Places, their listeners, and the faults that a test wants."""

    def __init__(self, aliases: dict[str, str] | None = None) -> None:
        self.aliases = dict(aliases or {})
        """Address or DNS name to the place that it means."""
        self.listeners: dict[Key, list[MemoryListener]] = {}
        self.sessions: list[MemorySession] = []
        self.black_holes: set[Key] = set()
        """Dials to these are never answered."""
        self.refused_dials: dict[Key, DialRefused] = {}
        """Dials that fail, and why; where nothing listens they are refused anyway."""
        self.refused_binds: dict[Key, BindRefused] = {}
        """Listeners that do not open, and why."""
        self.refused_opens: dict[str, OpenFailed] = {}
        """Servers to which no session opens, and why."""
        self.stalled_opens: set[str] = set()
        """Servers that are dialed and never say a word."""
        self.programs: dict[Key, Program] = {}
        """A place and a command's text, to what it answers; what is not here is not found there."""
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
        self._flowing = asyncio.Event()
        self._flowing.set()

    @property
    def state(self) -> Literal["open", "closing", "closed"]:
        return "closed" if self._closed.is_set() else "open"

    @property
    def is_stalled(self) -> bool:
        """Whether nothing comes through."""
        return not self._flowing.is_set()

    async def create_connection(self, make: Callable[[], R], host: str, port: int) -> tuple[Stream, R]:
        await self._pass()
        self.dialed.append(f"{host}:{port}")
        return await self._dial(make, (self.network.meant_by(self.host, host), port), f"{host}:{port}")

    async def create_unix_connection(self, make: Callable[[], R], path: str) -> tuple[Stream, R]:
        await self._pass()
        self.dialed.append(path)
        return await self._dial(make, (self.host, path), path)

    async def create_server(self, accept: Accept, host: str, port: int) -> MemoryListener:
        await self._pass()
        if host == WILDCARD or is_loopback(host) or self.network.meant_by(self.host, host) == self.host:
            return self._listen(accept, port or self.network.free_port(self.host), host)
        raise BindRefused(Code.LISTEN_FAILED, f"{self.host} has no address {host} to listen on", host=self.host)

    async def create_unix_server(self, accept: Accept, path: str) -> MemoryListener:
        await self._pass()
        return self._listen(accept, path)

    async def create_process(self, make: Callable[[], R], command: str) -> tuple[Process, R]:
        await self._pass()
        program = self.network.programs.get((self.host, command))
        if program is None and not any(place == self.host for place, _ in self.network.programs):
            raise Unsupported(Code.TRANSPORT_CANNOT, f"{self.host} is in memory and runs no commands", host=self.host)
        receiver = make()
        process = MemoryProcess(receiver, program or not_found)
        receiver.connection_made(process)
        return process, receiver

    async def ping(self) -> None:
        await asyncio.sleep(0)
        await self._pass()

    def close(self) -> None:
        for stream in list(self.streams):
            stream.close()
        self._end(None)

    def abort(self) -> None:
        self._end(None)

    def lose(self, reason: str = "the connection broke") -> None:
        """Ends it as a broken connection would, and all sessions opened over it."""
        self._end(SessionLost(Code.SESSION_LOST, f"the session to {self.host} was lost: {reason}", host=self.host))

    def stall(self) -> None:
        """As a link that died without a word, with the sessions over it: nothing comes or goes, pings and dials wait,
        and nobody is told."""
        self._flowing.clear()
        for child in self.children:
            child.stall()

    def resume(self) -> None:
        """The link lives again; what waited goes on."""
        self._flowing.set()
        for child in self.children:
            child.resume()
        for stream in self.streams:
            stream.wake()
            stream.other.wake()

    async def wait_closed(self) -> Exception | None:
        await self._closed.wait()
        return self._reason

    def forget(self, listener: MemoryListener) -> None:
        """The listener closed."""
        self._listeners.discard(listener)

    async def _pass(self) -> None:
        """Waits while the link is stalled. Raises SessionLost."""
        if not self._flowing.is_set():
            await self._flowing.wait()
        if self._closed.is_set():
            raise SessionLost(Code.SESSION_LOST, f"the session to {self.host} is closed", host=self.host)

    async def _dial(self, make: Callable[[], R], key: Key, text: str) -> tuple[Stream, R]:
        if key in self.network.black_holes:
            await asyncio.get_running_loop().create_future()
        if refusal := self.network.refused_dials.get(key):
            raise refusal
        dialed = text.rpartition(":")[0]
        listener = next((each for each in self.network.listeners.get(key, ()) if each.admits(dialed)), None)
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

    def _listen(self, accept: Accept, key: int | str, host: str = WILDCARD) -> MemoryListener:
        if refusal := self.network.refused_binds.get((self.host, key)):
            raise refusal
        others = self.network.listeners.setdefault((self.host, key), [])
        if any(each.host == host or not {each.host, host}.isdisjoint((WILDCARD, LOCALHOST)) for each in others):
            message = f"{self.host} cannot listen on {key}: the address is in use"
            raise BindRefused(Code.LISTEN_IN_USE, message, host=self.host)
        listener = MemoryListener(self, accept, key, host)
        others.append(listener)
        self._listeners.add(listener)
        return listener

    def _end(self, reason: SessionLost | None) -> None:
        if self._closed.is_set():
            return
        self._reason = reason
        self._closed.set()
        self._flowing.set()
        for listener in list(self._listeners):
            listener.close()
        for stream in list(self.streams):
            stream.break_off(reason or SessionLost(Code.SESSION_LOST, "the session was closed", host=self.host))
        for child in self.children:
            child.lose("the session below it ended")


class MemoryListener:
    """A listener of a memory session."""

    def __init__(self, session: MemorySession, accept: Accept, key: int | str, host: str) -> None:
        self.session, self.accept, self.host = session, accept, host
        self._key = key
        self._closed = asyncio.Event()

    @property
    def port(self) -> int:
        return self._key if isinstance(self._key, int) else 0

    def close(self) -> None:
        if not self._closed.is_set():
            self._closed.set()
            self.session.forget(self)
            listeners = self.session.network.listeners
            others = listeners[self.session.host, self._key]
            others.remove(self)
            if not others:
                del listeners[self.session.host, self._key]

    def admits(self, dialed: str) -> bool:
        """Whether who dials that text reaches it: loopback is not reached from elsewhere, nor by the other family."""
        if is_loopback(self.host):
            return is_loopback(dialed) and (LOCALHOST in (dialed, self.host) or dialed == self.host)
        return self.host == WILDCARD or (not is_loopback(dialed) and (parse_ip(dialed) is None or dialed == self.host))

    async def wait_closed(self) -> None:
        await self._closed.wait()


class MemoryTransport:
    """A transport named ``ssh`` whose sessions are places of a memory network, opened by a dial of nothing."""

    def __init__(self, network: MemoryNetwork, name: str = "ssh") -> None:
        self.network = network
        self.spec = TransportSpec(name=name)
        self.opened: list[MemorySession] = []

    async def open(self, request: OpenRequest) -> Session:
        """The next session to that server, unless the network says otherwise."""
        await asyncio.sleep(0)
        name = request.server.name
        if name in self.network.stalled_opens:
            await asyncio.get_running_loop().create_future()
        if request.over.state != "open":
            raise OpenFailed(Code.CONNECT_FAILED, f"{request.over.host} is not connected", host=request.over.host)
        if refusal := self.network.refused_opens.get(name):
            raise refusal
        session = self.network.place(name, over=request.over)
        self.opened.append(session)
        return session
