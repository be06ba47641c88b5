"""Plans that change while everything runs: what is new comes before what is old goes, and in the end nothing shows
that there ever was another plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.core.messages import (
    AdoptPlan,
    BindListener,
    CancelBind,
    CancelCheck,
    CheckPassed,
    CloseListener,
    CloseSession,
    Command,
    DrainTunnel,
    DropSession,
    EndRelays,
    Event,
    ListenerBound,
    ListenerFailed,
    OpenSession,
    ProbeSession,
    ReconnectRequested,
    ReleaseSession,
    RunCheck,
    SessionEnded,
    SessionFailed,
    SessionIdle,
    SessionOpened,
    StopRequested,
    TakeWay,
)
from orchestra.engine.core.state import Limits
from orchestra.engine.core.telling import Teller
from orchestra.model.plan import Alternative, Plan, PlannedTunnel
from orchestra.model.topology import CheckRef
from tests.engine.core.changes import DESK, EDGE, OTHER, change, ready
from tests.engine.core.script import Script, failure
from tests.engine.plans import chain, listen, plan, session, tunnel


def test_the_same_plan_asks_for_nothing() -> None:
    script = ready(DESK)
    before = script.state
    assert change(script, DESK) == []
    assert script.state.sessions.keys() == before.sessions.keys()
    assert script.status.state == "ready"


def test_a_tunnel_more_is_opened_and_leaves_the_others_alone() -> None:
    script = ready(DESK)
    commands = change(script, plan(EDGE, tunnel("desk", "edge"), tunnel("wiki", "edge", entry=listen("::1"))))
    assert commands == [BindListener("wiki")]
    assert script.tunnel("desk").state == "ready"
    assert script.tunnel("wiki").state == "starting"


def test_a_tunnel_less_accepts_nothing_more_and_has_time_to_drain() -> None:
    script = ready(plan(EDGE, tunnel("desk", "edge"), tunnel("wiki", "edge")))
    assert change(script, DESK) == [CloseListener("wiki"), DrainTunnel("wiki", 30.0)]
    assert [t.name for t in script.status.tunnels] == ["desk"]


def test_a_way_that_is_down_is_left_at_once() -> None:
    script = ready(DESK)
    script.tell(SessionEnded("edge", failure(Code.SESSION_LOST)))
    assert change(script, plan((session("west"),), tunnel("desk", "west"))) == [AdoptPlan("desk"), OpenSession("west")]
    assert script.states() == "west=connecting"


def test_a_session_with_other_settings_is_opened_beside_the_first() -> None:
    script = ready(DESK)
    commands = change(script, plan((session("edge~2", server="edge"),), tunnel("desk", "edge~2")), aligned=False)
    assert commands == [OpenSession("edge~2")]
    assert AdoptPlan("desk") in script.tell(SessionOpened("edge~2"))


def test_timers_of_what_has_gone_ring_for_nobody() -> None:
    script = ready(plan(EDGE, tunnel("desk", "edge", check=CheckRef(every=9.0))))
    change(script, plan())
    assert script.ring("check", "desk") == []


def test_reconnecting_forgets_refusals_and_waiting_times() -> None:
    script = Script(plan(chain("edge", "gateway"), tunnel("desk", "edge", "gateway")))
    script.start()
    script.tell(SessionFailed("edge", failure(Code.AUTH_FAILED)))
    assert script.session("edge").state == "failed"
    assert script.tell(ReconnectRequested(("edge", "gateway"), ("desk",))) == [OpenSession("edge")]
    script.tell(SessionOpened("edge"))
    script.tell(SessionOpened("gateway"))
    commands = script.tell(ReconnectRequested(("edge",)))
    assert commands == [DropSession("edge"), DropSession("gateway"), OpenSession("edge")]


# -- whatever happens, in whatever order ------------------------------------------------------------------------------

LIMITS = Limits(per_server=2, total=3)
BACKUP = Alternative(path=("laptop", "west"), sessions=("west",), exit="west", dial=OTHER)


def some_plan(rng: Random) -> Plan:
    """A plan over some of the servers, with some of the tunnels, in some shape."""
    inner = rng.choice([chain("edge", "gateway"), chain("edge", "gateway", "vault"), chain("edge")])
    sessions = (*inner, session("west"))
    deepest = tuple(each.id for each in inner)
    port = rng.choice([5920, 5920, 5921])
    shapes = [
        tunnel("desk", *deepest, entry=listen(rng.choice(["127.0.0.1", "*"]), port=port)),
        tunnel("desk", "west", check=CheckRef(type=rng.choice(["tcp", "none"]))),
        tunnel("desk", *deepest, hold=rng.choice([1.0, 2.0]), dial=rng.choice([OTHER, None])),
    ]
    others = [
        tunnel("hook", "edge", entry=listen("localhost", at="edge", port=rng.choice([0, 80]))),
        tunnel("hook", "west", entry=listen("localhost", at="west", port=0), check=CheckRef(every=30.0)),
        tunnel("spare", *deepest, failover=True),
    ]
    chosen = [rng.choice(shapes), *rng.sample(others, 1), tunnel("direct")]
    spares = [each if each.name != "spare" else with_backup(each) for each in chosen]
    kept = tuple(sorted(rng.sample(spares, rng.randint(1, 3)), key=lambda each: each.name))
    used = {id_ for each in kept for id_ in (*each.sessions, *(i for a in each.alternatives for i in a.sessions))}
    return plan(tuple(each for each in sessions if each.id in used), *kept)


def with_backup(each: PlannedTunnel) -> PlannedTunnel:
    return replace(each, alternatives=(BACKUP,))


class World:
    """Does what it is told, and complains about what cannot be done."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.sessions: dict[str, str] = {}
        self.via: dict[str, str | None] = {}
        self.listeners: dict[str, str] = {}
        self.checks: dict[str, int] = {}
        self.draining: set[str] = set()

    def perform(self, command: Command) -> None:
        match command:
            case OpenSession(id_):
                via = self.script.state.sessions[id_].spec.via
                assert id_ not in self.sessions
                assert via is None or self.sessions[via] == "open"
                self.sessions[id_], self.via[id_] = "connecting", via
            case DropSession(id_) | CloseSession(id_):
                del self.sessions[id_]
            case ReleaseSession(id_, _):
                assert self.sessions.pop(id_) == "open"
                assert id_ not in [self.via[child] for child in self.sessions], "children first"
            case BindListener(name, _):
                entry = self.script.state.tunnels[name]
                target = entry.coming.spec if entry.coming and entry.listener == "moving" else entry.spec
                at = target.listen.session if target.listen else None
                assert at is None or self.sessions[at] == "open"
                assert self.listeners.get(name) in (None, "bound")
                self.listeners[name] = "moving" if name in self.listeners else "binding"
            case CancelBind(name):
                assert self.listeners[name] == "moving"
                self.listeners[name] = "bound"
            case CloseListener(name):
                del self.listeners[name]
            case RunCheck(name, ways):
                assert name not in self.checks
                assert self.listeners[name] in ("bound", "moving")
                self.checks[name] = ways[0]
            case CancelCheck(name):
                del self.checks[name]
            case AdoptPlan(name):
                assert name in self.script.state.tunnels
            case DrainTunnel(name, _):
                assert name not in self.listeners
                assert name not in self.checks
            case EndRelays() | TakeWay() | ProbeSession():
                pass
            case _:
                raise AssertionError(command)

    def happen(self, rng: Random) -> Event | None:
        """Something that can happen now, and has."""
        retiring = [id_ for id_, entry in self.script.state.sessions.items() if entry.retiring]
        binding = [name for name, state in self.listeners.items() if state != "bound"]
        possible: list[tuple[Callable[[str, Random], Event | None], str]] = []
        possible += [(self._session, id_) for id_ in self.sessions]
        possible += [(self._listener, name) for name in binding]
        possible += [(self._check, name) for name in sorted(self.checks)]
        possible += [(self._idle, id_) for id_ in retiring]
        if not possible:
            return None
        happens, name = rng.choice(possible)
        return happens(name, rng)

    def _session(self, id_: str, rng: Random) -> Event | None:
        if self.sessions[id_] == "connecting" and rng.random() < 0.8:
            self.sessions[id_] = "open"
            return SessionOpened(id_)
        if self.sessions[id_] == "open" and rng.random() < 0.7:
            return None
        was = self.sessions.pop(id_)
        code = rng.choice([Code.CONNECT_REFUSED, Code.SESSION_LOST])
        return (SessionEnded if was == "open" else SessionFailed)(id_, failure(code))

    def _listener(self, name: str, rng: Random) -> Event:
        moving = self.listeners[name] == "moving"
        if rng.random() < 0.8:
            self.listeners[name] = "bound"
            return ListenerBound(name, (f"127.0.0.1:{rng.randint(1, 9)}",), 0)
        self.listeners.pop(name)
        if moving:
            self.listeners[name] = "bound"
        return ListenerFailed(name, failure(rng.choice([Code.LISTEN_IN_USE, Code.FORWARD_REFUSED])))

    def _check(self, name: str, _: Random) -> Event:
        return CheckPassed(name, self.checks.pop(name))

    def _idle(self, id_: str, _: Random) -> Event:
        return SessionIdle(id_)

    def look(self) -> None:
        """What the core believes is what is."""
        state = self.script.state
        assert {i for i, what in self.sessions.items() if what == "open"} == {
            id_ for id_, entry in state.sessions.items() if entry.state == "open"
        }
        for name, entry in state.tunnels.items():
            assert (entry.listener in ("binding", "bound", "moving")) == (name in self.listeners)
            assert all(id_ in state.sessions for way in entry.ways for id_ in way.sessions)
        assert self.listeners.keys() <= state.tunnels.keys()
        told, fresh = self.script.teller.status(), Teller(state).status()
        assert [(t.name, t.state) for t in told.tunnels] == [(t.name, t.state) for t in fresh.tunnels]
        assert (told.state, len(told.sessions)) == (fresh.state, len(fresh.sessions))


