"""A server reached by the system's ssh, as a place: it dials and runs by channels, and listens by the master."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Callable, Coroutine
from itertools import count
from pathlib import Path
from typing import Any, Literal, TypeVar

from orchestra.diagnostics import Code
from orchestra.model.address import WILDCARD, Endpoint, UnixPath
from orchestra.model.text import clean
from orchestra.session import ssh
from orchestra.session.errors import DialRefused, SessionError, SessionLost
from orchestra.session.here import Here
from orchestra.session.null import NullReceiver
from orchestra.session.protocols import Accept, Listener, Peer, Process, Receiver, Stream

from . import complaints, mux
from .carrying import Carrier
from .channel import Channel, CommandChannel, Refusal
from .connection import Connection
from .control import Control, Refused
from .forwarding import TURNS, RemoteListener, Vouched, vouched
from .master import Master
from .wire import Malformed, string, uint32

R = TypeVar("R", bound=Receiver)
C = TypeVar("C", bound=Channel)

DRAIN = 5.0
"""Seconds that a good end waits for queued data."""
IMPATIENCE = 1.0
"""Seconds that an ssh may take to end when it has hung up on us."""
MOST_REFUSED = 8192
"""Channels that may be refused before the session is given up: ssh never forgets one that was, and ends itself at
16384 (CHANNELS_MAX_CHANNELS; channel_proxy_upstream, as of OpenSSH 10)."""
_ORIGINATOR = string("127.0.0.1") + uint32(0)


class OpenSshSession:
    """One master, and everything that goes through it. Made by :mod:`.opening`."""

    is_here = False

    def __init__(
        self, host: str, master: Master, log: complaints.Log, here: Here, carrier: Carrier | None, directory: Path
    ) -> None:
        self.host = host
        self._master, self._log, self._here = master, log, here
        self._carrier, self._directory = carrier, directory
        self._connection: Connection | None = None
        self._asking: Control | None = None
        self._vouching: Control | None = None
        self._state: Literal["open", "closing", "closed"] = "open"
        self._reason: Exception | None = None
        self._given_up: str | None = None
        self._impatience: asyncio.TimerHandle | None = None
        self._ended, self._idle = asyncio.Event(), asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._listeners: set[RemoteListener] = set()
        self._accepted: set[Vouched] = set()
        self._binding = asyncio.Lock()
        self._numbers = count()
        self._end: asyncio.Task[None] | None = None

    def start(self, connection: Connection, asking: Control, vouching: Control) -> None:
        """The connection is ours."""
        self._connection, self._asking, self._vouching = connection, asking, vouching
        connection.on_idle = self._settle
        self._end = asyncio.get_running_loop().create_task(self._wait_for_the_end())

    @property
    def state(self) -> Literal["open", "closing", "closed"]:
        return self._state

    async def create_connection(self, make: Callable[[], R], host: str, port: int) -> tuple[Stream, R]:
        fields = string(host) + uint32(port) + _ORIGINATOR
        return await self._dial(make, "direct-tcpip", fields, str(Endpoint(host, port)))

    async def create_unix_connection(self, make: Callable[[], R], path: str) -> tuple[Stream, R]:
        fields = string(path) + string("") + uint32(0)  # PROTOCOL of OpenSSH, section 2.4
        return await self._dial(make, "direct-streamlocal@openssh.com", fields, str(UnixPath(path)))

    async def create_server(self, accept: Accept, host: str, port: int) -> Listener:
        return await self._listen(accept, host or WILDCARD, port, str(Endpoint(host, port)))

    async def create_unix_server(self, accept: Accept, path: str) -> Listener:
        return await self._listen(accept, path, mux.PATH, str(UnixPath(path)))

    async def create_process(self, make: Callable[[], R], command: str) -> tuple[Process, R]:
        def prepare(channel: CommandChannel) -> None:
            channel.command = command

        answer = await self._open(CommandChannel, make, "session", b"", prepare)
        if isinstance(answer, Refusal):
            raise ssh.command_refused(self.host, answer.words)
        return answer, answer.receiver  # type: ignore[return-value] # it was made by make

    async def ping(self) -> None:
        """Opens a channel that nothing is done with: the server answers, and remembers nothing of it."""
        answer = await self._open(Channel, NullReceiver, "session", b"")
        if isinstance(answer, Channel):
            answer.abort()

    def close(self) -> None:
        if self._state == "open":
            self._state = "closing"
            self.spawn(self._close())

    def abort(self) -> None:
        if self._state != "closed":
            self._state = "closing"
            self._master.kill()

    async def wait_closed(self) -> Exception | None:
        await self._ended.wait()
        return self._reason

    # What the master tells.

    def hung_up(self, fault: Exception | None) -> None:
        """A conversation with it has ended, so it is about to; what it wrote may have been nonsense."""
        if isinstance(fault, Malformed):
            self._give_up(f"ssh wrote what cannot be understood: {clean(str(fault))}")
        elif self._impatience is None and self._state != "closed":
            loop, why = asyncio.get_running_loop(), "ssh does not talk to us any more"
            self._impatience = loop.call_later(IMPATIENCE, self._give_up, why)

    def _give_up(self, why: str) -> None:
        self._given_up = why
        self._master.kill()

    async def _wait_for_the_end(self) -> None:
        await self._master.ended.wait()
        if self._impatience is not None:
            self._impatience.cancel()
        loss = self._loss()
        self._reason = None if self._state == "closing" else loss
        self._state = "closed"
        if self._carrier is not None:
            self._carrier.abort()
        shutil.rmtree(self._directory, ignore_errors=True)
        for listener in list(self._listeners):
            listener.ended()
        for stream in list(self._accepted):
            stream.lost(loss)
        if self._connection is not None:
            self._connection.lost(loss)
        for task in list(self._tasks):
            task.cancel()
        self._here.abort()
        self._ended.set()

    def _loss(self) -> SessionError:
        """Why everything ends with the session."""
        if self._state == "closing":
            return SessionLost(Code.SESSION_LOST, f"the session to {self.host} was closed", host=self.host)
        below = self._carrier.loss if self._carrier is not None else None
        if isinstance(below, SessionError):
            why = f"the session to {self.host} was lost: {below}"
            return SessionLost(Code.SESSION_LOST, why, host=below.host, suggestion=below.suggestion)
        return complaints.session_lost(self._log, self.host, self._master.status, self._given_up)

    # What the listeners need.

    async def vouch(self) -> Exception | None:
        """Why the connection is lost; None when the master has answered."""
        try:
            if self._vouching is not None:
                await self._vouching.ask(mux.ALIVE_CHECK)
        except (Refused, ConnectionError):
            await self._ended.wait()
            return self._reason or self._loss()
        return None

    def attach(self, stream: Vouched) -> None:
        """It was accepted."""
        self._accepted.add(stream)

    def detach(self, stream: Vouched) -> None:
        """It has ended."""
        self._accepted.discard(stream)
        self._settle()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs it beside, as long as there is a session."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # How it is done.

    def _check(self) -> Connection:
        if self._state != "open" or self._connection is None:
            raise self._reason or self._loss()
        return self._connection

    async def _dial(self, make: Callable[[], R], kind: str, fields: bytes, address: str) -> tuple[Stream, R]:
        answer = await self._open(Channel, make, kind, fields)
        if isinstance(answer, Refusal):
            raise ssh.dial_refused(self.host, address, answer.code, answer.words)
        if answer.receiver is None or answer.state == "closed":
            what = f"{self.host} dials {address}: it could not be received"
            raise DialRefused(Code.DIAL_FAILED, what, host=self.host)
        return answer, answer.receiver  # type: ignore[return-value] # it was made by make

    async def _open(
        self,
        channel_type: type[C],
        make: Callable[[], Receiver],
        kind: str,
        fields: bytes,
        prepare: Callable[[C], None] = lambda _: None,
    ) -> C | Refusal:
        """Asks for a channel and waits for the answer. Raises SessionLost; cancelled, it is closed as soon as it
        opens."""
        connection = self._check()
        answered: asyncio.Future[Refusal | None] = asyncio.get_running_loop().create_future()

        def settle(answer: Refusal | Exception | None) -> None:
            if answered.done():
                return
            if isinstance(answer, Exception):
                answered.set_exception(answer)
            else:
                answered.set_result(answer)

        channel = connection.open(channel_type, make, settle, kind, fields)
        prepare(channel)
        try:
            refusal = await answered
        except BaseException:
            channel.abort()
            raise
        if refusal is not None and connection.refused >= MOST_REFUSED and not len(connection):
            self._give_up(f"{connection.refused} refused dials are all that one ssh can bear; it is started anew")
        return channel if refusal is None else refusal

    async def _listen(self, accept: Accept, host: str, port: int, address: str) -> Listener:
        """One request at a time, so that the server's remarks can be told apart."""
        async with self._binding:
            self._check()
            self._log.remarks.clear()
            near = str(self._directory / f"l{next(self._numbers)}")
            bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()

            async def who() -> Peer:
                return await self._log.origins.next(await asyncio.shield(bound), self.host)

            listener = await self._here.create_unix_server(vouched(accept, who, self), near)
            forward = mux.Forward(host=host, port=port, to=near)
            asked = asyncio.ensure_future(self._request(forward, address))
            try:
                number = await asyncio.shield(asked)
            except asyncio.CancelledError:
                asked.add_done_callback(lambda done: self._withdraw(done, forward))
                listener.close()
                raise
            except SessionError:
                listener.close()
                raise
            bound.set_result(number)
            return self._listening(forward, number, listener)

    def _listening(self, forward: mux.Forward, number: int, near: Listener) -> RemoteListener:
        async def cancel() -> None:
            await self._cancel(forward)
            self._log.origins.forget(number)
            self._listeners.discard(remote)

        widened = next((said for said in self._log.remarks if "overridden" in said), None)
        remote = RemoteListener(0 if forward.port == mux.PATH else number, near, cancel, widened)
        self._listeners.add(remote)
        return remote

    async def _request(self, forward: mux.Forward, address: str) -> int:
        """The port that the server listens on. Raises BindRefused and SessionLost."""
        assert self._asking is not None  # noqa: S101 - the session is open
        try:
            answer = await self._asking.ask(mux.OPEN_FORWARD, forward.fields())
        except Refused as error:
            await self._read_on()
            raise ssh.bind_refused(self.host, address, self._log.remarks) from error
        except ConnectionError:
            await self._ended.wait()
            raise self._reason or self._loss() from None
        await self._read_on()
        return answer.number or forward.port

    async def _cancel(self, forward: mux.Forward) -> None:
        """Takes a listener back; the server has heard of it when this returns."""
        if self._asking is not None:
            with contextlib.suppress(Refused, ConnectionError, SessionError):
                await self._asking.ask(mux.CLOSE_FORWARD, forward.fields())
                await self.ping()

    def _withdraw(self, asked: asyncio.Future[int], forward: mux.Forward) -> None:
        """Nobody waits for the listener that was just opened."""
        if not asked.cancelled() and asked.exception() is None and self._state != "closed":
            self.spawn(self._cancel(forward))

    async def _read_on(self) -> None:
        """What the master wrote before its answer has been read."""
        for _ in range(TURNS):
            await asyncio.sleep(0)

    def _settle(self) -> None:
        if self._state == "closing" and not self._connection and not self._accepted:
            self._idle.set()

    async def _close(self) -> None:
        """Sends what is queued, waits for the server to take it, then ends ssh."""
        self._settle()
        if self._connection is not None:
            self._connection.finish(self._loss())
        for stream in list(self._accepted):
            stream.finish()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN):
                await self._idle.wait()
        with contextlib.suppress(Refused, ConnectionError, TimeoutError):
            async with asyncio.timeout(IMPATIENCE):
                if self._asking is not None:
                    await self._asking.ask(mux.TERMINATE)
        await self._master.stop()
