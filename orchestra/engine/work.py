"""What the tasks do: each keeps one session, opens one listener or runs one check, and tells what came of it.

Nothing is told of what failed only because the session below it ended: the task that keeps that one tells of it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.engine.asking import Questions, paused
from orchestra.engine.closing import abort, end_of
from orchestra.engine.core.failures import Failure
from orchestra.engine.core.messages import (
    CheckFailed,
    CheckPassed,
    ListenerBound,
    ListenerFailed,
    SessionEnded,
    SessionFailed,
    SessionOpened,
    SessionSilent,
)
from orchestra.engine.fences import ENTRANCE, SESSION, fenced, not_loaded, plugin_failed, secret_reader, whole
from orchestra.engine.leftovers import remove
from orchestra.engine.listening import Bound, listen
from orchestra.engine.proof import gate_for, verify
from orchestra.errors import RuntimeFailure
from orchestra.model.events import Noticed
from orchestra.model.measures import Durations
from orchestra.model.text import clean
from orchestra.plugin.interfaces import Binding, OpenRequest
from orchestra.session.protocols import Attentive

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.engine.context import OpenTunnel
    from orchestra.engine.core import messages
    from orchestra.engine.places import Places
    from orchestra.model.events import Event
    from orchestra.model.plan import Plan, PlannedListen, PlannedSession, PlannedTunnel
    from orchestra.model.topology import Host, Topology
    from orchestra.plugin.interfaces import Ask, Entrance, Question, TunnelContext
    from orchestra.plugin.manager import Plugins
    from orchestra.session.protocols import Accept, Session

_log = logging.getLogger(__name__)

OPEN_DEADLINE = 300.0
"""Seconds; transports set their own, shorter ones, but a person may have to touch a key."""
BIND_DEADLINE = 60.0
CHECKS = 64
"""Checks that run at once: a thousand tunnels over one session do not knock at the same moment."""
TIDY = 2.0
"""Seconds that the end waits for servers to be left as they were found."""
CHECK_GRACE = 20.0
"""Seconds that a check has for its conversation, beyond the dial."""
CHECK_WORDS = 0.5
"""Seconds beyond the file's `timeout`: a check that keeps it by itself says better what it waited for."""


