"""A helper at a server, over one channel of its session: started, recognised, fed and watched."""

from __future__ import annotations

import asyncio
import secrets

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.model.address import Endpoint
from orchestra.model.text import clean
from orchestra.session import BindRefused, Process, Session, SessionLost, Stream

from . import wire
from .distant import BIND_REFUSALS, HelperFlow, HelperListener, where
from .helper import MISSING, TIERS, Tier
from .station import Flow, Listening, Party, Treatment, Visited
from .turn import Turn

WINDOW = 256 * 1024
"""Bytes that may be under way in each direction: what a datagram may find in front of it."""
NOISE = 64 * 1024
"""Bytes that login files may print before the helper speaks."""
HELLO_DEADLINE = 10.0
PING_EVERY = 15.0
PINGS_MISSED = 3
NONCE = 16
REFUSED = "ECONNREFUSED"


class NoInterpreter(Exception):
    """The host does not have the language of this tier."""


class HelperFailed(RuntimeFailure):
    """It has the language, or so it seems, and the helper ended before it said anything."""


async def start_helper(session: Session, tiers: tuple[Tier, ...] = TIERS, turn: Turn | None = None) -> Channel:
    """Runs the first helper that the host has a language for. Raises RuntimeFailure (HELPER_FAILED), SessionLost or
    Unsupported; then, and when it is cancelled, nothing is left running."""
    failure: RuntimeFailure | None = None
    for tier in tiers:
        channel = Channel(session, tier, turn or Turn())
        try:
            await channel.start()
        except NoInterpreter:
            continue
        except HelperFailed as error:  # a language that does not start there: another may
            failure = failure or error
        else:
            return channel
    if failure is not None:
        raise failure
    names = " nor ".join(tier.name for tier in tiers)
    raise RuntimeFailure(
        Code.HELPER_FAILED,
        f"{session.host} has neither {names}, one of which carries UDP there",
        host=session.host,
        suggestion="install one of them there, let another server dial, or write `udp: {allow_degraded: true}`",
    )


