"""The host keys of a plan's servers, looked at one after the other, through the sessions to those before them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from orchestra.diagnostics import Code
from orchestra.engine.asking import paused
from orchestra.engine.fences import fenced, not_loaded, secret_reader
from orchestra.engine.work import OPEN_DEADLINE
from orchestra.errors import RuntimeFailure
from orchestra.model.frozen import dataclass
from orchestra.plugin.interfaces import Identifying, Identity, Look, OpenRequest

if TYPE_CHECKING:
    from orchestra.model.plan import Plan, PlannedSession
    from orchestra.model.topology import Topology
    from orchestra.plugin.interfaces import Ask, Notice, Question, Transport
    from orchestra.plugin.manager import Plugins
    from orchestra.session.protocols import Session

T = TypeVar("T")

Decide: TypeAlias = Callable[["PlannedSession", Identity], Awaitable[bool]]
"""Whether an unknown key is to be trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tour:
    """Which sessions, by which means. ``decide`` is asked about unknown keys, ``ask`` for what opens a session."""

    sessions: tuple[PlannedSession, ...]
    topology: Topology
    plugins: Plugins
    decide: Decide
    ask: Ask
    notice: Notice

    async def looks(self, here: Session) -> AsyncIterator[Look]:
        """One look per session, those before others first. A server that others lie behind is logged in to; the last
        ones of a path are only looked at, and nothing is offered to them. All sessions are closed at the end."""
        open_: dict[str | None, Session | None] = {None: here}
        passed = {session.via for session in self.sessions}
        async with AsyncExitStack() as stack:
            for planned in self.sessions:
                over = open_.get(planned.via)
                if over is None:
                    why = f"{planned.server}: no session to {planned.dial.by}, which dials it"
                    error = RuntimeFailure(Code.SESSION_LOST, why, host=planned.server)
                    yield Look(session=planned, standing="unreachable", error=error)
                    continue
                look = await self._look(planned, over)
                if planned.id in passed and look.standing in {"known", "written", "keyless"}:
                    look, open_[planned.id] = await self._enter(look, over, stack)
                yield look

    async def _look(self, planned: PlannedSession, over: Session) -> Look:
        transport = self._transport(planned)
        if not isinstance(transport, Identifying):
            return Look(session=planned, standing="keyless")
        try:
            identity = await self._do(planned, over, transport.identify)
        except RuntimeFailure as error:
            return Look(session=planned, standing="unreachable", error=error)
        look = Look(session=planned, standing=identity.standing, identity=identity, error=identity.refusal)
        may_be_written = identity.standing in {"unknown", "uncertified"} and not identity.pinned
        if not may_be_written or not await self.decide(planned, identity):
            return look
        try:
            file = await self._do(planned, over, lambda request: transport.trust(request, identity))
        except RuntimeFailure as error:
            return replace(look, error=error)
        return replace(look, standing="written", file=file, error=None)

    async def _enter(self, look: Look, over: Session, stack: AsyncExitStack) -> tuple[Look, Session | None]:
        """Opens the session, for those behind it; that it cannot be opened takes nothing from its key."""
        try:
            session = await self._do(look.session, over, self._transport(look.session).open)
        except RuntimeFailure as error:
            return replace(look, error=error), None
        stack.push_async_callback(session.wait_closed)
        stack.callback(session.abort)
        return look, session

    def _transport(self, planned: PlannedSession) -> Transport:
        server = self.topology.hosts[planned.server].server
        assert server is not None  # noqa: S101 - sessions are planned to servers only
        found = self.plugins.transports.get(server.transport.type)
        if found is None:
            raise not_loaded(self.plugins, f"transport {server.transport.type}")
        return found

    async def _do(self, planned: PlannedSession, over: Session, work: Callable[[OpenRequest], Awaitable[T]]) -> T:
        """What a transport does, fenced; a person may take longer than a transport. Raises RuntimeFailure."""
        scope = asyncio.timeout(OPEN_DEADLINE)

        async def ask(question: Question) -> str | None:
            with paused(scope):
                return await self.ask(question)

        request = OpenRequest(
            server=self.topology.hosts[planned.server],
            dial=planned.dial,
            over=over,
            depth=planned.depth,
            read_secret=secret_reader(self.plugins),
            notice=self.notice,
            ask=ask,
        )
        what = f"the transport to {planned.server}"
        return await fenced(what, lambda: work(request), OPEN_DEADLINE, host=planned.server, scope=scope)


def sessions_to(plan: Plan, servers: Collection[str]) -> tuple[PlannedSession, ...]:
    """The sessions to those servers (none named: to all), and those that they go through; in the order of opening."""
    by_id = {session.id: session for session in plan.sessions}
    wanted = [session.id for session in plan.sessions if not servers or session.server in servers]
    needed: set[str] = set()
    for id_ in wanted:
        step: str | None = id_
        while step is not None and step not in needed:
            needed.add(step)
            step = by_id[step].via
    return tuple(sorted((by_id[id_] for id_ in needed), key=lambda session: (session.depth, session.id)))
