"""A tunnel of datagrams: a listener at the entry, a flow of its own at the exit for each peer, and what is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.model.address import is_loopback
from orchestra.model.plan import PlannedTunnel
from orchestra.plugin.interfaces import TunnelContext
from orchestra.session import Peer

from .flows import NEW, Bucket, FlowTable
from .station import Flow, Party

EARLY = 64
"""Datagrams of one peer that are kept while the path to the exit is found."""
QUIET, TOLD = 30.0, 64
"""Seconds for which a failure that was told is not told again, and how many are told meanwhile."""
CODES = {"EUNRESOLVED": Code.NAME_UNRESOLVED, "EUSERS": Code.NAME_UNRESOLVED}
"""By what a helper says of a flow that it could not open."""
SAID = {"EUSERS": "too many names wait there to be looked up"}
"""What is said in place of it."""


class Opens(Protocol):
    """Opens the far side of exchanges."""

    async def open(self, party: Party) -> Flow:
        """A flow to the tunnel's target, over whatever path there is now. Raises RuntimeFailure."""
        ...


class Joint:
    """All exchanges of one tunnel: :class:`~.station.Visited` by the peers of its listeners."""

    def __init__(
        self, context: TunnelContext, exits: Opens, table: FlowTable[Exchange], lost: Callable[[], None]
    ) -> None:
        self.context, self._exits, self._table, self._lost = context, exits, table, lost
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._told: dict[str, float] = {}
        self._strangers = Bucket(table.most, NEW)

    def arrived(self, flow: Flow, peer: Peer) -> Party:
        """See :class:`~.station.Visited`."""
        if not is_loopback(peer.host or "") and not self._strangers.take(self._loop.time()):
            flow.close()
            return _Surplus(self)
        dial = self.context.tunnel.dial
        assert dial is not None  # noqa: S101 - its kind has a target
        return self.begin(flow, peer, self._exits, f"{dial.by} sends to {dial}")

    def begin(self, flow: Flow, peer: Peer, exits: Opens, about: str) -> Exchange:
        """An exchange of a peer, whose side is ``flow``, with what ``exits`` opens, as ``about`` says."""
        exchange = Exchange(self, flow, peer, about)
        evicted = self._table.use(exchange, self._loop.time())
        self.context.tally("flows")
        self.context.tally("flows_opened")
        if evicted is not None:
            self.context.tally("flows_evicted")
            self.end(evicted)
        if self._timer is None:
            self._set_timer()
        exchange.start(exits)
        return exchange

    def noted(self, cause: str, count: int) -> None:
        """See :class:`~.station.Visited`."""
        self.context.tally("refused" if cause == "refused" else f"dropped_{cause}", count)

    def ended(self, why: str) -> None:  # noqa: ARG002 - the session's failure is told by whoever keeps it
        """The listener is gone."""
        self._lost()

    def failed(self, peer: Peer, error: Exception) -> None:
        """An exchange cannot be carried. One that fails often is told now and then: each datagram begins another."""
        now, what = self._loop.time(), str(error)
        if self._told.get(what, now) > now:
            return
        self._told = {each: until for each, until in self._told.items() if until > now}
        if len(self._told) < TOLD:
            self._told[what] = now + QUIET
            self.context.failed(peer, error)

    def used(self, exchange: Exchange) -> None:
        """A datagram passed."""
        self._table.use(exchange, self._loop.time())

    def finished(self, exchange: Exchange) -> None:
        """It ends by itself; whoever still sends begins another."""
        if self._table.remove(exchange):
            self.end(exchange)

    def end(self, exchange: Exchange) -> None:
        """It is in the table no longer."""
        self.context.tally("flows", -1)
        exchange.close()

    def close(self) -> None:
        """Ends all."""
        if self._timer is not None:
            self._timer.cancel()
        for exchange in self._table:
            self.finished(exchange)

    def _set_timer(self) -> None:
        at = self._table.next_expiry()
        self._timer = self._loop.call_at(at, self._expire) if at is not None else None

    def _expire(self) -> None:
        for exchange in self._table.expire(self._loop.time()):
            self.context.tally("flows_expired")
            self.end(exchange)
        self._set_timer()


