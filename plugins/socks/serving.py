"""The kind: listens to one client's handshake, dials what it asks for from the exit, answers, and carries; or opens an
association, by which it sends datagrams."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.plugin.interfaces import TunnelContext
from orchestra.session import Accept, Peer, Receiver, Stream

from .allow import Judge
from .handshake import Handshake
from .request import Cause, DatagramRequest, Login, Request

if TYPE_CHECKING:
    from .associations import Association, Associations

HANDSHAKE = 10.0
"""Seconds that a client has for its whole handshake."""
LINGER = 2.0
"""Seconds that a client who was refused has to read the answer and hang up."""

CAUSES = {
    Code.NOT_ALLOWED: Cause.NOT_ALLOWED,
    Code.FORWARD_REFUSED: Cause.NOT_ALLOWED,
    Code.CONNECT_REFUSED: Cause.REFUSED,
    Code.CONNECT_TIMEOUT: Cause.TIMED_OUT,
    Code.NAME_UNRESOLVED: Cause.HOST_UNREACHABLE,
    Code.TRANSPORT_CANNOT: Cause.UNSUPPORTED,
}
WORDS = {
    "network is unreachable": Cause.NETWORK_UNREACHABLE,
    "errno 101": Cause.NETWORK_UNREACHABLE,
    "no route to host": Cause.HOST_UNREACHABLE,
    "host is unreachable": Cause.HOST_UNREACHABLE,
    "errno 113": Cause.HOST_UNREACHABLE,
    "timed out": Cause.TIMED_OUT,
}
"""What systems say of a dial (strerror(3)), or servers in their place; SSH carries no number for it (RFC 4254
section 5.1)."""


def serve(context: TunnelContext) -> Accept:
    """Each who connects is a client of its own."""
    from .associations import Associations

    judge, login = Judge(context), login_of(context)
    associations = Associations(context, judge)

    async def accept(peer: Peer) -> Receiver:
        return ProxyClient(context, peer, judge, associations, await login())

    return accept


def login_of(context: TunnelContext) -> Callable[[], Awaitable[Login | None]]:
    """Reads the tunnel's user and password when they are needed first; whoever comes meanwhile waits."""
    wanted, reading, known = context.tunnel.spec.options.get("login"), asyncio.Lock(), list[Login]()

    async def login() -> Login | None:
        if wanted is None:
            return None
        try:
            async with asyncio.timeout(HANDSHAKE), reading:
                if not known:
                    password = await context.read_secret(wanted["password"])
                    known.append(Login(wanted["user"].encode(), password))
        except TimeoutError:
            what = f"the password for clients of {context.tunnel.name} did not come within {HANDSHAKE:g} seconds"
            raise RuntimeFailure(Code.SECRET_UNAVAILABLE, what) from None
        return known[0]

    return login


