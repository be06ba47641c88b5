"""Listeners at the server: the master dials a Unix socket of ours for each connection that they accept.

What was accepted is confirmed by the master before we hear of it, so a refusal closes it instead. And a master that
is killed ends such a socket as an end of file does: so each is asked about, see :class:`Vouched`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from orchestra.model.address import Endpoint
from orchestra.session.protocols import Accept, Listener, Peer, Receiver, Stream

TURNS = 2
"""Turns of the loop after which what the master wrote before it dialed us has been read."""
ORIGINS_KEPT = 1024


class Voucher(Protocol):
    """What the session does for its listeners."""

    async def vouch(self) -> Exception | None:
        """Why the connection is lost; None when the master lives."""
        ...

    def attach(self, stream: Vouched) -> None: ...
    def detach(self, stream: Vouched) -> None: ...
    def spawn(self, work: Coroutine[Any, Any, None]) -> None: ...


class Origins:
    """Who connected to which port of the server, as the master tells before it dials us; the oldest first."""

    def __init__(self) -> None:
        self._waiting: defaultdict[int, deque[tuple[str, int]]] = defaultdict(lambda: deque(maxlen=ORIGINS_KEPT))

    def came(self, port: int, origin: tuple[str, int]) -> None:
        """Somebody connected to that port there."""
        self._waiting[port].append(origin)

    async def next(self, port: int, server: str) -> Peer:
        """Who made the connection that has just come."""
        for _ in range(TURNS):
            await asyncio.sleep(0)
        if not (waiting := self._waiting.get(port)):
            return Peer(host=None, port=None, text=f"a program on {server}")
        host, number = waiting.popleft()
        return Peer(host=host, port=number, text=str(Endpoint(host, number)))

    def forget(self, port: int) -> None:
        """Nobody listens there any more."""
        self._waiting.pop(port, None)


class Vouched:
    """Stands between such a socket and who receives. An end of file is passed on when the master has answered after
    it: then it was the server's own."""

    def __init__(self, receiver: Receiver, voucher: Voucher) -> None:
        self._receiver, self._voucher = receiver, voucher
        self._stream: Stream | None = None
        self._ended = False
        self.data_received = receiver.data_received
        self.pause_writing = receiver.pause_writing
        self.resume_writing = receiver.resume_writing

    def connection_made(self, stream: Stream, /) -> None:
        self._stream = stream
        self._voucher.attach(self)
        self._receiver.connection_made(stream)

    def eof_received(self) -> bool | None:
        self._voucher.spawn(self._pass_on())
        return True

    def connection_lost(self, exc: Exception | None, /) -> None:
        self.lost(exc)

    def finish(self) -> None:
        """Sends what is queued and says so; the peer is to end it."""
        if self._stream is not None:
            self._stream.write_eof()

    def lost(self, reason: Exception | None) -> None:
        """It has ended, or the connection that it came by."""
        if not self._ended:
            self._ended = True
            self._voucher.detach(self)
            if self._stream is not None:
                self._stream.abort()
            self._receiver.connection_lost(reason)

    async def _pass_on(self) -> None:
        reason = await self._voucher.vouch()
        if self._ended or self._stream is None:
            return
        if reason is not None:
            self.lost(reason)
        elif not self._receiver.eof_received():
            self._stream.close()


class RemoteListener:
    """A listener at the server, and the socket here that stands for it."""

    def __init__(
        self, port: int, near: Listener, cancel: Callable[[], Coroutine[Any, Any, None]], widened: str | None
    ) -> None:
        self.port, self.widened = port, widened
        self._near, self._cancel = near, cancel
        self._closing: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()

    def close(self) -> None:
        """Stops accepting; what is on its way is let in until the server has heard of it."""
        if self._closing is None and not self._closed.is_set():
            self._closing = asyncio.get_running_loop().create_task(self._close())

    def ended(self) -> None:
        """It went with its session."""
        self._near.close()
        self._closed.set()

    async def wait_closed(self) -> None:
        await self._closed.wait()

    async def _close(self) -> None:
        await self._cancel()
        self.ended()


def vouched(accept: Accept, who: Callable[[], Coroutine[Any, Any, Peer]], voucher: Voucher) -> Accept:
    """The accept of the socket here."""

    async def accepted(_peer: Peer) -> Receiver:
        return Vouched(await accept(await who()), voucher)

    return accepted
