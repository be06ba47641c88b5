"""Everything that the core knows, frozen; and the draft that one step works on."""

from __future__ import annotations

import math
from dataclasses import field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from orchestra.engine.core.backoff import delay
from orchestra.engine.core.messages import SetTimer
from orchestra.engine.core.ways import ways_of
from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from orchestra.engine.core.failures import Failure, FailureClass
    from orchestra.engine.core.messages import Command, TimerKey
    from orchestra.engine.core.moves import ListenerState, ProofState
    from orchestra.engine.core.ways import Way
    from orchestra.model.plan import PlannedSession, PlannedTunnel
    from orchestra.model.status import SessionState


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Handshakes that may run at once: sshd drops those beyond MaxStartups (10:30:100), and they cost time here."""

    per_server: int = 2
    total: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A failure that stands: since when, after how many attempts in a row, and when the next one is due."""

    failure: Failure
    since: float
    attempts: int
    next_retry: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The attempts at one server, shared by all sessions to it: two ways to one host do not double its load."""

    failures: int = 0
    not_before: float = 0.0
    patient: bool = False
    """The last failure was somebody's decision, about which is asked slowly whoever waits."""
    hurried: float = -math.inf
    """When an attempt was brought forward last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEntry:
    """One session. ``trouble`` is its last failure, until it is open."""

    spec: PlannedSession
    state: SessionState = "waiting"
    opened_at: float = 0.0
    trouble: Trouble | None = None
    awaited: bool = False
    """A connection waits for it, so it is opened even when it only stands by."""
    wanted: bool = True
    """The plan has it; else only what a tunnel is until it becomes something else."""
    retiring: bool = False
    """Neither has it, but connections may still be over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """What a tunnel is to become. ``moves``: to another listener; ``apart``: which can be bound beside the one that it
    has; ``proves``: it has to be proven again. ``behind``: tunnels that move away from where it is to listen.
    ``trouble``: why that listener could not be bound."""

    spec: PlannedTunnel
    checked: bool
    moves: bool
    apart: bool
    proves: bool
    behind: frozenset[str] = frozenset()
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelEntry:
    """One tunnel: its listener, its proof, and what is wrong with either."""

    spec: PlannedTunnel
    ways: tuple[Way, ...]
    checked: bool
    """Whether it has a check to pass before it is ready."""
    live: int = 0
    """Which of its ways new connections take."""
    turned: str = ""
    """Why they take it, when that has changed."""
    back_at: float | None = None
    """When it is next asked whether they can go back to a better one."""
    listener: ListenerState = "idle"
    proof: ProofState = "idle"
    proven: bool = False
    """It passed its check on this path; of a check that is repeated not every failure counts."""
    streak: int = 0
    """Checks passed in a row on this path, or, below 0, failed."""
    settled: bool = False
    """It was ready once, so that what is missing now is a loss and no longer a beginning."""
    addresses: tuple[str, ...] = ()
    port: int | None = None
    notes: tuple[str, ...] = ()
    bind_trouble: Trouble | None = None
    proof_trouble: Trouble | None = None
    coming: Coming | None = None

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def way(self) -> Way:
        """The way that new connections take."""
        return self.ways[self.live]

    @property
    def entry(self) -> str | None:
        """The session that it listens at; None: here."""
        return self.spec.listen.session if self.spec.listen is not None else None


def blocker(sessions: Mapping[str, SessionEntry], way: Way) -> SessionEntry | None:
    """The first session of the way that is not open: its children only wait for it."""
    return next((entry for id_ in way.sessions if (entry := sessions[id_]).state != "open"), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Sessions parents first, tunnels by name, budgets by server. Entries that did not change keep their identity."""

    sessions: Mapping[str, SessionEntry]
    tunnels: Mapping[str, TunnelEntry]
    budgets: Mapping[str, Budget] = field(default_factory=lambda: MappingProxyType({}))
    limits: Limits = Limits()
    drain: float | None = None
    """Seconds that connections have whose tunnel or session is gone; None: for ever."""
    stopping: bool = False


def tunnel_entry(planned: PlannedTunnel, *, checked: bool) -> TunnelEntry:
    """A tunnel of which nothing is open yet."""
    return TunnelEntry(spec=planned, ways=ways_of(planned), checked=checked)


class Draft:
    """A working copy of the state for the length of one step, with the commands that the step gives."""

    def __init__(self, state: State, now: float, rng: Random) -> None:
        self.sessions = dict(state.sessions)
        self.tunnels = dict(state.tunnels)
        self.budgets = dict(state.budgets)
        self.limits = state.limits
        self.drain = state.drain
        self.now = now
        self.rng = rng
        self.commands: list[Command] = []

    def state(self) -> State:
        """The draft, frozen."""
        return State(
            sessions=MappingProxyType(self.sessions),
            tunnels=MappingProxyType(self.tunnels),
            budgets=MappingProxyType(self.budgets),
            limits=self.limits,
            drain=self.drain,
        )

    def deadline(self) -> float | None:
        """When connections are ended whose tunnel or session is gone now."""
        return None if self.drain is None else self.now + self.drain

    def trouble(
        self,
        before: Trouble | None,
        failure: Failure,
        kind: FailureClass,
        attempts: int,
        timer: TimerKey,
        at_most: float | None = None,
    ) -> Trouble:
        """The failure as trouble, with a timer for the next attempt when there is to be one."""
        wait = delay(kind, attempts, self.rng)
        if wait is not None and at_most is not None:
            wait = min(wait, at_most)
        next_retry = None if wait is None else self.now + wait
        if next_retry is not None:
            self.commands.append(SetTimer(timer, next_retry))
        since = before.since if before is not None and before.failure.code == failure.code else self.now
        return Trouble(failure=failure, since=since, attempts=attempts, next_retry=next_retry)

    def is_open(self, session: str | None) -> bool:
        """Whether that place can be used; *here* (None) always can."""
        return session is None or self.sessions[session].state == "open"

    def is_passable(self, way: Way) -> bool:
        """Whether every session of it is open."""
        return blocker(self.sessions, way) is None

    def is_hopeless(self, way: Way) -> bool:
        """Whether a session of it has stopped for good."""
        return any(self.sessions[id_].state == "failed" for id_ in way.sessions)

    def put_session(self, entry: SessionEntry, **changes: object) -> None:
        self.sessions[entry.spec.id] = replace(entry, **changes)  # type: ignore[arg-type]

    def put_tunnel(self, entry: TunnelEntry, **changes: object) -> None:
        self.tunnels[entry.name] = replace(entry, **changes)  # type: ignore[arg-type]
