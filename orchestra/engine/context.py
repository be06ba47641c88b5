"""One tunnel while it is open: what its kind and its check may do, the connections it carries, and its counters."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from orchestra.diagnostics import Code
from orchestra.engine.accepting import Tracked
from orchestra.engine.core.ways import ways_of
from orchestra.engine.dialing import Caps, dial
from orchestra.engine.fences import plugin_failed
from orchestra.engine.relay import End, Relay
from orchestra.errors import RuntimeFailure
from orchestra.model.events import ConnectionFailed
from orchestra.model.measures import Durations
from orchestra.model.plan import Dial, PlannedTunnel
from orchestra.session.errors import DialRefused, SessionLost
from orchestra.session.protocols import Receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestra.engine.places import Places
    from orchestra.model.events import Event
    from orchestra.plugin.interfaces import ReadSecret
    from orchestra.session.protocols import Accept, Peer, Session, Stream

R = TypeVar("R", bound=Receiver)

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
    ) -> None:
        self._planned, self._places, self._caps, self._observe = tunnel, places, caps, observe
        self._ways = ways_of(tunnel)
        self.take(0)
        self.read_secret = read_secret
        self._relays: set[Relay] = set()
        self._tracked: set[Tracked] = set()
        self._accepting: set[asyncio.Timeout] = set()
        self._bytes_in = self._bytes_out = 0
        self._counters: dict[str, int] = {}
        self.accepted = self.refused = 0
        self.dials = Durations()
        self._closing = False

    # What kinds and checks see.

    @property
    def tunnel(self) -> PlannedTunnel:
        """As planned, with the way that new connections take now."""
        return self._tunnel

    async def exit(self) -> Session:
        return await self._places.wait(self._tunnel.exit, self._tunnel.spec.hold)

    async def dial(self, make: Callable[[], R], host: str | None = None, port: int | None = None) -> tuple[Stream, R]:
        session = await self.exit()
        where = self._tunnel.dial if host is None else Dial(by=session.host, host=host, port=port)
        if where is None:
            message = f"the tunnel {self._tunnel.name} has no target of its own to dial"
            raise DialRefused(Code.DIAL_FAILED, message, host=session.host)
        began = asyncio.get_running_loop().time()
        dialed = await dial(session, make, where, self._tunnel.spec.dial_timeout, self._caps)
        self.dials = self.dials.plus(asyncio.get_running_loop().time() - began)
        return dialed

    async def relay(self, host: str | None = None, port: int | None = None) -> Receiver:
        relay = Relay(self._relay_ended)
        await self.dial(lambda: relay.exit, host, port)
        if self._closing or relay.exit.lost:
            relay.abort()
            raise self._gone() if self._closing else self._closed_at_once()
        self._relays.add(relay)
        return relay.entry

    def count(self, bytes_in: int = 0, bytes_out: int = 0) -> None:
        self._bytes_in += bytes_in
        self._bytes_out += bytes_out

    def tally(self, name: str, by: int = 1) -> None:
        self._counters[name] = self._counters.get(name, 0) + by

    def failed(self, peer: Peer, error: Exception) -> RuntimeFailure:
        if self._closing:
            return self._gone()
        self.refused += 1
        failure = error if isinstance(error, RuntimeFailure) else plugin_failed(f"kind {self._tunnel.kind}", error)
        told = ConnectionFailed(tunnel=self._tunnel.name, peer=peer.text, code=failure.code, message=failure.message)
        self._observe(told)
        return failure

    # What the engine sees.

    def take(self, number: int) -> None:
        """New connections take that one of its ways; those that it carries stay where they are."""
        way = self._ways[number]
        self._tunnel = replace(self._planned, path=way.path, sessions=way.sessions, exit=way.exit, dial=way.dial)

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

    def fence(self, serve: Accept) -> Accept:
        """The kind's accept, with a deadline, its faults its own, and every refusal told to the observers."""
        patience = self._tunnel.spec.hold + self._tunnel.spec.dial_timeout + GRACE

        async def accept(peer: Peer) -> Receiver:
            if self._closing:
                raise self._gone()
            self.accepted += 1
            try:
                async with asyncio.timeout(patience) as scope:
                    self._accepting.add(scope)
                    try:
                        return self._track(peer, await serve(peer))
                    finally:
                        self._accepting.discard(scope)
            except Exception as error:
                raise self.failed(peer, error) from error

        return accept

    def end(self) -> None:
        """Takes nothing more and ends, at once, whatever it carries or is about to."""
        self._closing = True
        now = asyncio.get_running_loop().time()
        for scope in self._accepting:
            if not scope.expired():
                scope.reschedule(now)
        for relay in list(self._relays):
            relay.abort()
        for tracked in list(self._tracked):
            tracked.abort()

    def entry_lost(self) -> None:
        """The session that it listens at is gone: connections that were accepted and never arrived will not."""
        for relay in [relay for relay in self._relays if relay.entry.stream is None]:
            relay.abort()

    def _track(self, peer: Peer, receiver: Receiver) -> Receiver:
        return receiver if isinstance(receiver, End) else Tracked(receiver, self._tracked, partial(self.failed, peer))

    def _gone(self) -> SessionLost:
        return SessionLost(Code.SESSION_LOST, f"the tunnel {self._tunnel.name} is closing")

    def _closed_at_once(self) -> DialRefused:
        who = f"{self._tunnel.dial.by} dialed {self._tunnel.dial}" if self._tunnel.dial else self._tunnel.name
        return DialRefused(Code.DIAL_FAILED, f"{who}: the connection ended at once")

    def _relay_ended(self, relay: Relay) -> None:
        if relay in self._relays:
            self._relays.discard(relay)
            self.count(relay.bytes_in, relay.bytes_out)
