"""This machine as a session: it dials, listens and runs with the operating system's own means."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Literal, TypeAlias, TypeVar

from orchestra.diagnostics import Code
from orchestra.model.address import Endpoint
from orchestra.model.topology import Family
from orchestra.session.dialing import dial, dial_datagrams
from orchestra.session.errors import DialRefused, SessionLost, Unsupported
from orchestra.session.listening import SocketListener, listen_tcp, listen_unix
from orchestra.session.processes import LocalProcess, shell
from orchestra.session.protocols import Accept, Listener, Peer, Process, Receiver, Stream
from orchestra.session.refusals import dial_refused
from orchestra.session.sockets import ReadingSpace, SocketStream, no_delay, reset

R = TypeVar("R", bound=Receiver)

Connect: TypeAlias = Callable[[str, int], Awaitable[socket.socket]]
"""Dials ``host, port`` and returns a connected, non-blocking socket. Raises OSError or DialRefused."""


class Here:
    """This machine, under the name that it has in the topology.

    ``connect`` replaces how it dials (a lab's dials enter the lab), ``send`` how it does by UDP: a lab without it has
    none. Its listeners are always this machine's.
    """

    is_here = True

    def __init__(self, host: str, *, connect: Connect | None = None, send: Connect | None = None) -> None:
        self.host = host
        self._connect = connect or dial
        self._send = send or (dial_datagrams if connect is None else None)
        self._listeners: set[SocketListener] = set()
        self._streams: set[SocketStream] = set()
        self._space = ReadingSpace()
        self._tasks: set[asyncio.Task[None]] = set()
        self._state: Literal["open", "closing", "closed"] = "open"
        self._ended: asyncio.Event | None = None

    @property
    def state(self) -> Literal["open", "closing", "closed"]:
        return self._state

    async def create_connection(
        self, make: Callable[[], R], host: str, port: int, family: Family | None = None, source: str | None = None
    ) -> tuple[Stream, R]:
        """``family`` and ``source`` narrow what is dialed, and from where: see :mod:`orchestra.session.dialing`."""
        self._check()
        where = str(Endpoint(host, port))
        try:
            sock = await (dial(host, port, family, source) if family or source else self._connect(host, port))
        except (OSError, UnicodeError) as error:
            failure = error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, "not a host name")
            raise dial_refused(self.host, where, failure) from error
        no_delay(sock)
        return self._adopt(make(), sock)

    async def create_unix_connection(self, make: Callable[[], R], path: str) -> tuple[Stream, R]:
        self._check()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, path)
        except OSError as error:
            sock.close()
            raise dial_refused(self.host, f"unix:{path}", error) from error
        except BaseException:
            sock.close()
            raise
        return self._adopt(make(), sock)

    async def create_datagram_connection(self, host: str, port: int) -> socket.socket:
        """A connected UDP socket: see :class:`~orchestra.session.protocols.Datagrams`."""
        self._check()
        if self._send is None:
            raise Unsupported(Code.TRANSPORT_CANNOT, f"{self.host} is in a lab that has no UDP", host=self.host)
        try:
            return await self._send(host, port)
        except (OSError, UnicodeError) as error:
            failure = error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, "not a host name")
            raise dial_refused(self.host, str(Endpoint(host, port)), failure) from error

    async def create_server(self, accept: Accept, host: str, port: int) -> Listener:
        self._check()
        return self._listen(accept, listen_tcp(self.host, host, port))

    async def create_unix_server(self, accept: Accept, path: str) -> Listener:
        self._check()
        return self._listen(accept, [listen_unix(self.host, path)], path)

    async def create_process(self, make: Callable[[], R], command: str) -> tuple[Process, R]:
        self._check()
        receiver = make()
        process = LocalProcess(receiver)
        loop = asyncio.get_running_loop()
        try:
            await loop.subprocess_exec(lambda: process, shell(), "-c", command, start_new_session=True)
        except OSError as error:
            raise DialRefused(Code.DIAL_FAILED, f"{self.host} cannot run a command: {error}", host=self.host) from error
        process.started()
        return process, receiver

    async def ping(self) -> None:
        self._check()

    def close(self) -> None:
        self._end(SocketStream.close)

    def abort(self) -> None:
        self._end(SocketStream.abort)

    async def wait_closed(self) -> Exception | None:
        if self._ended is None:
            self._ended = asyncio.Event()
            self._settle()
        await self._ended.wait()
        return None

    def _check(self) -> None:
        if self._state != "open":
            raise SessionLost(Code.SESSION_LOST, f"{self.host} is closed", host=self.host)

    def _adopt(self, receiver: R, sock: socket.socket) -> tuple[Stream, R]:
        stream = SocketStream(sock, receiver, self._forget, self._space)
        self._streams.add(stream)
        stream.start()
        return stream, receiver

    def _listen(self, accept: Accept, sockets: list[socket.socket], path: str | None = None) -> SocketListener:
        at_once: Callable[[Callable[[], Peer]], Receiver | None] | None = getattr(accept, "at_once", None)

        def accepted(sock: socket.socket, address: Any) -> None:
            receiver = at_once(partial(_peer, address)) if at_once is not None else None
            if receiver is not None:
                self._adopt(receiver, sock)
                return
            task = asyncio.create_task(self._serve(accept, sock, address))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        listener = SocketListener(sockets, accepted, path)
        listener.on_close = self._listeners.discard
        self._listeners.add(listener)
        return listener

    async def _serve(self, accept: Accept, sock: socket.socket, address: Any) -> None:
        """One accepted connection: nothing is read from it before ``accept`` has returned who receives."""
        try:
            receiver = await accept(_peer(address))
        except Exception:  # noqa: BLE001 - whatever it raises means no; who raised it reports it
            reset(sock)
            return
        except BaseException:
            reset(sock)
            raise
        self._adopt(receiver, sock)

    def _forget(self, stream: SocketStream) -> None:
        self._streams.discard(stream)
        self._settle()

    def _end(self, end_stream: Callable[[SocketStream], None]) -> None:
        self._state = "closing" if self._state == "open" else self._state
        for listener in list(self._listeners):
            listener.close()
        for task in self._tasks:
            task.cancel()
        for stream in list(self._streams):
            end_stream(stream)
        self._settle()

    def _settle(self) -> None:
        if self._state != "open" and not self._streams:
            self._state = "closed"
            if self._ended is not None:
                self._ended.set()


def _peer(address: Any) -> Peer:
    """Who has that address; a program that connects to a Unix socket has none, or the path that it bound."""
    if not isinstance(address, tuple):
        return Peer(host=None, port=None, text="a local program")
    host, port, *_ = address
    return Peer(host=host, port=port, text=str(Endpoint(host, port)))