class Channel:
    """A :class:`~.station.Station` at a server; towards the session the receiver of a process."""

    def __init__(self, session: Session, tier: Tier, turn: Turn) -> None:
        self._session, self._tier, self._turn = session, tier, turn
        self._loop = asyncio.get_running_loop()
        self._nonce = secrets.token_bytes(NONCE)
        self._parser, self._outbox = wire.Parser(), wire.Outbox(WINDOW)
        self._process: Process | None = None
        self._noise = b""
        self._hello: asyncio.Future[None] = self._loop.create_future()
        self._flows: dict[int, HelperFlow] = {}
        self._listeners: dict[int, HelperListener] = {}
        self._next = 2
        self._acknowledged = 0
        self._unanswered = 0
        self._scheduled = False
        self._timer: asyncio.TimerHandle | None = None
        self._pinging: asyncio.TimerHandle | None = None
        self.language = tier.name
        """What the helper says that it is."""
        self.over = asyncio.Event()
        """Set when the helper is gone."""
        self.why = ""

    # Its life.

    async def start(self) -> None:
        """Runs the helper and waits for its word. Raises NoInterpreter, RuntimeFailure, SessionLost, Unsupported."""
        text = self._tier.text(self._nonce, WINDOW)
        try:
            process, _ = await self._session.create_process(lambda: self, self._tier.command(len(text)))
            self._process = process
            process.write(text)
            async with asyncio.timeout(HELLO_DEADLINE):
                await self._hello
        except TimeoutError:
            self._abort("")
            raise self._failure(f"said nothing within {HELLO_DEADLINE:g} seconds") from None
        except BaseException:
            self._abort("")
            raise
        self._pinging = self._loop.call_later(PING_EVERY, self._ping)

    @property
    def about(self) -> str:
        return f"{self.language} at {self._session.host}"

    def close(self) -> None:
        """Ends the helper by the end of its input; it is gone within a second."""
        self._abort("it was closed")

    def _abort(self, why: str) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.close()
        self._ended(why)

    def _ended(self, why: str) -> None:
        if self.over.is_set():
            return
        self.why = why
        self.over.set()
        for timer in (self._timer, self._pinging):
            if timer is not None:
                timer.cancel()
        for number, flow in list(self._flows.items()):
            self._outbox.forget(number)
            flow.lost(why)
        for listener in list(self._listeners.values()):
            listener.lost(why)
        self._tell_dropped()
        self._flows.clear()
        self._listeners.clear()

    def _failure(self, what: str) -> HelperFailed:
        noise = clean(self._noise.strip().split(b"\n")[0], 200)
        process = self._process
        error = clean(process.stderr_tail().strip().rsplit(b"\n", 1)[-1], 200) if process is not None else ""
        said = error or noise
        return HelperFailed(
            Code.HELPER_FAILED,
            f"{self._session.host} was to run {self._tier.name} to carry UDP, and it {what}"
            + (f"; it said: {said}" if said else ""),
            host=self._session.host,
            suggestion="the account needs a shell that runs commands: no forced command, no nologin",
        )

    def _ping(self) -> None:
        if self._unanswered >= PINGS_MISSED:
            self._abort(f"the helper at {self._session.host} does not answer")
            return
        self._unanswered += 1
        self.control(wire.frame(wire.PING, 0))
        self._pinging = self._loop.call_later(PING_EVERY, self._ping)

    # The receiver of its process.

    def connection_made(self, stream: Stream, /) -> None:
        """Nothing is sent before there is a process."""

    def eof_received(self) -> bool | None:
        return None

    def pause_writing(self) -> None:
        self._outbox.paused = True

    def resume_writing(self) -> None:
        self._outbox.paused = False
        self.wake()

    def connection_lost(self, exc: Exception | None, /) -> None:
        if not self._hello.done():
            self._hello.set_exception(self._early_end(exc))
            self._hello.exception()  # who waits is told, if anybody still does
        why = clean(str(exc)) if exc is not None else f"the helper at {self._session.host} ended"
        self._process = None
        self._ended(why)

    def _early_end(self, exc: Exception | None) -> Exception:
        if isinstance(exc, SessionLost):
            return exc
        status = self._process.exit_status if self._process is not None else None
        if status == MISSING:
            return NoInterpreter()
        return self._failure(f"ended at once with status {status}" if status is not None else "ended at once")

    def data_received(self, data: bytes, /) -> None:
        if not self._hello.done():
            found = self._greeted(data)
            if found is None:
                return
            data = found
        with self._turn:
            for kind, flags, number, body in self._parser.feed(data):
                if kind == wire.DATA:
                    flow = self._flows.get(number)
                    if flow is not None:
                        flow.received(body)
                elif kind == wire.ACK:
                    self._outbox.acknowledge(number)
                else:
                    self._heard(kind, flags, number, body)
            if self._outbox.queues or self._parser.received - self._acknowledged >= wire.ACK_EVERY:
                self.wake()

    def _greeted(self, data: bytes) -> bytes | None:
        """What follows the noise, from the helper's first frame on; None as long as it has not come."""
        self._noise += data
        at = self._noise.find(self._nonce) - wire.HEADER.size
        if at >= 0:
            kind, _, size, version = wire.HEADER.unpack_from(self._noise, at)
            end = at + wire.HEADER.size + size
            if kind == wire.HELLO and len(self._noise) >= end:
                self.language = clean(self._noise[at + wire.HEADER.size + NONCE : end], 60)
                rest, self._noise = self._noise[at:], b""
                if version == wire.VERSION:
                    self._hello.set_result(None)
                else:
                    self._hello.set_exception(self._failure(f"speaks version {version} of the frames"))
                return rest
        elif len(self._noise) > NOISE:
            self._hello.set_exception(self._failure("printed more than 64 KiB of something else first"))
        return None

    def _heard(self, kind: int, flags: int, number: int, body: bytes) -> None:
        """Everything but datagrams and acknowledgements; what makes no sense is skipped."""
        flow = self._flows.get(number)
        if kind == wire.PONG:
            self._unanswered = 0
        elif kind == wire.ERROR and flow is not None:
            flow.noted("refused" if body == REFUSED.encode() else "unreachable", 1)
        elif kind == wire.DROPPED and len(body) >= wire.WHERE.size:
            cause = clean(body[wire.WHERE.size :], 20)
            self._dropped(number, cause if cause in wire.CAUSES else "unreachable", wire.WHERE.unpack_from(body)[2])
        elif kind == wire.CLOSE and flow is not None:
            if flow.closing:
                del self._flows[number]
            else:
                flow.end(clean(body))
        elif kind == wire.OPENED and flow is not None:
            flow.address = clean(body, 60)
        elif kind == wire.BOUND and (listener := self._listeners.get(number)) is not None:
            listener.bound(failed=bool(flags & wire.FAILED), body=body)
        elif kind == wire.PEER and len(body) > wire.WHERE.size:
            port, _, where = wire.WHERE.unpack_from(body)
            if (listener := self._listeners.get(where)) is not None and number % 2 and flow is None:
                listener.arrived(number, clean(body[wire.WHERE.size :], 60), port)

    def _dropped(self, number: int, cause: str, count: int) -> None:
        owner = self._flows.get(number) or self._listeners.get(number)
        if owner is not None:
            owner.noted(cause, count)

    # What flows and listeners need of it.

    def control(self, data: bytes) -> None:
        """Sends a frame that is no datagram."""
        self._outbox.control(data)
        self.wake()

    def datagram(self, number: int, data: bytes, policy: wire.Policy) -> None:
        """Sends a datagram."""
        if not self._outbox.passes(number, data):
            self._outbox.datagram(number, data, policy, self._loop.time())
        self.wake()

    def wake(self) -> None:
        """Everything that there is to send goes in one write, when the turn is over."""
        if not self._scheduled:
            self._scheduled = True
            self._turn.at_its_end(self._flush)

    def forget(self, number: int) -> None:
        """What waits of a flow that ends is dropped."""
        self._outbox.forget(number)

    def _flush(self) -> None:
        self._scheduled = False
        outbox = self._outbox
        soonest = self._release() if outbox.queues else None
        if outbox.dropped:
            self._tell_dropped()
        if self._parser.received - self._acknowledged >= wire.ACK_EVERY:
            self._acknowledged = self._parser.received
            outbox.control(wire.frame(wire.ACK, self._acknowledged & wire.WRAP))
        data = outbox.take()
        if data and self._process is not None:
            self._process.write(data)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if soonest is not None and not self.over.is_set():
            self._timer = self._loop.call_at(soonest + 0.001, self.wake)

    def _release(self) -> float | None:
        """What fits by now; when the first of the rest will be too old."""
        now = self._loop.time()
        self._outbox.release(now)
        return self._outbox.expire(now)

    def _tell_dropped(self) -> None:
        """What our own outbox has dropped."""
        dropped, self._outbox.dropped = self._outbox.dropped, {}
        for (number, cause), count in dropped.items():
            self._dropped(number, cause, count)

    # The Station.

    def flow(self, party: Party, host: str, port: int, treatment: Treatment) -> Flow:
        flow = HelperFlow(self, self._number(), treatment.policy)
        flow.party = party
        if self.over.is_set():
            self._loop.call_soon(flow.lost, self.why)
            return flow
        self._flows[flow.number] = flow
        self.control(wire.frame(wire.OPEN, flow.number, *where(host, port, treatment)))
        return flow

    async def listen(self, visited: Visited, host: str, port: int, treatment: Treatment) -> Listening:
        if self.over.is_set():
            raise SessionLost(Code.SESSION_LOST, f"the helper at {self._session.host} is gone: {self.why}")
        listener = HelperListener(self, self._number(), visited, treatment.policy)
        self._listeners[listener.number] = listener
        self.control(wire.frame(wire.BIND, listener.number, *where(host, port, treatment)))
        try:
            refusal = await listener.outcome
        except BaseException:
            listener.close()
            raise
        if refusal is None:
            return listener
        self._listeners.pop(listener.number, None)
        code, what, hint = BIND_REFUSALS.get(refusal, (Code.LISTEN_FAILED, refusal, None))
        message = f"{self._session.host} cannot listen on {Endpoint(host, port)} by UDP: {what}"
        raise BindRefused(code, message, host=self._session.host, suggestion=hint)

    def adopt(self, flow: HelperFlow) -> None:
        """A flow that a peer has opened at a listener."""
        self._flows[flow.number] = flow

    def drop_listener(self, listener: HelperListener) -> None:
        """It is closed from here."""
        if self._listeners.pop(listener.number, None) is not None and not self.over.is_set():
            self.control(wire.frame(wire.CLOSE, listener.number))

    def _number(self) -> int:
        number = self._next
        while number in self._flows or number in self._listeners:
            number = (number + 2) & wire.WRAP or 2
        self._next = (number + 2) & wire.WRAP or 2
        return number
