"""The state as people see it: statuses of sessions and tunnels, and the state of the whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.engine.core.failures import classify
from orchestra.engine.core.state import blocker
from orchestra.engine.core.ways import ways_of
from orchestra.model.frozen import dataclass
from orchestra.model.status import ErrorStatus, OverallState, SessionState, SessionStatus, TunnelState, TunnelStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from orchestra.engine.core.state import SessionEntry, State, Trouble, TunnelEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """Everything that the engine runs, right now."""

    state: OverallState
    sessions: tuple[SessionStatus, ...] = ()
    tunnels: tuple[TunnelStatus, ...] = ()


GOING = "is being taken down"
"""The note of every tunnel during a stop, for which the four states have no word."""
PENDING = "is as it was before the last reload: what it is to be cannot be made yet"
"""The note of a tunnel whose change waits for a session or a listener."""


def overall(sessions: Collection[SessionState], required: Collection[TunnelState]) -> OverallState:
    """The worst state of a tunnel that is not optional; without such tunnels, of the sessions."""
    states = required or {_AS_TUNNEL[state] for state in sessions}
    worst_first: tuple[TunnelState, ...] = ("failed", "degraded", "starting")
    return next((state for state in worst_first if state in states), "ready")


_AS_TUNNEL: Mapping[SessionState, TunnelState] = {
    "waiting": "starting",
    "connecting": "starting",
    "open": "ready",
    "retrying": "degraded",
    "failed": "failed",
    "closed": "starting",
}


def session_status(entry: SessionEntry, epoch: float) -> SessionStatus:
    """One session."""
    error = _error(entry.trouble, epoch) if entry.trouble else None
    return SessionStatus(id=entry.spec.id, server=entry.spec.server, state=entry.state, error=error)


def tunnel_status(state: State, entry: TunnelEntry, epoch: float) -> TunnelStatus:
    """One tunnel, without the counters, which the shell has."""
    blocked = blocker(state.sessions, entry.way)
    return TunnelStatus(
        name=entry.name,
        state=_tunnel_state(state, entry, blocked),
        proven=entry.proven,
        listen=entry.addresses,
        at=entry.spec.listen.at if entry.spec.listen and entry.entry is not None else None,
        error=_tunnel_error(entry, blocked, epoch),
        path=entry.way.path,
        failed_over=entry.live != 0,
        optional=entry.spec.spec.optional,
        notes=(GOING,) if state.stopping else (*entry.notes, *([PENDING] if entry.coming else [])),
    )


def _tunnel_state(state: State, entry: TunnelEntry, blocked: SessionEntry | None) -> TunnelState:
    if state.stopping:
        return "starting"  # not ready, and nothing is wrong: the note says the rest
    if entry.listener not in ("bound", "moving"):
        return _unbound_state(entry, blocked)
    if blocked is None and (entry.proven or not entry.checked):
        return "ready"
    troubled = entry.proof_trouble is not None or (blocked is not None and blocked.trouble is not None)
    if blocked is not None and blocked.state == "failed":
        return "failed"
    return "degraded" if troubled or entry.settled else "starting"


def _unbound_state(entry: TunnelEntry, blocked: SessionEntry | None) -> TunnelState:
    if entry.bind_trouble is not None or (blocked is not None and blocked.state == "failed"):
        return "failed"
    if blocked is not None and (blocked.trouble is not None or entry.settled):
        return "degraded"
    return "degraded" if entry.settled else "starting"


def _tunnel_error(entry: TunnelEntry, blocked: SessionEntry | None, epoch: float) -> ErrorStatus | None:
    if entry.bind_trouble is not None:
        return _error(entry.bind_trouble, epoch)
    if blocked is not None and blocked.trouble is not None:
        error, server = _error(blocked.trouble, epoch), blocked.spec.server
        return replace(error, message=f"waits for {server}: {error.message.removeprefix(f'{server}: ')}", host=server)
    return _error(entry.proof_trouble, epoch) if entry.proof_trouble else None


def _error(trouble: Trouble, epoch: float) -> ErrorStatus:
    failure = trouble.failure
    return ErrorStatus(
        code=failure.code,
        host=failure.host,
        message=failure.message,
        since=round(epoch + trouble.since, 3),
        attempts=trouble.attempts,
        next_retry=None if trouble.next_retry is None else round(epoch + trouble.next_retry, 3),
        suggestion=failure.suggestion,
    )


def coming_error(state: State, entry: TunnelEntry, epoch: float) -> ErrorStatus | None:
    """Why a tunnel is not yet what it is to be, when something is wrong."""
    assert entry.coming is not None  # noqa: S101 - it is to be something else
    if entry.coming.trouble is not None:
        return _error(entry.coming.trouble, epoch)
    blocked = blocker(state.sessions, ways_of(entry.coming.spec)[0])
    return _error(blocked.trouble, epoch) if blocked is not None and blocked.trouble is not None else None


def is_fatal(error: ErrorStatus) -> bool:
    """Whether waiting does not mend it, only somebody: who asks for readiness is not kept waiting for that."""
    return classify_text(error.code) != "transient"


def classify_text(code: str) -> str:
    """The class of a code that travelled as text; one that this version does not know is transient."""
    return classify(Code(code)) if code in Code.__members__ else "transient"
