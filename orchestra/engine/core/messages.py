"""What the shell tells the core (events, in the past tense) and what the core asks of the shell (commands)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from orchestra.engine.core.failures import Failure
    from orchestra.model.plan import Plan

TimerKey: TypeAlias = tuple[Literal["server", "listener", "check", "way", "drain"], str]
"""Whose turn it is: a server's next attempt, a tunnel's listener, its check, its way back to a better path;
a session that is to be idle by now."""


@dataclass(frozen=True, slots=True)
class Started:
    """The engine begins."""


@dataclass(frozen=True, slots=True)
class SessionOpened:
    id: str


@dataclass(frozen=True, slots=True)
class SessionFailed:
    """It could not be opened."""

    id: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """It was open and has ended by itself."""

    id: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class SessionSilent:
    """It did not answer in time when it was asked whether it lives."""

    id: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class SessionAwaited:
    """A connection waits for it."""

    id: str


@dataclass(frozen=True, slots=True)
class ListenerBound:
    """It listens, and where that could be proven it was. ``port``: to be asked for again when it was chosen freely."""

    tunnel: str
    addresses: tuple[str, ...]
    port: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListenerFailed:
    """Nothing of it is open."""

    tunnel: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class CheckPassed:
    """By the way of that number; ``failed``: why it did not pass by those that were tried before it."""

    tunnel: str
    way: int = 0
    failed: Failure | None = None


@dataclass(frozen=True, slots=True)
class CheckFailed:
    """By every way that was tried; the failure is that of the first."""

    tunnel: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class TimerFired:
    key: TimerKey


@dataclass(frozen=True, slots=True)
class Resumed:
    """This machine was suspended and goes on."""


@dataclass(frozen=True, slots=True)
class NetworkChanged:
    """An address or a route of this machine came or went."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanged:
    """Another plan is to be made true, whose sessions bear the ids of those that are there and do as they are.

    ``checked``: tunnels that have a check; ``binding``: tunnels whose kind, before or now, binds by itself;
    ``drain``: seconds that connections have whose tunnel or session is gone, None for ever.
    """

    plan: Plan
    checked: frozenset[str]
    binding: frozenset[str] = frozenset()
    drain: float | None = None


@dataclass(frozen=True, slots=True)
class SessionIdle:
    """Nothing is carried over a retiring session any more."""

    id: str


@dataclass(frozen=True, slots=True)
class ReconnectRequested:
    """These sessions are to be opened anew, and these tunnels bound and proven, whatever stood in the way before."""

    sessions: tuple[str, ...]
    tunnels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Everything is to be closed."""


Event: TypeAlias = (
    Started
    | SessionOpened
    | SessionFailed
    | SessionEnded
    | SessionSilent
    | SessionAwaited
    | ListenerBound
    | ListenerFailed
    | CheckPassed
    | CheckFailed
    | TimerFired
    | Resumed
    | NetworkChanged
    | PlanChanged
    | SessionIdle
    | ReconnectRequested
    | StopRequested
)


@dataclass(frozen=True, slots=True)
class OpenSession:
    id: str


@dataclass(frozen=True, slots=True)
class DropSession:
    """End it at once, or stop opening it; nothing is reported."""

    id: str


@dataclass(frozen=True, slots=True)
class CloseSession:
    """End it in good order."""

    id: str


@dataclass(frozen=True, slots=True)
class ProbeSession:
    """Ask it whether it lives, and report :class:`SessionSilent` when it has not answered after so many seconds."""

    id: str
    deadline: float


@dataclass(frozen=True, slots=True)
class ReleaseSession:
    """End it in good order now, while the others go on; the deepest first."""

    id: str
    depth: int


@dataclass(frozen=True, slots=True)
class BindListener:
    """``port``: what an earlier listener of this tunnel got when any port would do. Where one is bound already, this is
    the one that is coming, in whose favour it is closed."""

    tunnel: str
    port: int | None = None


@dataclass(frozen=True, slots=True)
class CloseListener:
    """Close it, or stop opening it; nothing is reported. Connections that it accepted live on."""

    tunnel: str


@dataclass(frozen=True, slots=True)
class CancelBind:
    """Stop opening the listener that is coming; the one that is bound goes on."""

    tunnel: str


@dataclass(frozen=True, slots=True)
class AdoptPlan:
    """From now on the tunnel is what the state says it is; connections that it carries stay where they are."""

    tunnel: str


@dataclass(frozen=True, slots=True)
class DrainTunnel:
    """It is none of the plan any more: what it carries is ended at that time, or never."""

    tunnel: str
    until: float | None


@dataclass(frozen=True, slots=True)
class RunCheck:
    """By those ways in turn, until it passes by one. ``again``: what real connections brought since the last run will
    do instead."""

    tunnel: str
    ways: tuple[int, ...] = (0,)
    again: bool = False


@dataclass(frozen=True, slots=True)
class CancelCheck:
    tunnel: str


@dataclass(frozen=True, slots=True)
class EndRelays:
    """End every connection that the tunnel carries."""

    tunnel: str


@dataclass(frozen=True, slots=True)
class TakeWay:
    """New connections take the way of that number from now on; those that are carried stay where they are."""

    tunnel: str
    way: int


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Report :class:`TimerFired` at that time, in place of any earlier timer of the same key."""

    key: TimerKey
    at: float


Command: TypeAlias = (
    OpenSession
    | DropSession
    | CloseSession
    | ReleaseSession
    | ProbeSession
    | BindListener
    | CancelBind
    | CloseListener
    | AdoptPlan
    | DrainTunnel
    | RunCheck
    | CancelCheck
    | EndRelays
    | TakeWay
    | SetTimer
)