def settle(world: World, script: Script, rng: Random) -> None:
    """Nothing fails any more, and all timers ring."""
    for _ in range(3000):
        event: Event | None = None
        for id_, what in world.sessions.items():
            if what == "connecting":
                world.sessions[id_], event = "open", SessionOpened(id_)
                break
        for name, what in world.listeners.items():
            if event is None and what != "bound":
                world.listeners[name], event = "bound", ListenerBound(name, ("127.0.0.1:1",), 0)
                break
        if event is None and world.checks:
            event = world._check(min(world.checks), rng)
        retiring = [id_ for id_, entry in script.state.sessions.items() if entry.retiring]
        if event is None and retiring:
            event = SessionIdle(retiring[0])
        timers = {key: at for key, at in script.timers.items() if key[0] != "check"}
        if event is None and not timers:
            return
        commands = script.tell(event) if event else script.ring(*min(timers, key=lambda key: timers[key]))
        for command in commands:
            world.perform(command)
        world.look()
    raise AssertionError("it never comes to rest")


def in_short(script: Script) -> object:
    """Everything but what ids and counters tell of the past; a session that stands by may be open or not."""
    state = script.state
    needed = {id_ for entry in state.tunnels.values() for id_ in entry.way.sessions}
    sessions = sorted((s.spec.server, s.spec.depth, s.state) for s in state.sessions.values() if s.spec.id in needed)
    tunnels = [
        (
            t.name,
            t.listener,
            t.proof,
            t.proven,
            t.coming,
            t.live,
            t.spec.dial,
            t.spec.spec,
            t.spec.listen and t.spec.listen.binds,
        )
        for t in state.tunnels.values()
    ]
    return sessions, tunnels, {s.spec.server for s in state.sessions.values()}


