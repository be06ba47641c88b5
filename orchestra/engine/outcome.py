"""What a status means to who waits for readiness: done, hopeless, or what stands in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.engine.core.report import EngineStatus, is_fatal
from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from orchestra.model.status import ErrorStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``fatal``: an error that waiting does not mend; ``first_failure``: the first that stands."""

    ready: bool
    fatal: ErrorStatus | None = None
    first_failure: ErrorStatus | None = None


def outcome(status: EngineStatus) -> Outcome:
    """Judges what is not optional: every tunnel, or, where there is none, every session."""
    required = [tunnel for tunnel in status.tunnels if not tunnel.optional]
    errors = [tunnel.error for tunnel in required] or [session.error for session in status.sessions]
    standing = [error for error in errors if error is not None]
    return Outcome(
        ready=status.state == "ready",
        fatal=next((error for error in standing if is_fatal(error)), None),
        first_failure=standing[0] if standing else None,
    )
