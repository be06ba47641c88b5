"""The one place that acts: it performs what the core decides, and tells the core what came of it.

Each session, listener and check has one task; tasks report, and never decide. Cancelling :meth:`Engine.run` closes
everything, as :meth:`Engine.stop` does.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from orchestra.diagnostics import Code
from orchestra.engine.closing import abort, close_sessions, end_of, finish
from orchestra.engine.context import OpenTunnel
from orchestra.engine.core.failures import Failure
from orchestra.engine.core.messages import (
    BindListener,
    CancelCheck,
    CheckFailed,
    CheckPassed,
    CloseListener,
    CloseSession,
    Command,
    DropSession,
    EndRelays,
    ListenerBound,
    ListenerFailed,
    OpenSession,
    RunCheck,
    SessionEnded,
    SessionFailed,
    SessionOpened,
    SetTimer,
    Started,
    StopRequested,
    TimerFired,
    TimerKey,
)
from orchestra.engine.core.report import EngineStatus
from orchestra.engine.core.state import Limits
from orchestra.engine.core.supervisor import begin, step
from orchestra.engine.core.telling import Teller
from orchestra.engine.dialing import Caps
from orchestra.engine.fences import fenced, plugin_failed
from orchestra.engine.listening import Bound, listen
from orchestra.engine.places import Outlook, Places
from orchestra.engine.proof import gate_for, verify
from orchestra.errors import RuntimeFailure
from orchestra.model.events import Noticed
from orchestra.model.text import clean
from orchestra.plugin.interfaces import OpenRequest
from orchestra.session.errors import OpenFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from orchestra.engine.core import messages
    from orchestra.model.events import Event
    from orchestra.model.plan import Plan, PlannedSession, PlannedTunnel
    from orchestra.model.status import TunnelStatus
    from orchestra.model.topology import SecretRef, Topology
    from orchestra.plugin.manager import Plugins
    from orchestra.session.protocols import Accept, Session

_log = logging.getLogger(__name__)

OPEN_DEADLINE = 300.0
"""Seconds; transports set their own, shorter ones, but a person may have to answer or to touch a key."""
BIND_DEADLINE = 60.0
CHECKS = 64
"""Checks that run at once: a thousand tunnels over one session do not knock at the same moment."""
CHECK_GRACE = 20.0
"""Seconds that a check has for its conversation, beyond the dial."""
STOP_DEADLINE = 5.0


class Engine:
    """Makes a plan true over sessions, and keeps it true.

    ``here`` stays the caller's; so do its streams, except those that this engine accepted or dialed. ``observe`` is
    told every event in order, on the event loop. ``wall`` gives seconds since the epoch, for statuses only.
    """

    def __init__(
        self,
        plan: Plan,
        topology: Topology,
        *,
        here: Session,
        plugins: Plugins,
        observe: Callable[[Event], None],
        rng: random.Random | None = None,
        wall: Callable[[], float] = time.time,
        limits: Limits | None = None,
    ) -> None:
        self._topology, self._plugins, self._observer = topology, plugins, observe
        self._rng = rng or random.Random()  # noqa: S311 - jitter
        self._wall = wall
        self._state = begin(plan, has_check=self._has_check, limits=limits)
        self._teller = Teller(self._state)
        self._places = Places(here, self._outlook)
        caps = Caps()
        self._tunnels = {
            name: OpenTunnel(entry.spec, self._places, caps, self._observe)
            for name, entry in self._state.tunnels.items()
        }
        self._checking = asyncio.Semaphore(CHECKS)
        self._listeners: dict[str, Bound] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
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
            await self._stopped.wait()
        finally:
            self._tell(StopRequested())
            await finish(self._close(), self._hurry)
        if self._fault is not None:
            raise self._fault

    def stop(self) -> None:
        """Makes :meth:`run` close everything and return. May be called at any time, more than once."""
        self._stopped.set()

    def snapshot(self) -> EngineStatus:
        """What is true right now."""
        status = self._teller.status()
        return replace(status, tunnels=tuple(self._counted(tunnel) for tunnel in status.tunnels))

    def _counted(self, tunnel: TunnelStatus) -> TunnelStatus:
        live = self._tunnels[tunnel.name]
        counters = live.connections, live.bytes_in, live.bytes_out
        if not any(counters):
            return tunnel
        return replace(tunnel, connections=counters[0], bytes_in=counters[1], bytes_out=counters[2])

    # Between the core and the world.

    def _tell(self, event: messages.Event) -> None:
        assert self._loop is not None  # noqa: S101 - nothing reports before run
        self._state, commands = step(self._state, event, self._loop.time(), self._rng)
        for command in commands:
            self._perform(command)
        for change in self._teller.changes(self._state, self._epoch()):
            self._observe(change)
        self._places.settle()

    def _perform(self, command: Command) -> None:
        match command:
            case OpenSession(id_):
                self._start("session", id_, self._keep_session(self._state.sessions[id_].spec))
            case DropSession(id_) | CloseSession(id_):
                self._end_session(id_, orderly=isinstance(command, CloseSession))
            case BindListener(name, port):
                self._start("listener", name, self._open_listener(self._tunnels[name], port))
            case CloseListener(name):
                self._close_listener(name)
            case RunCheck(name):
                self._start("check", name, self._check(self._tunnels[name]))
            case CancelCheck(name):
                self._cancel("check", name)
            case EndRelays(name):
                self._tunnels[name].end()
            case SetTimer(key, at):
                self._set_timer(key, at)
            case _:
                assert_never(command)

    def _end_session(self, id_: str, *, orderly: bool) -> None:
        self._cancel("session", id_)
        session = self._places.remove(id_)
        if session is None:
            return
        if orderly:
            self._closing.append((self._state.sessions[id_].spec.depth, session))
        else:
            abort(session)

    def _close_listener(self, name: str) -> None:
        self._cancel("listener", name)
        self._tunnels[name].entry_lost()
        if bound := self._listeners.pop(name, None):
            bound.close()

    def _start(self, what: str, name: str, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work, name=f"{what} {name}")
        self._tasks[what, name] = task
        task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._fail(fault)

    def _fail(self, fault: BaseException) -> None:
        """A contradiction within the engine must not go on unnoticed: :meth:`run` closes everything and raises it."""
        self._fault = self._fault or fault
        self._stopped.set()

    def _cancel(self, what: str, name: str) -> None:
        task = self._tasks.pop((what, name), None)
        if task is not None and not task.done():
            self._ending.add(task)
            task.cancel()

    def _set_timer(self, key: TimerKey, at: float) -> None:
        assert self._loop is not None  # noqa: S101
        if earlier := self._timers.get(key):
            earlier.cancel()
        self._timers[key] = self._loop.call_at(at, self._ring, key)

    def _ring(self, key: TimerKey) -> None:
        try:
            self._tell(TimerFired(key))
        except Exception as fault:  # noqa: BLE001 - as in _task_ended
            self._fail(fault)

    def _observe(self, event: Event) -> None:
        try:
            self._observer(event)
        except Exception:  # noqa: BLE001 - an observer fails alone
            _log.exception("an observer failed")

    def _epoch(self) -> float:
        return self._wall() - self._loop.time() if self._loop is not None else 0.0

    # What tasks do.

    async def _keep_session(self, planned: PlannedSession) -> None:
        over = self._places.get(planned.via)
        assert over is not None  # noqa: S101 - the core opens a session when its parent is open
        try:
            session = await self._open_session(planned, over)
        except RuntimeFailure as error:
            if planned.via is None or over.state == "open":  # else the parent is at fault, and its own task says so
                self._tell(SessionFailed(planned.id, Failure.of(error)))
            return
        self._places.put(planned.id, session)
        self._tell(SessionOpened(planned.id))
        reason = await end_of(session)
        if planned.via is None or over.state == "open":
            self._places.remove(planned.id)
            if session.state != "closed":
                abort(session)
            self._tell(SessionEnded(planned.id, _loss(planned.server, reason)))

    async def _open_session(self, planned: PlannedSession, over: Session) -> Session:
        host = self._topology.hosts[planned.server]
        name = host.server.transport.type if host.server is not None else "ssh"
        transport = self._plugins.transports.get(name)
        if transport is None:
            raise RuntimeFailure(Code.PLUGIN_FAILED, f"no transport {name} is loaded", host=host.name)

        def notice(text: str) -> None:
            self._observe(Noticed(host=host.name, message=text))

        request = OpenRequest(
            server=host,
            dial=planned.dial,
            over=over,
            depth=planned.depth,
            read_secret=self._read_secret,
            notice=notice,
        )
        return await fenced(f"transport {name}", lambda: transport.open(request), OPEN_DEADLINE, host=host.name)

    async def _read_secret(self, ref: SecretRef) -> bytes:
        source = self._plugins.secrets.get(ref.kind)
        if source is None:
            raise OpenFailed(Code.SECRET_UNAVAILABLE, f"no kind of secret named {ref.kind} is loaded")
        return await fenced(f"secret {ref.kind}", lambda: source.read(ref), OPEN_DEADLINE)

    async def _open_listener(self, live: OpenTunnel, port: int | None) -> None:
        name, planned = live.tunnel.name, live.tunnel.listen
        session = self._places.get(planned.session) if planned is not None else None
        assert planned is not None and session is not None  # noqa: S101, PT018 - the core binds what can be bound
        try:
            what = f"listening at {session.host}"
            bound = await fenced(what, lambda: self._bind(session, live, port), BIND_DEADLINE, host=session.host)
        except RuntimeFailure as error:
            if planned.session is None or session.state == "open":
                self._tell(ListenerFailed(name, Failure.of(error)))
            return
        self._listeners[name] = bound
        again = bound.port if planned.chosen else 0
        self._tell(ListenerBound(name, bound.addresses, again, bound.notes))
        for note in bound.notes:
            self._observe(Noticed(host=session.host, message=f"{name}: {note}", level="warning"))

    async def _bind(self, session: Session, live: OpenTunnel, port: int | None) -> Bound:
        planned = live.tunnel.listen
        assert planned is not None  # noqa: S101
        gate = gate_for(planned, live.fence(self._serve(live)))
        bound = await listen(session, planned, gate, port)
        try:
            notes = await verify(session, gate, planned, bound)
        except BaseException:
            bound.close()
            raise
        finally:
            gate.open()
        return replace(bound, notes=(*bound.notes, *notes))

    def _serve(self, live: OpenTunnel) -> Accept:
        kind = self._plugins.kinds.get(live.tunnel.kind)
        if kind is None:
            raise RuntimeFailure(Code.PLUGIN_FAILED, f"no kind {live.tunnel.kind} is loaded")
        try:
            return kind.serve(live)
        except RuntimeFailure:
            raise
        except Exception as error:
            raise plugin_failed(f"kind {live.tunnel.kind}", error) from error

    def _has_check(self, tunnel: PlannedTunnel) -> bool:
        """``none`` proves nothing, and the default check is not for every kind."""
        type_ = tunnel.spec.check.type
        check = self._plugins.checks.get(type_)
        return type_ != "none" and (check is None or tunnel.kind in check.spec.kinds)

    async def _check(self, live: OpenTunnel) -> None:
        tunnel = live.tunnel
        type_ = tunnel.spec.check.type
        deadline = tunnel.spec.hold + tunnel.spec.dial_timeout + CHECK_GRACE
        try:
            check = self._plugins.checks.get(type_)
            if check is None:
                raise RuntimeFailure(Code.PLUGIN_FAILED, f"no check {type_} is loaded")
            async with self._checking:
                await fenced(f"check {type_}", lambda: check.run(live), deadline)
        except RuntimeFailure as error:
            if self._path_lives(tunnel):
                self._tell(CheckFailed(tunnel.name, Failure.of(error)))
        else:
            self._tell(CheckPassed(tunnel.name))

    def _path_lives(self, tunnel: PlannedTunnel) -> bool:
        """Else the loss of a session is about to be told, and is what there is to say."""
        sessions = [self._places.get(id_) for id_ in tunnel.sessions]
        return all(session is not None and session.state == "open" for session in sessions)

    def _outlook(self, id_: str) -> Outlook:
        """For those who wait for a session: what its nearest troubled ancestor says, or itself."""
        if self._state.stopping:
            return Outlook("orchestra is stopping", hopeless=True)
        entry = self._state.sessions[id_]
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
        for timer in self._timers.values():
            timer.cancel()
        tasks = {*self._ending, *(task for task in self._tasks.values() if not task.done())}
        for task in tasks:
            task.cancel()
        await close_sessions(self._closing, until - 1.0)
        if tasks:
            await asyncio.wait(tasks, timeout=max(0.1, until - self._loop.time()))

    def _hurry(self) -> None:
        """What is being closed in good order ends at once."""
        for _, session in self._closing:
            abort(session)


def _loss(server: str, reason: Exception | None) -> Failure:
    if isinstance(reason, RuntimeFailure):
        return Failure.of(reason)
    text = clean(str(reason)) if reason is not None and str(reason) else f"{server} closed the connection"
    return Failure(code=Code.SESSION_LOST, message=f"the session to {server} was lost: {text}", host=server)
