"""Datagrams from any session, for whoever needs them: a tunnel of kind udp, a proxy, a check.

    bridge = await context.shared(Bridges).open(await context.exit())
    try:
        flow = bridge.flow(party, "10.20.0.53", 53)
        flow.send(query)
    finally:
        bridge.close()

All bridges of one session share one helper, and with it one channel: sshd counts them (MaxSessions, 10 by default).
It is started when the first bridge is opened, and again after it ended, but not at once when it did so often.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.session import Session
from orchestra.session.protocols import Datagrams

from .channel import Channel, start_helper
from .degraded import Degraded
from .near import Near
from .station import Flow, Listening, Party, Station, Treatment, Visited
from .turn import Turn

LINGER = 5.0
"""Seconds that a helper waits for another bridge when the last one is closed."""
STEADY = 30.0
"""Seconds after which a helper that ends has not failed."""
SLOWEST = 60.0
"""Seconds between two attempts to start one, at most."""

PLAIN = Treatment()


class Bridges:
    """All those of one orchestra, whose tunnels share them (:meth:`TunnelContext.shared`): so whatever is joined is
    gathered by one :class:`~.turn.Turn`."""

    def __init__(self) -> None:
        self._turn = Turn()
        self._helpers: WeakKeyDictionary[Session, _Shared] = WeakKeyDictionary()

    async def open(self, session: Session, *, degraded: bool = False) -> Bridge:
        """A way to send datagrams from a session's place. Raises RuntimeFailure (HELPER_FAILED), SessionLost,
        Unsupported.

        Close it when it is not needed any more; it is over by itself when the session or its helper ends, which each of
        its flows is told. With ``degraded`` a host that has no language for a helper may use socat or nc.
        """
        if isinstance(session, Datagrams):
            near = Near(session, self._turn)
            return Bridge(near, near.close)
        shared = self._helpers.get(session)
        if shared is None:
            shared = self._helpers[session] = _Shared(self._turn)
        try:
            channel = await shared.take(session)
        except RuntimeFailure as error:
            if not degraded or error.code is not Code.HELPER_FAILED:
                raise
            programs = Degraded(session)
            return Bridge(programs, programs.close)
        return Bridge(channel, shared.give)


class Bridge:
    """Flows and listeners at one place. Who opens them closes them, and then the bridge."""

    def __init__(self, station: Station, leave: Callable[[], None]) -> None:
        self._station = station
        self._leave: Callable[[], None] | None = leave

    @property
    def about(self) -> str:
        """What carries: ``python3.11 pid 4711 at gateway``."""
        return self._station.about

    @property
    def is_over(self) -> bool:
        """Whether its helper is gone."""
        return isinstance(self._station, Channel) and self._station.over.is_set()

    @property
    def is_degraded(self) -> bool:
        """Whether datagrams may be merged or cut."""
        return isinstance(self._station, Degraded)

    def flow(self, party: Party, host: str, port: int, treatment: Treatment = PLAIN) -> Flow:
        """A socket of its own at that place, towards a target."""
        return self._station.flow(party, host, port, treatment)

    async def listen(self, visited: Visited, host: str, port: int, treatment: Treatment = PLAIN) -> Listening:
        """A socket bound there. Raises BindRefused or SessionLost."""
        return await self._station.listen(visited, host, port, treatment)

    def close(self) -> None:
        """It is not needed any more."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()


class _Shared:
    """The helper of a session, and how many need it."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._starting = asyncio.Lock()
        self._users = 0
        self._channel: Channel | None = None
        self._begun = self._again = 0.0
        self._failures = 0
        self._failure: RuntimeFailure | None = None
        self._lingering: asyncio.TimerHandle | None = None

    async def take(self, session: Session) -> Channel:
        """The helper that runs, or a new one; see :meth:`Bridges.open`."""
        async with self._starting:
            if self._channel is None or self._channel.over.is_set():
                await self._start(session)
        assert self._channel is not None  # noqa: S101 - it has been started
        self._users += 1
        return self._channel

    def give(self) -> None:
        """One needs it no longer."""
        self._users -= 1
        if self._users == 0:
            self._lingering = asyncio.get_running_loop().call_later(LINGER, self._leave)

    async def _start(self, session: Session) -> None:
        now = asyncio.get_running_loop().time()
        if self._channel is not None:
            why, self._channel = self._channel.why, None
            self._count(now, RuntimeFailure(Code.HELPER_FAILED, why, host=session.host))
        if now < self._again and self._failure is not None:
            raise self._failure
        try:
            self._channel = await start_helper(session, turn=self._turn)
        except RuntimeFailure as error:
            if session.state == "open":
                self._count(now, error)
            raise
        self._begun = asyncio.get_running_loop().time()

    def _count(self, now: float, failure: RuntimeFailure) -> None:
        """The first failure costs no time, each further one twice as much."""
        self._failures = 1 if self._begun and now - self._begun > STEADY else self._failures + 1
        self._again = now + (min(SLOWEST, 2.0 ** (self._failures - 2)) if self._failures > 1 else 0.0)
        self._failure = failure

    def _leave(self) -> None:
        if self._users == 0 and self._channel is not None:
            self._channel.close()
            self._channel = None
