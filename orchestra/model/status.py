"""What is true right now: the state of sessions and tunnels, as ``orchestra status`` shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal, TypeAlias

from orchestra.model.frozen import dataclass
from orchestra.model.measures import NONE, Durations

SessionState: TypeAlias = Literal["waiting", "connecting", "open", "retrying", "failed", "closed"]
"""waiting: for its parent · retrying: will be tried again at ``next_retry`` · failed: will not (identity errors)."""

TunnelState: TypeAlias = Literal["starting", "ready", "degraded", "failed"]
"""degraded: bound, but its path or its proof is missing · failed: not bound, or its path will not be tried again."""

OverallState: TypeAlias = Literal["ready", "starting", "degraded", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorStatus:
    """The last failure. Times are seconds since the epoch; ``next_retry`` is None when nothing is scheduled."""

    code: str
    host: str | None
    message: str
    since: float
    attempts: int = 1
    next_retry: float | None = None
    suggestion: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStatus:
    """One session."""

    id: str
    server: str
    state: SessionState
    error: ErrorStatus | None = None
    handshakes: Durations = NONE
    """How long each opening took that succeeded, from the dial to the login; questions to a person included."""

    @property
    def opened(self) -> int:
        """How often it was opened: once more than it was reconnected."""
        return self.handshakes.count


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelStatus:
    """One tunnel. ``listen`` has the addresses that are bound now, with chosen ports filled in, and ``at`` is the
    server on which they are; None: here."""

    name: str
    state: TunnelState
    proven: bool
    listen: tuple[str, ...] = ()
    at: str | None = None
    error: ErrorStatus | None = None
    path: tuple[str, ...] = ()
    """Hosts that new connections pass now, in the order of flow."""
    failed_over: bool = False
    """It is another path than the planned one."""
    connections: int = 0
    """Connections that are open now."""
    bytes_in: int = 0
    """Bytes from the target to those who use the tunnel, since it was opened."""
    bytes_out: int = 0
    accepted: int = 0
    """Connections that came to its listener, since it was opened."""
    refused: int = 0
    """Those that could not be carried."""
    dials: Durations = NONE
    """How long each dial from its exit took that succeeded; those of its check included."""
    optional: bool = False
    notes: tuple[str, ...] = ()
    """What was found and is no failure: a listener that could not be verified, a family that this machine lacks."""
    counters: Mapping[str, int] = field(default_factory=dict)
    """What its kind counts besides: ``flows`` (open now), ``datagrams_in``, ``dropped_queue`` …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A running orchestra."""

    topology: str
    name: str
    pid: int
    version: str
    file: str
    state: OverallState
    sessions: tuple[SessionStatus, ...] = ()
    tunnels: tuple[TunnelStatus, ...] = ()
    http: str | None = None
    """Where its page is, with ``--http``."""
