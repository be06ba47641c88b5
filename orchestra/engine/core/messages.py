"""What the shell tells the core (events, in the past tense) and what the core asks of the shell (commands)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from orchestra.engine.core.failures import Failure

TimerKey: TypeAlias = tuple[Literal["server", "listener", "check"], str]
"""Whose turn it is: a server's next attempt, a tunnel's listener, a tunnel's check."""


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
    tunnel: str


@dataclass(frozen=True, slots=True)
class CheckFailed:
    tunnel: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class TimerFired:
    key: TimerKey


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Everything is to be closed."""


Event: TypeAlias = (
    Started
    | SessionOpened
    | SessionFailed
    | SessionEnded
    | ListenerBound
    | ListenerFailed
    | CheckPassed
    | CheckFailed
    | TimerFired
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
    tunnel: str


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
    | BindListener
    | CloseListener
    | RunCheck
    | CancelCheck
    | EndRelays
    | TakeWay
    | SetTimer
)
