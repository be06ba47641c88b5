from __future__ import annotations

from orchestra.engine.core.report import EngineStatus
from orchestra.engine.outcome import outcome
from orchestra.model.status import ErrorStatus, OverallState, SessionStatus, TunnelState, TunnelStatus


def error(code: str, next_retry: float | None = 5.0) -> ErrorStatus:
    return ErrorStatus(code=code, host="gateway", message=code, since=1.0, next_retry=next_retry)


AUTH = error("AUTH_FAILED", None)
DOWN = error("CONNECT_REFUSED")


def tunnel(name: str, state: TunnelState, wrong: ErrorStatus | None = None, *, optional: bool = False) -> TunnelStatus:
    return TunnelStatus(name=name, state=state, proven=state == "ready", error=wrong, optional=optional)


def status(state: OverallState, *tunnels: TunnelStatus) -> EngineStatus:
    return EngineStatus(state=state, tunnels=tunnels)


def test_ready() -> None:
    found = outcome(status("ready", tunnel("a", "ready"), tunnel("b", "failed", AUTH, optional=True)))
    assert (found.ready, found.fatal, found.first_failure) == (True, None, None)


def test_what_will_not_be_tried_again_is_fatal() -> None:
    found = outcome(status("degraded", tunnel("a", "degraded", DOWN), tunnel("b", "degraded", AUTH)))
    assert (found.ready, found.fatal, found.first_failure) == (False, AUTH, DOWN)


def test_codes_of_a_later_version_are_tried_again() -> None:
    found = outcome(status("degraded", tunnel("a", "degraded", error("FROM_THE_FUTURE", None))))
    assert found.fatal is None


def test_without_tunnels_the_sessions_are_what_was_asked_for() -> None:
    found = outcome(
        EngineStatus(
            state="failed", sessions=(SessionStatus(id="gateway", server="gateway", state="failed", error=AUTH),)
        )
    )
    assert found.fatal == AUTH


def test_what_only_somebody_at_this_machine_can_mend_is_fatal_though_it_is_tried_again() -> None:
    taken = error("LISTEN_IN_USE", next_retry=5.0)
    assert outcome(status("failed", tunnel("a", "failed", taken))).fatal == taken
