"""One tunnel while it is open: what its kind and its check may do, the connections it carries, and its counters."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from orchestra.diagnostics import Code
from orchestra.engine.accepting import Joining, Tracked
from orchestra.engine.fences import RECEIVER, plugin_failed, whole
from orchestra.engine.passage import Passage
from orchestra.engine.relay import End, Relay
from orchestra.engine.usage import Usage, Use
from orchestra.errors import RuntimeFailure
from orchestra.model.events import ConnectionFailed
from orchestra.model.measures import Durations
from orchestra.model.plan import PlannedTunnel
from orchestra.session.errors import DialRefused, SessionLost
from orchestra.session.protocols import Receiver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from orchestra.engine.dialing import Caps
    from orchestra.engine.passage import Again
    from orchestra.engine.places import Places
    from orchestra.model.events import Event
    from orchestra.model.status import TunnelStatus
    from orchestra.plugin.interfaces import ReadSecret, TunnelContext
    from orchestra.session.protocols import Accept, Peer, Session, Stream

R = TypeVar("R", bound=Receiver)
T = TypeVar("T")

GRACE = 5.0
"""Seconds that a kind has for its own part of an accept, beyond waiting for the path and the dial."""


class OpenTunnel:
    """A :class:`~orchestra.plugin.interfaces.TunnelContext`, and what the engine does with it."""

    def __init__(
        self,
        tunnel: PlannedTunnel,
        places: Places,
        caps: Caps,
        observe: Callable[[Event], None],
        read_secret: ReadSecret,
        usage: Usage | None = None,
        common: dict[Any, Any] | None = None,
    ) -> None:
        self._passage, self._observe = Passage(tunnel, places, caps), observe
        self._usage = usage or Usage()
        self._common = {} if common is None else common
        """What is shared, by what made it."""
        self.read_secret = read_secret
        self._relays: dict[Relay, frozenset[str]] = {}
        """And the sessions that each may be over."""
        self._coming: dict[Relay, tuple[frozenset[str], Callable[[], object]]] = {}
        """Those whose dial is not through, and what gives it up."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._tracked: set[Tracked] = set()
        self._accepting: set[asyncio.Timeout] = set()
        self._bytes_in = self._bytes_out = self._heard = 0
        self._counters: dict[str, int] = {}
        self.accepted = self.refused = 0
        self._closing = self._leaving = False
        self.addresses: tuple[str, ...] = ()
        """Where it listens."""

    # What kinds and checks see.

    @property
    def tunnel(self) -> PlannedTunnel:
        """As planned, with the way that new connections take now."""
        return self._passage.tunnel

    async def exit(self) -> Session:
        return await self._passage.exit(self._passage.order)

    async def entry(self) -> Session:
        return await self._passage.entry()

    async def dial(self, make: Callable[[], R], host: str | None = None, port: int | None = None) -> tuple[Stream, R]:
        return await self._passage.dial(self._passage.order, make, host, port)

    async def relay(self, host: str | None = None, port: int | None = None) -> Receiver:
        return await self.relay_by(self._passage.order, host, port)

    def carry(self) -> Callable[[], None]:
        use = Use(self._usage, self._passage.sessions)
        use.begin()
        return use.end

    def shared(self, make: Callable[[], T]) -> T:
        if make not in self._common:
            self._common[make] = make()
        made: T = self._common[make]
        return made

    def count(self, bytes_in: int = 0, bytes_out: int = 0) -> None:
        self._bytes_in += bytes_in
        self._bytes_out += bytes_out

    def tally(self, name: str, by: int = 1) -> None:
        self._counters[name] = self._counters.get(name, 0) + by

    def failed(self, peer: Peer, error: Exception) -> RuntimeFailure:
        if self._closing:
            return self._gone()
        self.refused += 1
        failure = error if isinstance(error, RuntimeFailure) else plugin_failed(f"kind {self.tunnel.kind}", error)
        told = ConnectionFailed(tunnel=self.tunnel.name, peer=peer.text, code=failure.code, message=failure.message)
        self._observe(told)
        return failure

    @property
    def variables(self) -> Mapping[str, str]:
        from orchestra.render.variables import variables_of

        return variables_of(self.tunnel.name, self.addresses, self.tunnel.spec.env) if self.addresses else {}

    # What the engine sees.

    def adopt(self, tunnel: PlannedTunnel) -> None:
        """It is planned otherwise from now on; those that it carries stay where they are."""
        self._passage.adopt(tunnel)

    def drain(self) -> None:
        """It takes nothing more; what it carries, and what it has taken, may come to its end."""
        self._leaving = True

    @property
    def is_idle(self) -> bool:
        """Whether it carries nothing, and is about to carry nothing."""
        return not (self._relays or self._coming or self._tracked or self._accepting)

    def take(self, number: int) -> None:
        """New connections take that one of its ways; those that it carries stay where they are."""
        self._passage.take(number)

    @property
    def live(self) -> int:
        """Which of its ways new connections take."""
        return self._passage.live

    def by(self, number: int) -> TunnelContext:
        """The tunnel as its check sees it: by that one of its ways and no other."""
        return _ByWay(self, self._passage, number)

    async def relay_by(self, order: tuple[int, ...], host: str | None, port: int | None) -> Receiver:
        """See :meth:`relay`: by one of those ways."""
        relay, before = Relay(self._relay_ended), self._passage.sessions
        await self._passage.dial(order, lambda: relay.exit, host, port)
        if self._closing or relay.exit.lost:
            relay.abort()
            raise self._gone() if self._closing else self._closed_at_once()
        self._relays[relay] = over = before | self._passage.sessions
        self._usage.begin(over)
        return relay.entry

    def vouched(self) -> bool:
        """Whether its target has sent anything by a real connection since this was asked last."""
        before, self._heard = self._heard, self.bytes_in
        return self._heard > before

    @property
    def dials(self) -> Durations:
        """How long those took that succeeded."""
        return self._passage.dials

    @property
    def connections(self) -> int:
        """Open now: what the kind serves itself (its relays then belong to those), else its relays."""
        return len(self._tracked) or len(self._relays)

    @property
    def bytes_in(self) -> int:
        return self._bytes_in + sum(relay.bytes_in for relay in self._relays)

    @property
    def bytes_out(self) -> int:
        return self._bytes_out + sum(relay.bytes_out for relay in self._relays)

    @property
    def counters(self) -> Mapping[str, int]:
        """Those of its kind."""
        return self._counters

    def counted(self, status: TunnelStatus) -> TunnelStatus:
        """The status with what is counted and measured here."""
        return replace(
            status,
            connections=self.connections,
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
            accepted=self.accepted,
            refused=self.refused,
            dials=self.dials,
            counters=dict(self.counters),
        )

    def fence(self, serve: Accept) -> Accept:
        """The kind's accept, with a deadline, its faults its own, and every refusal told to the observers.

        ``serve`` may be set anew while the listener stays.
        """
        self.serve = serve
        return _Fence(self)

    async def accept(self, peer: Peer) -> Receiver:
        """By what its kind does."""
        if self._closing or self._leaving:
            raise self._gone()
        self.accepted += 1
        over = self._passage.sessions
        try:
            async with self._patience():
                with self._usage.held(over):
                    return self._track(peer, await self.serve(peer), over)
        except Exception as error:
            raise self.failed(peer, error) from error

    def accept_at_once(self, peer: Callable[[], Peer]) -> Receiver | None:
        """See :class:`~orchestra.session.protocols.Prompt`: the dial is on its way, and no task waits for it."""
        if self._closing or self._leaving or not isinstance(self.serve, Joining):
            return None
        relay, over = Relay(self._relay_ended), self._passage.sessions

        def done(again: Again | None) -> None:
            if again is None:
                self._came(relay)
            if again is None or relay not in self._coming:
                return
            task = asyncio.create_task(self._come_otherwise(peer(), relay, again))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            self._coming[relay] = over, task.cancel

        give_up = self._passage.begin(lambda: relay.exit, done)
        if give_up is None:
            return None
        self.accepted += 1
        self._coming[relay] = over, give_up
        self._usage.begin(over)
        return relay.entry

    def _came(self, relay: Relay) -> None:
        if relay in self._coming:
            self._relays[relay], _ = self._coming.pop(relay)
            relay.hasten()

    async def _come_otherwise(self, peer: Peer, relay: Relay, again: Again) -> None:
        try:
            async with self._patience():
                await again()
            self._came(relay)
        except Exception as error:  # noqa: BLE001 - told
            self.failed(peer, error)
            relay.abort()
        except BaseException:
            relay.abort()
            raise

    @asynccontextmanager
    async def _patience(self) -> AsyncIterator[None]:
        """Inside there is a deadline, which is now when the tunnel ends."""
        async with asyncio.timeout(self._passage.patience + GRACE) as scope:
            self._accepting.add(scope)
            try:
                yield
            finally:
                self._accepting.discard(scope)

    def end(self) -> None:
        """Takes nothing more and ends, at once, whatever it carries or is about to."""
        self._closing = True
        now = asyncio.get_running_loop().time()
        for scope in self._accepting:
            if not scope.expired():
                scope.reschedule(now)
        for _, give_up in reversed([*self._coming.values()]):  # those who wait before those for whose places they do
            give_up()
        for relay in [*self._relays, *self._coming]:
            relay.abort()
        for tracked in list(self._tracked):
            tracked.abort()

    def entry_lost(self) -> None:
        """The session that it listens at is gone: connections that were accepted and never arrived will not."""
        for relay in [relay for relay in self._relays if relay.entry.stream is None]:
            relay.abort()

    def _track(self, peer: Peer, receiver: Receiver, over: frozenset[str]) -> Receiver:
        if isinstance(receiver, End):
            return receiver
        receiver = whole(f"kind {self.tunnel.kind}", receiver, RECEIVER)
        over |= self._passage.sessions
        return Tracked(receiver, self._tracked, partial(self.failed, peer), Use(self._usage, over))

    def _gone(self) -> SessionLost:
        return SessionLost(Code.SESSION_LOST, f"the tunnel {self.tunnel.name} is closing")

    def _closed_at_once(self) -> DialRefused:
        who = f"{self.tunnel.dial.by} dialed {self.tunnel.dial}" if self.tunnel.dial else self.tunnel.name
        return DialRefused(Code.DIAL_FAILED, f"{who}: the connection ended at once")

    def _relay_ended(self, relay: Relay) -> None:
        over = self._relays.pop(relay, None)
        if relay in self._coming:
            over, give_up = self._coming.pop(relay)
            give_up()
        if over is not None:
            self._usage.end(over)
            self.count(relay.bytes_in, relay.bytes_out)


class _Fence:
    """A tunnel's accept."""

    def __init__(self, live: OpenTunnel) -> None:
        self._live, self.at_once = live, live.accept_at_once

    async def __call__(self, peer: Peer) -> Receiver:
        return await self._live.accept(peer)


class _ByWay:
    """A tunnel by one of its ways."""

    def __init__(self, live: OpenTunnel, passage: Passage, number: int) -> None:
        self._live, self._passage, self._order = live, passage, (number,)
        self.tunnel: PlannedTunnel = passage.by(number)
        self.read_secret, self.shared, self.carry = live.read_secret, live.shared, live.carry
        self.count, self.tally, self.failed = live.count, live.tally, live.failed

    @property
    def variables(self) -> Mapping[str, str]:
        return self._live.variables

    async def exit(self) -> Session:
        return await self._passage.exit(self._order)

    async def entry(self) -> Session:
        return await self._passage.entry()

    async def dial(self, make: Callable[[], R], host: str | None = None, port: int | None = None) -> tuple[Stream, R]:
        return await self._passage.dial(self._order, make, host, port)

    async def relay(self, host: str | None = None, port: int | None = None) -> Receiver:
        return await self._live.relay_by(self._order, host, port)