class Work:
    """Performs over ``places`` what takes time. ``tell`` hears the results, ``observe`` what is only to be said."""

    def __init__(
        self,
        plugins: Plugins,
        places: Places,
        *,
        ask: Ask,
        tell: Callable[[messages.Event], None],
        observe: Callable[[Event], None],
    ) -> None:
        self._plugins, self._places = plugins, places
        self._hosts: dict[str, Host] = {}
        self._tell, self._observe = tell, observe
        self._questions = Questions(ask)
        self.read_secret = secret_reader(plugins)
        self._checking = asyncio.Semaphore(CHECKS)
        self._listeners: dict[str, tuple[Entrance, PlannedListen, Session]] = {}
        self._proving: list[tuple[Bound, Session]] = []
        self._removals: set[asyncio.Task[bool]] = set()
        self.handshakes: dict[str, Durations] = {}
        """By session: how long its openings took."""

    def expect(self, plan: Plan, topology: Topology) -> None:
        """Sessions of this plan may be asked for. Those of an earlier one are opened as they were."""
        self._hosts |= {session.id: topology.hosts[session.server] for session in plan.sessions}

    async def keep_session(self, planned: PlannedSession) -> None:
        """Opens it and waits for its end."""
        over = self._places.get(planned.via)
        assert over is not None  # noqa: S101 - the core opens a session when its parent is open
        began = asyncio.get_running_loop().time()
        try:
            session = await self._open_session(planned, over)
        except RuntimeFailure as error:
            if _stands(planned.via, over):
                self._tell(SessionFailed(planned.id, Failure.of(error)))
            return
        took = asyncio.get_running_loop().time() - began
        self.handshakes[planned.id] = self.handshakes.get(planned.id, Durations()).plus(took)
        self._places.put(planned.id, session)
        self._tell(SessionOpened(planned.id))
        reason = await end_of(session)
        if _stands(planned.via, over):
            self._places.remove(planned.id)
            if session.state != "closed":
                abort(session)
            self._tell(SessionEnded(planned.id, _loss(planned.server, reason)))

    async def _open_session(self, planned: PlannedSession, over: Session) -> Session:
        host = self._hosts[planned.id]
        assert host.server is not None  # noqa: S101 - sessions are planned to servers only
        name = host.server.transport.type
        transport = self._plugins.transports.get(name)
        if transport is None:
            raise not_loaded(self._plugins, f"transport {name}", host.name)

        def notice(text: str) -> None:
            self._observe(Noticed(host=host.name, message=text))

        async def ask(question: Question) -> str | None:
            with paused(scope):
                return await self._questions(question)

        request = OpenRequest(
            server=host,
            dial=planned.dial,
            over=over,
            depth=planned.depth,
            read_secret=self.read_secret,
            notice=notice,
            ask=ask,
        )
        what, scope = f"transport {name}", asyncio.timeout(OPEN_DEADLINE)
        try:
            made = await fenced(what, lambda: transport.open(request), OPEN_DEADLINE, host=host.name, scope=scope)
            return whole(what, made, SESSION, host=host.name)
        except RuntimeFailure as error:
            if error.code is Code.AUTH_FAILED:
                self._questions.forget(host.name)
            raise

    async def open_listener(self, live: OpenTunnel, port: int | None, coming: PlannedListen | None = None) -> None:
        """Opens it, asking for ``port`` where any will do, and proves it; or the one that is ``coming``, in whose
        favour the one that there is is closed."""
        name, planned = live.tunnel.name, coming or live.tunnel.listen
        session = self._places.get(planned.session) if planned is not None else None
        assert planned is not None and session is not None  # noqa: S101, PT018 - the core binds what can be bound
        try:
            binding = isinstance(self._plugins.kinds.get(live.tunnel.kind), Binding)
            what = f"kind {live.tunnel.kind}" if binding else f"listening at {session.host}"
            if planned.removable:
                await self.tidy()  # what is removed must not be the new one
            bound = await fenced(
                what, lambda: self._bind(session, live, planned, port), BIND_DEADLINE, host=session.host
            )
        except RuntimeFailure as error:
            if _stands(planned.session, session):
                self._tell(ListenerFailed(name, Failure.of(error)))
                if name in self._listeners:
                    message = f"{name} goes on listening where it did: {error.message}"
                    self._observe(Noticed(host=session.host, message=message, level="warning"))
            return
        self.close_listener(name)
        self._listeners[name] = bound, planned, session
        live.addresses = bound.addresses
        again = bound.port if planned.chosen else 0
        self._tell(ListenerBound(name, bound.addresses, again, bound.notes))
        for note in bound.notes:
            self._observe(Noticed(host=session.host, message=f"{name}: {note}", level="warning"))

    def close_listener(self, name: str) -> None:
        """Closes what :meth:`open_listener` opened, if it did."""
        if name not in self._listeners:
            return
        bound, planned, session = self._listeners.pop(name)
        bound.close()
        if isinstance(bound, Bound) and planned.removable and session.state == "open":
            removal = asyncio.create_task(_removed(bound, planned, session), name=f"removal {name}")
            self._removals.add(removal)
            removal.add_done_callback(self._removals.discard)

    async def tidy(self) -> None:
        """Waits, but not long, until no closed listener has left anything behind."""
        if self._removals:
            await asyncio.wait(self._removals, timeout=TIDY)

    def adopt(self, live: OpenTunnel) -> None:
        """What the kind does with new connections is what the tunnel says now; its listener stays."""
        kind: object = self._plugins.kinds.get(live.tunnel.kind)
        if not isinstance(kind, Binding):
            live.serve = self._serve(live)

    def binds_itself(self, kind: str) -> bool:
        """Whether tunnels of that kind have no listener of streams."""
        return isinstance(self._plugins.kinds.get(kind), Binding)

    async def _bind(self, session: Session, live: OpenTunnel, planned: PlannedListen, port: int | None) -> Entrance:
        kind: object = self._plugins.kinds.get(live.tunnel.kind)
        if isinstance(kind, Binding):
            return whole(f"kind {live.tunnel.kind}", await kind.bind(live, session, port or 0), ENTRANCE)
        gate = gate_for(planned, live.fence(self._serve(live)))
        bound = await listen(session, planned, gate, port)
        self._proving.append((bound, session))
        try:
            notes = await verify(session, gate, planned, bound, lambda: self._others(bound, session))
        except BaseException:
            bound.close()
            raise
        finally:
            self._proving.remove((bound, session))
            gate.open()
        return replace(bound, notes=(*bound.notes, *notes))

    def _others(self, bound: Bound, session: Session) -> set[str]:
        """Addresses of the other listeners of streams at that server."""
        kept = ((entrance, there) for entrance, _, there in self._listeners.values() if isinstance(entrance, Bound))
        standing = (each for each, there in (*self._proving, *kept) if there is session and each is not bound)
        return {address for each in standing for address in each.addresses}

    def _serve(self, live: OpenTunnel) -> Accept:
        kind = self._plugins.kinds.get(live.tunnel.kind)
        if kind is None:
            raise not_loaded(self._plugins, f"kind {live.tunnel.kind}")
        try:
            return whole(f"kind {live.tunnel.kind}", kind.serve(live), ("__call__",))
        except RuntimeFailure:
            raise
        except Exception as error:
            raise plugin_failed(f"kind {live.tunnel.kind}", error) from error

    def has_check(self, tunnel: PlannedTunnel) -> bool:
        """``none`` proves nothing, and the default check is not for every kind."""
        type_ = tunnel.spec.check.type
        check = self._plugins.checks.get(type_)
        return type_ != "none" and (check is None or tunnel.kind in check.spec.kinds)

    async def check(self, live: OpenTunnel, ways: tuple[int, ...], *, again: bool) -> None:
        """Runs the tunnel's check by those ways in turn, until it passes by one.

        ``again``: on a path by which it ran before; then what real connections brought since will do instead.
        """
        name, failures = live.tunnel.name, dict[int, Failure]()
        if live.vouched() and again:
            self._tell(CheckPassed(name, live.live))
            return
        for number in ways:
            try:
                await self._check_by(live.by(number))
            except RuntimeFailure as error:
                failures[number] = Failure.of(error)
            else:
                self._tell(CheckPassed(name, number, failures.get(live.live)))
                return
        if self._path_lives(live.tunnel):
            self._tell(CheckFailed(name, failures[live.live]))

    async def _check_by(self, context: TunnelContext) -> None:
        ref, spec = context.tunnel.spec.check, context.tunnel.spec
        check = self._plugins.checks.get(ref.type)
        if check is None:
            raise not_loaded(self._plugins, f"check {ref.type}")
        what, usual = f"check {ref.type}", spec.hold + spec.dial_timeout + CHECK_GRACE
        async with self._checking:
            if ref.timeout is None:
                await fenced(what, lambda: check.run(context), usual)
            else:
                scope = asyncio.timeout(ref.timeout + CHECK_WORDS)
                await fenced(what, lambda: check.run(context), ref.timeout, scope=scope, late=Code.CHECK_FAILED)

    async def probe(self, id_: str, server: str, deadline: float) -> None:
        """Asks an open session whether it lives; what is open and says nothing at all meanwhile is told of."""
        session = self._places.get(id_)
        if session is None:
            return
        asked = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(deadline):
                await session.ping()
        except TimeoutError:
            busy = isinstance(session, Attentive) and session.heard > asked
            if session.state == "open" and not busy:
                message = f"the session to {server} was lost: it did not answer within {deadline:g} seconds"
                self._tell(SessionSilent(id_, Failure(code=Code.SESSION_LOST, message=message, host=server)))
        except Exception as error:  # noqa: BLE001 - a plugin's session
            _log.debug("%s could not be asked whether it lives: %r", server, error)

    def _path_lives(self, tunnel: PlannedTunnel) -> bool:
        """Else the loss of a session is about to be told, and is what there is to say."""
        sessions = [self._places.get(id_) for id_ in tunnel.sessions]
        return all(session is not None and session.state == "open" for session in sessions)


async def _removed(bound: Bound, planned: PlannedListen, session: Session) -> bool:
    """Removes the socket that a closed listener left at its server."""
    for listener in bound.listeners:
        await listener.wait_closed()
    return planned.unix is not None and await remove(session, planned.unix.path)


def _stands(id_: str | None, session: Session) -> bool:
    """Else what failed over it is not at fault, and the task that keeps it says so; *here* (None) is kept by none."""
    return id_ is None or session.state == "open"


def _loss(server: str, reason: Exception | None) -> Failure:
    if isinstance(reason, RuntimeFailure):
        return Failure.of(reason)
    text = clean(str(reason)) if reason is not None and str(reason) else f"{server} closed the connection"
    return Failure(code=Code.SESSION_LOST, message=f"the session to {server} was lost: {text}", host=server)