class ProxyClient:
    """One client. ``asking``: its handshake; ``dialing``: it waits for the exit; ``carrying``: the relay has taken
    over; ``associated``: it sends datagrams, for as long as this connection lasts; ``ending``: it was refused, and what
    it still sends is dropped, lest a reset overtakes the answer."""

    def __init__(
        self, context: TunnelContext, peer: Peer, judge: Judge, associations: Associations, login: Login | None
    ) -> None:
        self._context, self._peer, self._judge, self._associations = context, peer, judge, associations
        self._handshake = Handshake(login)
        self._phase: Literal["asking", "dialing", "carrying", "associated", "ending"] = "asking"
        self._stream: Stream | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._dial: asyncio.Task[None] | None = None
        self._relay: Receiver | None = None
        self._association: Association | None = None
        self._early = b""
        self._eof = self._full = False

    # What the listener tells.

    def connection_made(self, stream: Stream, /) -> None:
        self._stream = stream
        self._timer = asyncio.get_running_loop().call_later(HANDSHAKE, self._expire)

    def data_received(self, data: bytes, /) -> None:
        if self._phase == "carrying" and self._relay is not None:
            self._relay.data_received(data)
        elif self._phase == "asking":
            self._hear(data)
        elif self._phase == "dialing":
            self._early += data

    def eof_received(self) -> bool | None:
        self._eof = True
        if self._phase == "carrying" and self._relay is not None:
            return self._relay.eof_received()
        return self._phase == "dialing"

    def pause_writing(self) -> None:
        self._full = True
        if self._relay is not None:
            self._relay.pause_writing()

    def resume_writing(self) -> None:
        self._full = False
        if self._relay is not None:
            self._relay.resume_writing()

    def connection_lost(self, exc: Exception | None, /) -> None:
        self._set_timer(None)
        if self._dial is not None:
            self._dial.cancel()
        if self._relay is not None:
            self._relay.connection_lost(exc)
        if self._association is not None:
            self._association.close()

    # What it does.

    @property
    def _client(self) -> Stream:
        assert self._stream is not None  # noqa: S101 - nothing happens before
        return self._stream

    def _hear(self, data: bytes) -> None:
        reply = self._handshake.feed(data)
        if self._handshake.refused is not None:
            self._misunderstood(self._handshake.refused, reply)
            return
        if reply:
            self._client.write(reply)
        if self._handshake.request is not None:
            self._phase, self._early = "dialing", self._handshake.rest()
            self._set_timer(None)
            self._client.pause_reading()
            self._dial = asyncio.create_task(self._open(self._handshake.request))

    async def _open(self, request: Request | DatagramRequest) -> None:
        try:
            if isinstance(request, DatagramRequest):
                await self._associate(request)
            else:
                self._judge.require(request.host, request.port)
                self._carry(request, await self._context.relay(request.host, request.port))
        except Exception as error:  # noqa: BLE001 - whatever it is, the client waits for an answer
            failure = self._context.failed(self._peer, error)
            self._end(request.refusal(cause_of(failure), failure.message))

    async def _associate(self, request: DatagramRequest) -> None:
        """Where the client sends its datagrams to is told by the answer; whatever else it says here is dropped."""
        self._association = await self._associations.open(self._peer, self._client, request.port, self._sever)
        self._client.write(request.granted(self._association.host, self._association.port))
        self._phase, self._early = "associated", b""
        self._client.resume_reading()
        if self._eof:
            self._client.close()

    def _sever(self, why: str) -> None:
        """The socket of the association is gone; the client has to begin anew."""
        self._context.failed(self._peer, RuntimeFailure(Code.SESSION_LOST, f"{self._peer.text}: {why}"))
        self._client.abort()

    def _carry(self, request: Request, relay: Receiver) -> None:
        """The relay takes over. What comes while it does so still goes behind what came early."""
        self._client.write(request.granted)
        self._relay = relay
        relay.connection_made(self._client)
        if self._full:
            relay.pause_writing()
        if self._early:
            relay.data_received(self._early)
        self._phase, self._early = "carrying", b""
        if self._eof:
            relay.eof_received()

    def _expire(self) -> None:
        self._misunderstood(f"the client did not ask for anything within {HANDSHAKE:g} seconds", b"")

    def _misunderstood(self, why: str, reply: bytes) -> None:
        self._context.failed(self._peer, RuntimeFailure(Code.PROTOCOL_ERROR, f"{self._peer.text}: {why}"))
        self._end(reply)

    def _end(self, reply: bytes) -> None:
        self._phase = "ending"
        self._set_timer(LINGER)
        if reply:
            self._client.write(reply)
        if self._eof:
            self._client.close()
            return
        self._client.write_eof()
        self._client.resume_reading()

    def _set_timer(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._client.abort)


def cause_of(failure: RuntimeFailure) -> Cause:
    """Why a dial failed, as far as it is known."""
    if failure.code in CAUSES:
        return CAUSES[failure.code]
    said = failure.message.lower()
    return next((cause for words, cause in WORDS.items() if words in said), Cause.FAILED)