class Exchange:
    """One peer and its flow at the exit. Towards the entry it is the :class:`~.station.Party` of the peer."""

    def __init__(self, joint: Joint, entry: Flow, peer: Peer, about: str) -> None:
        self._joint, self._entry, self.peer, self.about = joint, entry, peer, about
        self._exit: Flow | None = None
        self._exits: Opens | None = None
        self._planned: PlannedTunnel = joint.context.tunnel
        self._early: list[bytes] = []
        self._opening: asyncio.Task[None] | None = None
        self._carried: Callable[[], None] | None = None
        self._over = False

    def start(self, exits: Opens) -> None:
        """Opens its far side. The sessions that this may be over are kept for it until it goes by others, or ends."""
        self._exits = exits
        self._let_go()
        self._carried = self._joint.context.carry()
        self._opening = asyncio.get_running_loop().create_task(self._open(exits))

    def _let_go(self) -> None:
        carried, self._carried = self._carried, None
        if carried is not None:
            carried()

    def _follow(self, planned: PlannedTunnel, exits: Opens) -> None:
        """The tunnel takes another way by now, and so does what is sent from now on."""
        before, self._planned = self._planned, planned
        if self._exit is not None and (before.exit, before.dial) != (planned.exit, planned.dial):
            self._joint.context.tally("flows_moved")
            self._exit.close()
            self._exit = None
            self.start(exits)

    async def _open(self, exits: Opens) -> None:
        try:
            flow = await exits.open(_Answers(self._joint, self, self._entry))
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing can be carried
            self._opening = None
            self._joint.noted("unreachable", len(self._early))
            self._early = []
            self._joint.finished(self)
            self._joint.failed(self.peer, error)
            return
        self._opening, self._exit = None, flow
        early, self._early = self._early, []
        for data in early:
            flow.send(data)

    def received(self, data: bytes) -> None:
        """A datagram of the peer's."""
        context = self._joint.context
        context.tally("datagrams_out")
        context.count(bytes_out=len(data))
        if self._planned is not context.tunnel and self._exits is not None:
            self._follow(context.tunnel, self._exits)
        if self._exit is not None:
            self._joint.used(self)
            self._exit.send(data)
        elif self._over or len(self._early) >= EARLY:
            self._joint.noted("closed" if self._over else "queue", 1)
        else:
            self._early.append(data)

    def noted(self, cause: str, count: int) -> None:
        """See :class:`~.station.Party`."""
        self._joint.noted(cause, count)

    def ended(self, why: str) -> None:  # noqa: ARG002 - one peer of many
        """The peer's side is gone."""
        self._joint.finished(self)

    def close(self) -> None:
        """Ends both sides."""
        self._over = True
        if self._opening is not None:
            self._opening.cancel()
        if self._early:
            self._joint.noted("closed", len(self._early))
            self._early = []
        self._entry.close()
        if self._exit is not None:
            self._exit.close()
        self._let_go()


class _Answers:
    """The :class:`~.station.Party` of the flow at the exit."""

    def __init__(self, joint: Joint, exchange: Exchange, entry: Flow) -> None:
        self._joint, self._exchange, self._entry = joint, exchange, entry

    def received(self, data: bytes) -> None:
        """A datagram of the target's."""
        self._entry.send(data)
        context = self._joint.context
        context.tally("datagrams_in")
        context.count(bytes_in=len(data))
        self._joint.used(self._exchange)

    def noted(self, cause: str, count: int) -> None:
        self._joint.noted(cause, count)

    def ended(self, why: str) -> None:
        exchange = self._exchange
        self._joint.finished(exchange)
        if why:
            failure = RuntimeFailure(CODES.get(why, Code.DIAL_FAILED), f"{exchange.about}: {SAID.get(why, why)}")
            self._joint.failed(exchange.peer, failure)


class _Surplus:
    """One peer of more new ones than may come at a time."""

    def __init__(self, joint: Joint) -> None:
        self._joint = joint

    def received(self, data: bytes) -> None:  # noqa: ARG002 - it goes nowhere
        self._joint.noted("rate", 1)

    def noted(self, cause: str, count: int) -> None:
        """What is left of a flow that was closed at once."""
        self._joint.noted(cause, count)

    def ended(self, why: str) -> None:
        """It was closed."""