@pytest.mark.parametrize("seed", range(80))
def test_any_plans_and_events_in_any_order_end_as_the_last_plan_alone(seed: int) -> None:
    rng = Random(seed)  # noqa: S311
    script = Script(some_plan(rng), seed=seed, limits=LIMITS)
    world = World(script)
    last = Plan(topology="", client="")
    for command in script.start():
        world.perform(command)
    for _ in range(150):
        if rng.random() < 0.08:
            last = some_plan(rng)
            commands = change(script, last, drain=rng.choice([None, 5.0, 30.0]))
        elif script.timers and rng.random() < 0.3:
            commands = script.ring(*min(script.timers, key=lambda each: script.timers[each]))
        elif (event := world.happen(rng)) is not None:
            commands = script.tell(event, after=rng.choice([0.0, 0.01]))
        else:
            continue
        for command in commands:
            world.perform(command)
        world.look()
    last = some_plan(rng)
    for command in change(script, last):
        world.perform(command)
    settle(world, script, rng)

    alone = Script(last, seed=seed, limits=LIMITS)
    world_alone = World(alone)
    for command in alone.start():
        world_alone.perform(command)
    settle(world_alone, alone, rng)
    assert in_short(script) == in_short(alone)

    for command in script.tell(StopRequested()):
        world.perform(command)
    assert (world.sessions, world.listeners, world.checks) == ({}, {}, {})
