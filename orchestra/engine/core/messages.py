"""What the shell tells the core (events, in the past tense) and what the core asks of the shell (commands)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from orchestra.engine.core.failures import Failure

TimerKey: TypeAlias = tuple[Literal["server", "listener", "check", "way"], str]
"""Whose turn it is: a server's next attempt, a tunnel's listener, its check, its way back to a better path."""


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
class BindListener:
    """``port``: what an earlier listener of this tunnel got when any port would do."""

    tunnel: str
    port: int | None = None


@dataclass(frozen=True, slots=True)
class CloseListener:
    """Close it, or stop opening it; nothing is reported. Connections that it accepted live on."""

    tunnel: str


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
    | ProbeSession
    | BindListener
    | CloseListener
    | RunCheck
    | CancelCheck
    | EndRelays
    | TakeWay
    | SetTimer
)
