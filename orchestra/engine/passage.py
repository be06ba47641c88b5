"""Where a tunnel's connections leave it: by its live way, and when that does not do, by another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from orchestra.diagnostics import Code
from orchestra.engine.core.ways import ways_of
from orchestra.engine.dialing import Ask, Caps, begin, dial, explained
from orchestra.model.measures import Durations
from orchestra.model.plan import Alternative, Dial, PlannedTunnel
from orchestra.session.errors import DialRefused, SessionLost
from orchestra.session.protocols import Receiver

if TYPE_CHECKING:
    from orchestra.engine.places import Places
    from orchestra.session.protocols import Session, Stream

R = TypeVar("R", bound=Receiver)
Again: TypeAlias = Callable[[], Awaitable[object]]
"""How a dial goes on whose first attempt failed. Raises DialRefused or SessionLost."""

UNREACHED = frozenset({Code.CONNECT_REFUSED, Code.CONNECT_TIMEOUT, Code.DIAL_FAILED, Code.NAME_UNRESOLVED})
"""The exit let us, and could not connect: another exit may. What it forbids is no matter of the way."""


class Passage:
    """The ways of one tunnel. ``tunnel`` is as planned, with the way that new connections take now."""

    def __init__(self, planned: PlannedTunnel, places: Places, caps: Caps) -> None:
        self._places, self._caps = places, caps
        self.dials = Durations()
        self.adopt(planned)

    def adopt(self, planned: PlannedTunnel) -> None:
        """It is planned otherwise from now on; who waits for a way that is gone goes on by one of the new ones."""
        self._planned, self._ways = planned, ways_of(planned)
        self.sessions = frozenset(id_ for way in self._ways for id_ in way.sessions)
        """Those of all its ways."""
        self.take(0)

    def take(self, number: int) -> None:
        """New connections take that way."""
        self.live, self.tunnel = number, self.by(number)
        self.order = (number, *(other for other in range(len(self._ways)) if other != number))
        """The live way, then the others by preference."""

    def by(self, number: int) -> PlannedTunnel:
        """The tunnel as if that were its planned way, and the others its alternatives."""
        if number == 0:
            return self._planned
        way, first, others = self._ways[number], self._ways[0], self._planned.alternatives
        planned = Alternative(path=first.path, sessions=first.sessions, exit=first.exit, dial=first.dial)
        return replace(
            self._planned,
            path=way.path,
            sessions=way.sessions,
            exit=way.exit,
            dial=way.dial,
            alternatives=(planned, *others[: number - 1], *others[number:]),
        )

    @property
    def patience(self) -> float:
        """Seconds that a dial may take, with its wait for a way and its second attempt."""
        spec = self._planned.spec
        return spec.hold + 2 * spec.dial_timeout

    async def exit(self, order: tuple[int, ...]) -> Session:
        """The exit of the first of those ways that is open, waiting up to ``hold``. Raises SessionLost."""
        _, session = await self._open(order, self._planned.spec.hold)
        return session

    async def entry(self) -> Session:
        """Where it listens, waiting up to ``hold``. Raises SessionLost."""
        listen = self._planned.listen
        _, session = await self._places.wait((listen.session if listen else None,), self._planned.spec.hold)
        return session

    async def dial(
        self, order: tuple[int, ...], make: Callable[[], R], host: str | None, port: int | None
    ) -> tuple[Stream, R]:
        """Dials by the first of those ways that is open, and once more when that could not connect or was lost.

        Raises DialRefused or SessionLost.
        """
        hold = self._planned.spec.hold
        until = asyncio.get_running_loop().time() + hold
        number, session = await self._open(order, hold)
        try:
            return await self._dial(number, session, make, host, port)
        except (DialRefused, SessionLost) as error:
            return await self._otherwise(error, order, number, until, make, host, port)

    def begin(self, make: Callable[[], Receiver], done: Callable[[Again | None], None]) -> Callable[[], None] | None:
        """Dials as :meth:`dial` does, by the live way and where nobody has to wait for anything; None when it does not.
        ``done`` is told later that it succeeded, or what is to be awaited instead. Gives what gives the dial up."""
        order, number, spec = self.order, self.live, self._planned.spec
        session, where = self._places.get(self._ways[number].exit), self._ways[number].dial
        ask: Ask | None = getattr(session, "begin_connection", None)
        if where is None or session is None or session.state != "open" or ask is None:
            return None
        time = asyncio.get_running_loop().time
        began = time()

        async def again(error: Exception) -> object:
            failure = await explained(error, session, where, spec.dial_timeout, began)
            if not isinstance(failure, DialRefused | SessionLost):
                raise failure
            return await self._otherwise(failure, order, number, began + spec.hold, make, None, None)

        def ended(error: Exception | None) -> None:
            if error is None:
                self.dials = self.dials.plus(time() - began)
            done(partial(again, error) if error is not None else None)

        return begin(ask, make, where, spec.dial_timeout, self._caps, ended)

    async def _otherwise(
        self,
        first: DialRefused | SessionLost,
        order: tuple[int, ...],
        number: int,
        until: float,
        make: Callable[[], R],
        host: str | None,
        port: int | None,
    ) -> tuple[Stream, R]:
        """Once more, after that one of those ways has failed."""
        rest = order if isinstance(first, SessionLost) else tuple(each for each in order if each != number)
        if not rest or (isinstance(first, DialRefused) and first.code not in UNREACHED):
            raise first
        try:
            number, session = await self._open(rest, until - asyncio.get_running_loop().time())
        except SessionLost:
            raise first from None
        try:
            return await self._dial(number, session, make, host, port)
        except DialRefused as second:
            message = f"{first.message}; {second.message}"
            raise DialRefused(first.code, message, host=first.host, suggestion=first.suggestion) from second

    async def _open(self, order: tuple[int, ...], hold: float) -> tuple[int, Session]:
        exits = {self._ways[number].exit: number for number in order if number < len(self._ways)}
        id_, session = await self._places.wait(tuple(exits), hold)
        return exits[id_], session

    async def _dial(
        self, number: int, session: Session, make: Callable[[], R], host: str | None, port: int | None
    ) -> tuple[Stream, R]:
        where = self._ways[number].dial if host is None else Dial(by=session.host, host=host, port=port)
        if where is None:
            message = f"the tunnel {self._planned.name} has no target of its own to dial"
            raise DialRefused(Code.DIAL_FAILED, message, host=session.host)
        began = asyncio.get_running_loop().time()
        dialed = await dial(session, make, where, self._planned.spec.dial_timeout, self._caps)
        self.dials = self.dials.plus(asyncio.get_running_loop().time() - began)
        return dialed
