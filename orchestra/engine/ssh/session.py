"""A server reached over SSH, as a place: it dials, listens and runs by channels of one connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Literal, TypeVar

import asyncssh

from orchestra.diagnostics import Code
from orchestra.engine.ssh import internals, translate
from orchestra.engine.ssh.carrier import Carrier
from orchestra.engine.ssh.channels import ChannelStream, ProcessStream
from orchestra.engine.ssh.listeners import Inbound, SshListener
from orchestra.model.address import WILDCARD, Endpoint, UnixPath
from orchestra.model.text import clean
from orchestra.session import ssh
from orchestra.session.errors import DialRefused, SessionError, SessionLost
from orchestra.session.protocols import Accept, Listener, Peer, Process, Receiver, Stream
from orchestra.session.windows import ReceiveWindow, ShortestTrip, WindowBudget

R = TypeVar("R", bound=Receiver)
T = TypeVar("T")

PACKET = 64 * 1024
"""Bytes of data that a server may put into one packet; OpenSSH does when they wait, at a further hop above all."""
_DISUSE = 0.5
"""Seconds for which a session carries nothing before it is called unused."""
DRAIN = 5.0
"""Seconds that a good end waits for queued data."""


class SshSession:
    """One SSH connection. Made by :mod:`.connecting`."""

    is_here = False

    def __init__(self, host: str, windows: WindowBudget) -> None:
        self.host = host
        self.congested = False
        self.debug_messages: list[str] = []
        """What the server said in SSH_MSG_DEBUG since the last request."""
        self._windows, self._trip = windows, ShortestTrip()
        self._connection: asyncssh.SSHClientConnection | None = None
        self._carrier: Carrier | None = None
        self._streams: set[ChannelStream] = set()
        self._tasks: set[asyncio.Future[Any]] = set()
        self._used = 0.0
        """When it last carried something, by the loop's clock."""
        self._closing = False
        self._reason: Exception | None = None
        self._ended = asyncio.Event()
        self._binding = asyncio.Lock()
        self._idle = asyncio.Event()
        self._idle.set()

    def start(self, connection: asyncssh.SSHClientConnection, carrier: Carrier) -> None:
        """The connection is authenticated."""
        self._connection, self._carrier = connection, carrier
        self._used = asyncio.get_running_loop().time()

    @property
    def state(self) -> Literal["open", "closing", "closed"]:
        if self._ended.is_set() or self.is_over:
            return "closed"
        return "closing" if self._closing else "open"

    @property
    def is_over(self) -> bool:
        """Whether the connection has ended, also when not everybody was told yet."""
        return self._connection is None or internals.is_dead(self._connection)

    async def create_connection(self, make: Callable[[], R], host: str, port: int) -> tuple[Stream, R]:
        def ask(stream: ChannelStream) -> asyncio.Future[Any]:
            opening: asyncio.Future[None] = asyncio.get_running_loop().create_future()

            def opened(error: Exception | None) -> None:
                if not opening.done():
                    opening.set_exception(error) if error is not None else opening.set_result(None)

            self._ask(stream, host, port, opened)
            return opening

        return await self._dial(make, ask, lambda: str(Endpoint(host, port)))

    def begin_connection(
        self, make: Callable[[], Receiver], host: str, port: int, done: Callable[[Exception | None], None]
    ) -> Callable[[], None]:
        """See :class:`~orchestra.session.protocols.Asking`."""
        self._check()
        stream = ChannelStream(self, make, self._windows.take())

        def opened(error: Exception | None) -> None:
            if not stream.has_channel:
                self._windows.give(stream.window)
            if not stream.abandoned:
                done(self._refusal(error, str(Endpoint(host, port))) if stream.receiver is None else None)

        self._ask(stream, host, port, opened)
        return stream.abandon

    async def create_unix_connection(self, make: Callable[[], R], path: str) -> tuple[Stream, R]:
        def ask(stream: ChannelStream) -> asyncio.Future[Any]:
            opening = self._open.create_unix_connection(
                lambda: stream,  # type: ignore[arg-type, return-value]
                path,
                window=stream.window,
                max_pktsize=PACKET,
            )
            return self._spawn(opening)

        return await self._dial(make, ask, lambda: str(UnixPath(path)))

    async def create_server(self, accept: Accept, host: str, port: int) -> Listener:
        inbound = Inbound(self._windows)
        sent = "" if host == WILDCARD else host

        async def factory(peer_host: str, peer_port: int) -> ChannelStream:
            return await self._accept(accept, _peer(peer_host, peer_port), inbound.next())

        def ask() -> Any:
            return self._open.create_server(factory, sent, port, window=inbound.window, max_pktsize=PACKET)

        return await self._listen(ask, str(Endpoint(host, port)), inbound)

    async def create_unix_server(self, accept: Accept, path: str) -> Listener:
        inbound = Inbound(self._windows)
        peer = Peer(host=None, port=None, text=f"a program on {self.host}")

        async def factory() -> ChannelStream:
            return await self._accept(accept, peer, inbound.next())

        def ask() -> Any:
            return self._open.create_unix_server(factory, path, window=inbound.window, max_pktsize=PACKET)

        return await self._listen(ask, str(UnixPath(path)), inbound)

    async def create_process(self, make: Callable[[], R], command: str) -> tuple[Process, R]:
        stream = ProcessStream(self, make, self._windows.take())
        try:
            opening = self._open.create_session(
                lambda: stream,  # type: ignore[arg-type, return-value]
                command,
                encoding=None,
                request_pty=False,
                window=stream.window,
                max_pktsize=PACKET,
            )
            await self._uninterrupted(self._spawn(opening), stream)
        except asyncssh.ChannelOpenError as error:
            raise self._unless_over(ssh.command_refused(self.host, error.reason)) from error
        return stream, stream.receiver  # type: ignore[return-value]

    async def ping(self) -> None:
        await internals.ping(self._open)
        self._check()

    @property
    def heard(self) -> float:
        """See :class:`~orchestra.session.protocols.Attentive`."""
        return internals.heard(self._connection) if self._connection is not None else 0.0

    def close(self) -> None:
        if not self._closing and not self.is_over:
            self._closing = True
            self._spawn(self._close())

    def abort(self) -> None:
        self._closing = True
        if self._connection is not None:
            self._connection.abort()

    async def wait_closed(self) -> Exception | None:
        await self._ended.wait()
        return self._reason

    # What the streams need.

    def attach(self, stream: ChannelStream) -> None:
        """Its channel is open."""
        self._streams.add(stream)
        self._idle.clear()

    def detach(self, stream: ChannelStream) -> None:
        """Its channel has ended."""
        self._windows.give(stream.window)
        self._streams.discard(stream)
        self._used = asyncio.get_running_loop().time()
        if not self._streams:
            self._idle.set()

    def receive_window(self, first: int) -> ReceiveWindow:
        """That of a channel which opened with so many bytes."""
        return ReceiveWindow(first, self._windows, self._trip)

    def progress(self) -> tuple[int, int]:
        """See :meth:`Carrier.progress`."""
        return self._carrier.progress() if self._carrier is not None else (0, 0)

    def loss(self, error: Exception | None) -> Exception:
        """Why its streams end with the session."""
        if self._closing:
            return SessionLost(Code.SESSION_LOST, f"the session to {self.host} was closed", host=self.host)
        below = self._carrier.loss if self._carrier is not None else None
        unused = not self._streams and asyncio.get_running_loop().time() - self._used > _DISUSE
        return translate.session_lost(below or error, self.host, unused=unused)

    # What the connection tells.

    def set_congested(self, congested: bool) -> None:
        """The stream below is full, or no longer: everybody who writes to this session waits."""
        self.congested = congested
        for stream in list(self._streams):
            stream.set_congested(congested)

    def said(self, message: str) -> None:
        """A debug message of the server; OpenSSH explains refused and changed listeners by them, and talks of keys."""
        if "forward" in message.lower() and "key options" not in message:
            self.debug_messages[3:] = [message]

    def ended(self, error: Exception | None) -> None:
        """The connection has ended."""
        if not self._ended.is_set():
            self._reason = None if self._closing else self.loss(error)
            self._ended.set()

    # How it is done.

    @property
    def _open(self) -> asyncssh.SSHClientConnection:
        self._check()
        assert self._connection is not None  # noqa: S101 - checked
        return self._connection

    def _check(self) -> None:
        if self.state != "open":
            raise self._reason or self.loss(None)

    async def _dial(
        self, make: Callable[[], R], ask: Callable[[ChannelStream], asyncio.Future[Any]], address: Callable[[], str]
    ) -> tuple[Stream, R]:
        self._check()
        stream = ChannelStream(self, make, self._windows.take())
        try:
            await self._uninterrupted(ask(stream), stream)
        except asyncssh.ChannelOpenError as error:
            raise self._refusal(error, address()) from error
        if stream.receiver is None:
            raise self._refusal(None, address())
        return stream, stream.receiver  # type: ignore[return-value]

    def _ask(self, stream: ChannelStream, host: str, port: int, opened: Callable[[Exception | None], None]) -> None:
        """Asks the server to dial for it."""
        if internals.open_stream(self._connection, stream, host, port, PACKET, opened):
            return
        opening = self._spawn(
            self._open.create_connection(
                lambda: stream,  # type: ignore[arg-type, return-value]
                host,
                port,
                window=stream.window,
                max_pktsize=PACKET,
            )
        )
        opening.add_done_callback(lambda opening: opened(_failure(opening)))

    def _refusal(self, error: Exception | None, address: str) -> Exception:
        """Why a dial failed: the server refused, or there is none any more; or the receiver failed."""
        if isinstance(error, asyncssh.ChannelOpenError):
            return self._unless_over(ssh.dial_refused(self.host, address, error.code, error.reason))
        failed = f"{self.host} dials {address}: it could not be received"
        return error or DialRefused(Code.DIAL_FAILED, failed, host=self.host)

    async def _uninterrupted(self, opening: asyncio.Future[Any], stream: ChannelStream) -> None:
        """Waits for a channel. Cancelled, it lets the server's answer come and then closes what was opened: asyncssh
        would keep the number, and the server the connection."""

        def opened(opening: asyncio.Future[Any]) -> None:
            if not stream.has_channel:
                self._windows.give(stream.window)
            self._settle(opening)

        opening.add_done_callback(opened)
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            stream.abandon()
            raise

    def _unless_over(self, refusal: SessionError) -> Exception:
        """The server refused; or there is no server any more."""
        return self.loss(None) if self.is_over else refusal

    async def _accept(self, accept: Accept, peer: Peer, window: int) -> ChannelStream:
        """The channel is confirmed when this returns, refused when it raises."""
        try:
            receiver = await accept(peer)
        except Exception as error:
            self._windows.give(window)
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "refused") from error
        if self.is_over:
            self._windows.give(window)
            receiver.connection_lost(self.loss(None))
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "the session ended")
        return ChannelStream(self, lambda: receiver, window)

    async def _listen(self, ask: Callable[[], Any], address: str, inbound: Inbound) -> Listener:
        """One request at a time, so that the server's debug messages can be told apart."""
        async with self._binding:
            self._check()
            self.debug_messages.clear()
            task = self._spawn(_awaited(ask()))
            try:
                listener: asyncssh.SSHListener = await asyncio.shield(task)
            except asyncio.CancelledError:
                task.add_done_callback(_close_listener)
                raise
            except asyncssh.ChannelListenError as error:
                raise self._unless_over(ssh.bind_refused(self.host, address, self.debug_messages)) from error
            else:
                inbound.listener = listener
                widened = next((clean(said) for said in self.debug_messages if "overridden" in said), None)
                return SshListener(listener, inbound, widened)
            finally:
                if inbound.listener is None:
                    inbound.close()

    async def _close(self) -> None:
        """Sends what is queued, waits for the server to take it, then says goodbye."""
        assert self._connection is not None  # noqa: S101 - it was open
        assert self._carrier is not None  # noqa: S101
        for stream in list(self._streams):
            stream.finish()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN):
                await self._idle.wait()
        self._carrier.graceful = True
        self._connection.close()

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._settle)
        return task

    def _settle(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # told to whoever waits, or to nobody


def _failure(opening: asyncio.Future[Any]) -> Exception | None:
    error = asyncio.CancelledError("the loop ends") if opening.cancelled() else opening.exception()
    return error if error is None or isinstance(error, Exception) else ConnectionAbortedError(str(error))


async def _awaited(result: Any) -> Any:
    return await result


def _close_listener(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


def _peer(host: str, port: int) -> Peer:
    return Peer(host=clean(host, 60) or None, port=port or None, text=clean(str(Endpoint(host, port)), 80))
