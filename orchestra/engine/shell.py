"""The one place that acts: it performs what the core decides, and tells the core what came of it.

Each session, listener and check has one task (:mod:`.work`); tasks report, and never decide. Cancelling
:meth:`Engine.run` closes everything, as :meth:`Engine.stop` does.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never

from orchestra.engine.closing import abort, close_sessions, finish
from orchestra.engine.context import OpenTunnel
from orchestra.engine.core.messages import (
    AdoptPlan,
    BindListener,
    CancelBind,
    CancelCheck,
    CloseListener,
    CloseSession,
    Command,
    DrainTunnel,
    DropSession,
    EndRelays,
    OpenSession,
    PlanChanged,
    ProbeSession,
    ReconnectRequested,
    ReleaseSession,
    RunCheck,
    SessionAwaited,
    SessionIdle,
    SetTimer,
    Started,
    StopRequested,
    TakeWay,
    TimerFired,
    TimerKey,
)
from orchestra.engine.core.report import EngineStatus, coming_error
from orchestra.engine.core.supervisor import begin, step
from orchestra.engine.core.telling import Teller
from orchestra.engine.dialing import Caps
from orchestra.engine.places import Outlook, Places
from orchestra.engine.surroundings import unwatched
from orchestra.engine.tasks import Tasks
from orchestra.engine.usage import Usage
from orchestra.engine.work import Work
from orchestra.errors import RuntimeFailure
from orchestra.model.events import Noticed
from orchestra.model.plan import Plan
from orchestra.plugin.interfaces import nobody

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from orchestra.engine.core import messages
    from orchestra.model.events import Event
    from orchestra.model.plan import PlannedTunnel
    from orchestra.model.status import ErrorStatus, SessionStatus
    from orchestra.model.topology import Topology
    from orchestra.plugin.interfaces import Ask
    from orchestra.plugin.manager import Plugins
    from orchestra.session.protocols import Session

Watch: TypeAlias = "Callable[[Callable[[messages.Event], None]], AbstractContextManager[None]]"

STOP_DEADLINE = 5.0
"""Seconds until everything is closed, in good order or not."""


class Engine:
    """Makes a plan true over sessions, and keeps it true.

    ``here`` stays the caller's; so do its streams, except those that this engine accepted or dialed. ``observe`` is
    told every event in order, on the event loop; if it raises, that is a fault, and everything is closed. ``ask`` puts
    one question at a time to a person. ``watch`` tells what happens to this machine meanwhile. ``wall`` gives seconds
    since the epoch, for statuses only.
    """

    def __init__(
        self,
        plan: Plan,
        topology: Topology,
        *,
        here: Session,
        plugins: Plugins,
        observe: Callable[[Event], None],
        ask: Ask = nobody,
        rng: random.Random | None = None,
        wall: Callable[[], float] = time.time,
        watch: Watch = unwatched,
    ) -> None:
        self._observe = observe
        self._rng = rng or random.Random()  # noqa: S311 - jitter
        self._wall, self._watch = wall, watch
        self._places = Places(here, self._outlook, lambda id_: self._hear(SessionAwaited(id_)))
        self._work = Work(plugins, self._places, ask=ask, tell=self._tell, observe=observe)
        self._work.expect(plan, topology)
        self._usage = Usage(self._let_go)
        self._state = begin(plan, has_check=self._work.has_check)
        self._teller = Teller(self._state)
        self._caps = Caps()
        self._common: dict[Any, Any] = {}
        self._tunnels = {name: self._open_tunnel(entry.spec) for name, entry in self._state.tunnels.items()}
        self._leaving: dict[OpenTunnel, asyncio.TimerHandle | None] = {}
        """Tunnels that are no part of the plan any more, until their connections have ended."""
        self._released: list[tuple[int, Session]] = []
        self._is_leaving = False
        self._tasks = Tasks(self._fail)
        self._timers: dict[TimerKey, asyncio.TimerHandle] = {}
        self._closing: list[tuple[int, Session]] = []
        self._stopped = asyncio.Event()
        self._fault: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Opens everything and supervises it; returns after :meth:`stop`, once all is closed (within 5 seconds)."""
        self._loop = asyncio.get_running_loop()
        try:
            self._tell(Started())
            with self._watch(self._hear):
                await self._stopped.wait()
        finally:
            try:
                self._tell(StopRequested())
            finally:
                await finish(self._close(), self._hurry)
        if self._fault is not None:
            raise self._fault

    def stop(self) -> None:
        """Makes :meth:`run` close everything and return. May be called at any time, more than once."""
        self._stopped.set()

    def change(self, plan: Plan, topology: Topology, *, drain: float | None) -> None:
        """Makes another plan true. Its sessions bear the ids of those that there are and do as they are
        (:func:`orchestra.planning.changes.align`). ``drain``: seconds that connections have whose tunnel or session is
        no part of it; None for ever."""
        self._loop = asyncio.get_running_loop()
        self._work.expect(plan, topology)
        taking_part = {
            tunnel.name: tunnel for tunnel in plan.tunnels if tunnel.verdict == "reachable" and tunnel.listen
        }
        kinds = [*taking_part.values(), *(live.tunnel for live in self._tunnels.values())]
        for name in taking_part.keys() - self._tunnels.keys():
            self._tunnels[name] = self._open_tunnel(taking_part[name])
        self._tell(
            PlanChanged(
                plan=replace(plan, tunnels=tuple(taking_part.values())),
                checked=frozenset(name for name, tunnel in taking_part.items() if self._work.has_check(tunnel)),
                binding=frozenset(tunnel.name for tunnel in kinds if self._work.binds_itself(tunnel.kind)),
                drain=drain,
            )
        )

    def leave(self, drain: float | None) -> None:
        """Takes nothing more; stops when everything that is carried has ended, or after ``drain`` seconds."""
        self._is_leaving = True
        self._loop = asyncio.get_running_loop()
        self._tell(PlanChanged(plan=Plan(topology="", client=""), checked=frozenset(), drain=drain))
        self._let_go()

    def reconnect(self, sessions: Sequence[str], tunnels: Sequence[str]) -> None:
        """Opens these sessions anew, at once, and binds and proves these tunnels; what failed before is forgotten."""
        self._tell(ReconnectRequested(tuple(sessions), tuple(tunnels)))

    @property
    def session_ids(self) -> tuple[str, ...]:
        """Ids of all sessions that there are, parents first; also of those that are let go."""
        return tuple(self._state.sessions)

    def coming(self) -> Mapping[str, ErrorStatus | None]:
        """Tunnels that are not yet what the plan says, and what stands in the way, if anything does."""
        epoch = self._wall() - (self._loop.time() if self._loop else 0.0)
        entries = [entry for entry in self._state.tunnels.values() if entry.coming is not None]
        return {entry.name: coming_error(self._state, entry, epoch) for entry in entries}

    def snapshot(self) -> EngineStatus:
        """What is true right now."""
        status = self.standing()
        tunnels = tuple(self._tunnels[tunnel.name].counted(tunnel) for tunnel in status.tunnels)
        return replace(status, sessions=tuple(map(self._timed, status.sessions)), tunnels=tunnels)

    def standing(self) -> EngineStatus:
        """The same without what is counted and measured, at a fraction of the cost."""
        status = self._teller.status()
        return replace(status, state="starting") if self._is_leaving else status

    def _timed(self, session: SessionStatus) -> SessionStatus:
        handshakes = self._work.handshakes.get(session.id)
        return session if handshakes is None else replace(session, handshakes=handshakes)

    def _open_tunnel(self, planned: PlannedTunnel) -> OpenTunnel:
        return OpenTunnel(
            planned, self._places, self._caps, self._observe, self._work.read_secret, self._usage, self._common
        )

    # Between the core and the world.

    def _tell(self, event: messages.Event) -> None:
        assert self._loop is not None  # noqa: S101 - nothing reports before run
        now = self._loop.time()
        epoch = self._wall() - now
        self._state, commands = step(self._state, event, now, self._rng)
        for command in commands:
            self._perform(command)
        for change in self._teller.changes(self._state, epoch):
            self._observe(change)
        self._places.settle()
        self._let_go()

    def _perform(self, command: Command) -> None:
        match command:
            case OpenSession(id_):
                self._tasks.start("session", id_, self._work.keep_session(self._state.sessions[id_].spec))
            case DropSession(id_) | CloseSession(id_):
                self._end_session(id_, orderly=isinstance(command, CloseSession))
            case BindListener() | CancelBind() | CloseListener():
                self._perform_on_listener(command)
            case AdoptPlan() | DrainTunnel() | EndRelays() | TakeWay():
                self._perform_on_tunnel(command)
            case ReleaseSession(id_, depth):
                self._release(id_, depth)
            case ProbeSession(id_, deadline):
                self._probe(id_, deadline)
            case RunCheck(name, ways, again):
                self._tasks.start("check", name, self._work.check(self._tunnels[name], ways, again=again))
            case CancelCheck(name):
                self._tasks.cancel("check", name)
            case SetTimer(key, at):
                self._set_timer(key, at)
            case _:
                assert_never(command)

    def _perform_on_listener(self, command: BindListener | CancelBind | CloseListener) -> None:
        name = command.tunnel
        match command:
            case BindListener(_, port):
                entry = self._state.tunnels[name]
                planned = entry.coming.spec if entry.coming and entry.listener == "moving" else entry.spec
                self._tasks.start("listener", name, self._work.open_listener(self._tunnels[name], port, planned.listen))
            case CancelBind():
                self._tasks.cancel("listener", name)
            case CloseListener():
                self._close_listener(name)

    def _perform_on_tunnel(self, command: AdoptPlan | DrainTunnel | EndRelays | TakeWay) -> None:
        name = command.tunnel
        match command:
            case AdoptPlan():
                self._adopt(name)
            case DrainTunnel(_, until):
                self._drain(self._tunnels.pop(name), until)
            case EndRelays():
                self._tunnels[name].end()
            case TakeWay(_, way):
                self._tunnels[name].take(way)

    def _adopt(self, name: str) -> None:
        live = self._tunnels[name]
        live.adopt(self._state.tunnels[name].spec)
        try:
            self._work.adopt(live)
        except RuntimeFailure as failure:
            self._observe(Noticed(host=None, message=f"{name}: {failure.message}", level="warning"))

    def _drain(self, live: OpenTunnel, until: float | None) -> None:
        live.drain()
        assert self._loop is not None  # noqa: S101
        self._leaving[live] = None if until is None else self._loop.call_at(until, live.end)

    def _release(self, id_: str, depth: int) -> None:
        """Closes it in good order, with the others of this step, children first."""
        if (session := self._take_away(id_)) is None:
            return
        assert self._loop is not None  # noqa: S101
        if not self._released:
            self._loop.call_soon(self._close_released)
        self._released.append((depth, session))

    def _close_released(self) -> None:
        assert self._loop is not None  # noqa: S101
        released, self._released = self._released, []
        self._tasks.in_background("release", close_sessions(released, self._loop.time() + STOP_DEADLINE))

    def _let_go(self) -> None:
        """What has retired ends when nothing is carried over it; and so does the whole, when it is leaving."""
        assert self._loop is not None  # noqa: S101
        for id_, entry in self._state.sessions.items():
            if entry.retiring and not self._usage.is_used(id_):
                self._loop.call_soon(self._idle, id_)
        for live in [live for live in self._leaving if live.is_idle]:
            if (timer := self._leaving.pop(live)) is not None:
                timer.cancel()
        if self._is_leaving and not self._leaving and not self._state.sessions:
            self.stop()

    def _idle(self, id_: str) -> None:
        if not self._usage.is_used(id_):
            self._hear(SessionIdle(id_))

    def _probe(self, id_: str, deadline: float) -> None:
        """Unless it is being asked already."""
        if not self._tasks.runs("probe", id_):
            server = self._state.sessions[id_].spec.server
            self._tasks.start("probe", id_, self._work.probe(id_, server, deadline))

    def _end_session(self, id_: str, *, orderly: bool) -> None:
        if (session := self._take_away(id_)) is None:
            return
        if orderly:
            self._closing.append((self._state.sessions[id_].spec.depth, session))
        else:
            abort(session)

    def _take_away(self, id_: str) -> Session | None:
        """Nobody keeps it or finds it any more; the session, if it was open."""
        self._tasks.cancel("session", id_)
        self._tasks.cancel("probe", id_)
        return self._places.remove(id_)

    def _close_listener(self, name: str) -> None:
        self._tasks.cancel("listener", name)
        self._tunnels[name].entry_lost()
        self._work.close_listener(name)

    def _fail(self, fault: BaseException) -> None:
        """A contradiction within the engine must not go on unnoticed: :meth:`run` closes everything and raises it."""
        self._fault = self._fault or fault
        self._stopped.set()

    def _set_timer(self, key: TimerKey, at: float) -> None:
        assert self._loop is not None  # noqa: S101
        if earlier := self._timers.get(key):
            earlier.cancel()
        self._timers[key] = self._loop.call_at(at, self._ring, key)

    def _ring(self, key: TimerKey) -> None:
        self._hear(TimerFired(key))

    def _hear(self, event: messages.Event) -> None:
        """Of what no task tells."""
        try:
            self._tell(event)
        except Exception as fault:  # noqa: BLE001 - as of a task
            self._fail(fault)

    def _outlook(self, id_: str) -> Outlook:
        """For those who wait for a session: what its nearest troubled ancestor says, or itself."""
        if self._state.stopping:
            return Outlook("orchestra is stopping", hopeless=True)
        entry = self._state.sessions.get(id_)
        if entry is None:
            return Outlook("the plan has it no longer", hopeless=True)
        if entry.trouble is None and entry.spec.via is not None:
            return self._outlook(entry.spec.via)
        if entry.trouble is None:
            return Outlook("it is being opened")
        return Outlook(entry.trouble.failure.message, hopeless=entry.state == "failed")

    # The end.

    async def _close(self) -> None:
        """Listeners and relays are closed by now; sessions follow, children first, then whatever still runs."""
        assert self._loop is not None  # noqa: S101
        until = self._loop.time() + STOP_DEADLINE
        for timer in (*self._timers.values(), *filter(None, self._leaving.values())):
            timer.cancel()
        for live in list(self._leaving):
            live.end()
        tasks = self._tasks.cancel_all()
        await self._work.tidy()
        await close_sessions(self._closing, until - 1.0)
        if tasks:
            await asyncio.wait(tasks, timeout=max(0.1, until - self._loop.time()))

    def _hurry(self) -> None:
        """What is being closed in good order ends at once."""
        for _, session in self._closing:
            abort(session)
