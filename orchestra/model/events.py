"""What happened, as values: the engine emits them, progress, logs and observers read them."""

from __future__ import annotations

from typing import Literal, TypeAlias

from orchestra.model.frozen import dataclass
from orchestra.model.status import ErrorStatus, OverallState, SessionState, TunnelState


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionChanged:
    """A session entered a state."""

    id: str
    server: str
    state: SessionState
    error: ErrorStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelChanged:
    """A tunnel entered a state, or its bound addresses or its proof changed."""

    name: str
    state: TunnelState
    proven: bool
    listen: tuple[str, ...] = ()
    at: str | None = None
    """The server on which it listens; None: here."""
    error: ErrorStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PathChanged:
    """New connections of a tunnel take another path; those that it carries stay where they are."""

    name: str
    path: tuple[str, ...]
    """Hosts, in the order of flow."""
    before: tuple[str, ...]
    planned: bool
    """Whether it is the planned one (again)."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFailed:
    """One accepted connection could not be carried; the tunnel itself goes on."""

    tunnel: str
    peer: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """Something to know that changes no state: a banner, a server's debug message, a narrowed family."""

    host: str | None
    message: str
    level: Literal["info", "warning"] = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloaded:
    """Another plan is being made true: how many sessions and tunnels it adds, changes, removes and keeps.

    ``lines``: one for each but those that are kept, as ``~ tunnel desk: 127.0.0.1:5920 → desk-vnc``.
    """

    added: int
    changed: int
    removed: int
    kept: int
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OverallChanged:
    """The whole entered a state."""

    state: OverallState


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Everything has been taken down; nothing follows."""


Event: TypeAlias = (
    SessionChanged | TunnelChanged | PathChanged | ConnectionFailed | Noticed | Reloaded | OverallChanged | Closed
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """An event, as those are told who ask for events. ``time``: seconds since the epoch."""

    time: float
    event: Event
    snapshot: bool = False
    """It tells what was true already when it was asked for."""
