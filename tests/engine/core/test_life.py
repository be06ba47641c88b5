"""Whatever happens, in whatever order: no contradiction, no limit passed, and nothing is forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra.diagnostics import Code
from orchestra.engine.core.failover import standing_by
from orchestra.engine.core.messages import (
    BindListener,
    CancelCheck,
    CheckFailed,
    CheckPassed,
    CloseListener,
    CloseSession,
    Command,
    DropSession,
    Event,
    ListenerBound,
    ListenerFailed,
    NetworkChanged,
    OpenSession,
    ProbeSession,
    Resumed,
    RunCheck,
    SessionAwaited,
    SessionEnded,
    SessionFailed,
    SessionOpened,
    SessionSilent,
    SetTimer,
    Started,
    StopRequested,
    TakeWay,
    TimerFired,
    TimerKey,
)
from orchestra.engine.core.state import Draft, Limits, TunnelEntry
from orchestra.engine.core.supervisor import begin, step
from orchestra.engine.core.telling import Teller
from orchestra.model.plan import Plan
from orchestra.model.topology import CheckRef
from tests.engine.core.script import failure, has_check
from tests.engine.plans import listen, plan, session, tunnel, with_ways

SESSIONS = (
    session("edge"),
    session("east", "edge", depth=2),
    session("west", "edge", depth=2),
    session("far", "west", depth=3),
    session("east-2", "far", server="east", depth=4),
    session("south"),
)
REPEATED = CheckRef(every=20.0, rise=2, fall=2)
PLAN: Plan = plan(
    SESSIONS,
    with_ways(tunnel("cold", "east", check=REPEATED), "west", "south"),
    with_ways(tunnel("warm", "edge", "east", standby="warm"), "south", None),
    with_ways(tunnel("hook", "edge", "east", entry=listen("127.0.0.1", at="edge"), exit_="east"), "south"),
    with_ways(tunnel("plain", "edge", "far", check=CheckRef(type="none")), "east-2"),
    tunnel("deep", "edge", "west", "far", "east-2", check=REPEATED),
)
LIMITS = Limits(per_server=1, total=2)
CODES = (Code.CONNECT_REFUSED, Code.SESSION_LOST, Code.FORWARD_REFUSED, Code.AUTH_FAILED)


class Life:
    """A shell without a world: what is under way, what is due, and the choice of what happens next."""

    def __init__(self, choose: Callable[[int], int]) -> None:
        self._choose = choose
        self.state = begin(PLAN, has_check=has_check, limits=LIMITS)
        self.teller = Teller(self.state)
        self.rng = Random(choose(1000))  # noqa: S311 - the same every time
        self.now = 0.0
        self.timers: dict[TimerKey, float] = {}
        self.opening: set[str] = set()
        self.open: set[str] = set()
        self.binding: set[str] = set()
        self.bound: set[str] = set()
        self.checking: dict[str, tuple[int, ...]] = {}
        self.live = Counter[str]()

    def pick(self, among: list[Event]) -> Event:
        return among[self._choose(len(among))]

    def tell(self, event: Event) -> None:
        self.state, commands = step(self.state, event, self.now, self.rng)
        for command in commands:
            self._perform(command)
        self.teller.changes(self.state, 1000.0)
        self._agree()

    def _perform(self, command: Command) -> None:
        match command:
            case OpenSession(id_):
                entry = self.state.sessions[id_]
                assert id_ not in self.opening | self.open
                assert entry.spec.server not in self.state.budgets or self._turn(entry.spec.server) <= self.now
                self.opening.add(id_)
            case DropSession(id_) | CloseSession(id_):
                assert id_ in self.opening | self.open
                self.opening.discard(id_)
                self.open.discard(id_)
            case BindListener(name):
                assert name not in self.binding | self.bound
                self.binding.add(name)
            case CloseListener(name):
                assert name in self.binding | self.bound
                self.binding.discard(name)
                self.bound.discard(name)
            case RunCheck(name, ways):
                assert name not in self.checking
                self.checking[name] = ways
            case CancelCheck(name):
                del self.checking[name]
            case TakeWay(name, way):
                self.live[name] = way
            case SetTimer(key, at):
                self.timers[key] = at
            case ProbeSession(id_):
                assert id_ in self.open

    def _turn(self, server: str) -> float:
        return self.state.budgets[server].not_before

    # What may happen.

    def happens(self) -> None:
        what = self._choose(8)
        why = failure(CODES[self._choose(len(CODES))])
        rings: list[Event] = [TimerFired(key) for key in sorted(self.timers, key=lambda key: self.timers[key])[:1]]
        opened: list[Event] = [SessionOpened(id_) for id_ in sorted(self.opening)]
        refused: list[Event] = [SessionFailed(id_, why) for id_ in sorted(self.opening)]
        lost: list[Event] = [SessionEnded(id_, why) for id_ in sorted(self.open)]
        lost += [SessionSilent(spec.id, why) for spec in SESSIONS]
        bound: list[Event] = [ListenerBound(name, ("127.0.0.1:1",), 0) for name in sorted(self.binding)]
        unbound: list[Event] = [ListenerFailed(name, why) for name in sorted(self.binding)]
        passed: list[Event] = [CheckPassed(name, way, why) for name, ways in self.checking.items() for way in ways]
        failed: list[Event] = [CheckFailed(name, why) for name in self.checking]
        awaited: list[Event] = [SessionAwaited(spec.id) for spec in SESSIONS]
        shaken: list[Event] = [Resumed(), NetworkChanged()]
        kinds = [opened + bound, passed or opened, rings, opened, refused + unbound, lost, failed, awaited + shaken]
        if not (candidates := kinds[what]):
            return
        event = self.pick(candidates)
        self._done(event)
        self.tell(event)

    def _done(self, event: Event) -> None:
        match event:
            case SessionOpened(id_):
                self.opening.discard(id_)
                self.open.add(id_)
            case SessionFailed(id_):
                self.opening.discard(id_)
            case SessionEnded(id_):
                self.open.discard(id_)
            case ListenerBound(name):
                self.binding.discard(name)
                self.bound.add(name)
            case ListenerFailed(name):
                self.binding.discard(name)
            case CheckPassed(name) | CheckFailed(name):
                del self.checking[name]
            case TimerFired(key):
                self.now = max(self.now, self.timers.pop(key))

    # What must be true at any time.

    def _agree(self) -> None:
        if self.state.stopping:
            assert not self.opening | self.open | self.binding | self.bound | set(self.checking)
            return
        self._sessions_agree()
        for entry in self.state.tunnels.values():
            self._tunnel_agrees(entry)

    def _sessions_agree(self) -> None:
        sessions = self.state.sessions
        for state, known in (("connecting", self.opening), ("open", self.open)):
            assert {id_ for id_, entry in sessions.items() if entry.state == state} == known
        servers = Counter(sessions[id_].spec.server for id_ in self.opening)
        assert servers.total() <= LIMITS.total
        assert all(number <= LIMITS.per_server for number in servers.values())
        spare = standing_by(Draft(self.state, self.now, self.rng))
        for id_, entry in sessions.items():
            over, server = entry.spec.via, entry.spec.server
            parent_open = over is None or sessions[over].state == "open"
            assert parent_open or entry.state not in ("connecting", "open"), f"{id_} without its parent"
            if entry.state == "retrying":
                assert ("server", server) in self.timers
            if entry.state == "waiting" and parent_open and (entry.awaited or id_ not in spare):
                full = servers.total() == LIMITS.total or servers[server] == LIMITS.per_server
                turn = self.state.budgets[server].not_before if server in self.state.budgets else 0.0
                assert full or (turn > self.now and ("server", server) in self.timers), f"{id_} is forgotten"

    def _tunnel_agrees(self, entry: TunnelEntry) -> None:
        name, every = entry.name, entry.spec.spec.check.every
        at_entry = entry.entry is None or entry.entry in self.open
        passable = self.open.issuperset(entry.way.sessions)
        assert self.live[name] == entry.live
        assert (entry.listener == "binding") == (name in self.binding)
        assert (entry.listener == "bound") == (name in self.bound)
        assert (entry.proof == "running") == (name in self.checking)
        assert entry.listener in ("binding", "bound", "retrying") if at_entry else entry.listener == "idle"
        assert not entry.proven or passable
        if entry.listener == "retrying" and entry.bind_trouble and entry.bind_trouble.next_retry is not None:
            assert ("listener", name) in self.timers
        if entry.listener == "bound" and passable and entry.checked:
            assert entry.proof != "idle", f"{name} is not checked"
        if entry.proof == "failed" or (entry.proof == "passed" and every is not None):
            assert ("check", name) in self.timers, f"{name} is not checked again"
        if any(self.open.issuperset(way.sessions) for way in entry.ways[: entry.live]):
            assert ("way", name) in self.timers, f"{name} never goes back"
        if not passable and entry.settled:
            assert not any(self.open.issuperset(way.sessions) for way in entry.ways), f"{name} takes no way"


@settings(deadline=None)
@given(st.data())
def test_whatever_happens_nothing_contradicts_itself_and_nothing_is_forgotten(data: st.DataObject) -> None:
    life = Life(lambda number: data.draw(st.integers(0, number - 1)))
    life.tell(Started())
    for _ in range(data.draw(st.integers(0, 60))):
        life.happens()
    life.tell(StopRequested())
