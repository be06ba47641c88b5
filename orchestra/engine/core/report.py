"""The state as people see it: statuses of sessions and tunnels, the state of the whole, and what changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.engine.core.failures import classify
from orchestra.model.events import Event, OverallChanged, SessionChanged, TunnelChanged
from orchestra.model.status import ErrorStatus, OverallState, SessionStatus, TunnelState, TunnelStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.engine.core.state import SessionEntry, State, Trouble, TunnelEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """Everything that the engine runs, right now."""

    state: OverallState
    sessions: tuple[SessionStatus, ...] = ()
    tunnels: tuple[TunnelStatus, ...] = ()


def report(state: State, epoch: float) -> EngineStatus:
    """``epoch`` is what the wall clock showed when the state's clock showed 0."""
    tunnels = tuple(tunnel_status(state, entry, epoch) for entry in state.tunnels.values())
    sessions = tuple(session_status(entry, epoch) for entry in state.sessions.values())
    return EngineStatus(state=overall(sessions, tunnels), sessions=sessions, tunnels=tunnels)


def overall(sessions: Iterable[SessionStatus], tunnels: Iterable[TunnelStatus]) -> OverallState:
    """The worst state of a tunnel that is not optional; without such tunnels, of the sessions."""
    states = {tunnel.state for tunnel in tunnels if not tunnel.optional}
    if not states:
        states = {_AS_TUNNEL[session.state] for session in sessions}
    worst_first: tuple[TunnelState, ...] = ("failed", "degraded", "starting")
    return next((state for state in worst_first if state in states), "ready")


_AS_TUNNEL: dict[str, TunnelState] = {
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
    blocker = _blocker(state, entry)
    return TunnelStatus(
        name=entry.name,
        state=_tunnel_state(state, entry, blocker),
        proven=entry.proven,
        listen=entry.addresses,
        error=_tunnel_error(entry, blocker, epoch),
        optional=entry.spec.spec.optional,
        notes=entry.notes,
    )


def _blocker(state: State, entry: TunnelEntry) -> SessionEntry | None:
    """The first session on its way that is not open: its children only wait for it."""
    sessions = (state.sessions[id_] for id_ in entry.spec.sessions)
    return next((session for session in sessions if session.state != "open"), None)


def _tunnel_state(state: State, entry: TunnelEntry, blocker: SessionEntry | None) -> TunnelState:
    if state.stopping:
        return "starting"
    if entry.listener != "bound":
        return _unbound_state(entry, blocker)
    if blocker is None and (entry.proven or not entry.checked):
        return "ready"
    troubled = entry.proof_trouble is not None or (blocker is not None and blocker.trouble is not None)
    return "degraded" if troubled or entry.settled else "starting"


def _unbound_state(entry: TunnelEntry, blocker: SessionEntry | None) -> TunnelState:
    if entry.bind_trouble is not None or (blocker is not None and blocker.state == "failed"):
        return "failed"
    if blocker is not None and (blocker.trouble is not None or entry.settled):
        return "degraded"
    return "degraded" if entry.settled else "starting"


def _tunnel_error(entry: TunnelEntry, blocker: SessionEntry | None, epoch: float) -> ErrorStatus | None:
    if entry.bind_trouble is not None:
        return _error(entry.bind_trouble, epoch)
    if blocker is not None and blocker.trouble is not None:
        error = _error(blocker.trouble, epoch)
        return replace(error, message=f"waits for {blocker.spec.server}: {error.message}", host=blocker.spec.server)
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


def is_fatal(error: ErrorStatus) -> bool:
    """Whether it will not be tried again, because it is about who is there and who we are."""
    return error.next_retry is None and classify_text(error.code) == "identity"


def classify_text(code: str) -> str:
    """The class of a code that travelled as text; one that this version does not know is transient."""
    return classify(Code(code)) if code in Code.__members__ else "transient"


def changes(before: State, after: State, epoch: float) -> tuple[Event, ...]:
    """What observers are told about one step: states, proofs, addresses and errors, not attempts or times."""
    if before is after:
        return ()
    told: list[Event] = []
    for id_, entry in after.sessions.items():
        if entry is not before.sessions[id_]:
            status, earlier = session_status(entry, epoch), session_status(before.sessions[id_], epoch)
            if (status.state, _gist(status.error)) != (earlier.state, _gist(earlier.error)):
                told.append(SessionChanged(id=id_, server=status.server, state=status.state, error=status.error))
    told += _tunnel_changes(before, after, epoch, same_sessions=not told)
    if told:
        now, then = report(after, epoch).state, report(before, epoch).state
        told += [OverallChanged(state=now)] if now != then else []
    return tuple(told)


def _tunnel_changes(before: State, after: State, epoch: float, *, same_sessions: bool) -> list[Event]:
    told: list[Event] = []
    for name, entry in after.tunnels.items():
        if same_sessions and entry is before.tunnels[name]:
            continue
        now, then = tunnel_status(after, entry, epoch), tunnel_status(before, before.tunnels[name], epoch)
        if _tunnel_gist(now) != _tunnel_gist(then):
            told.append(
                TunnelChanged(name=name, state=now.state, proven=now.proven, listen=now.listen, error=now.error)
            )
    return told


def _tunnel_gist(status: TunnelStatus) -> tuple[object, ...]:
    return status.state, status.proven, status.listen, _gist(status.error)


def _gist(error: ErrorStatus | None) -> tuple[str, str] | None:
    return (error.code, error.message) if error is not None else None
