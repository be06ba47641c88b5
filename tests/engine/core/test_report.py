from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.core.messages import CheckFailed, ListenerBound, SessionFailed, SessionOpened, StopRequested
from orchestra.engine.core.report import is_fatal, overall
from orchestra.model.plan import Plan
from orchestra.model.status import OverallState, TunnelState
from tests.engine.core.script import Script, failure
from tests.engine.plans import chain, plan, session, tunnel


@pytest.mark.parametrize(
    ("tunnels", "whole"),
    [
        ({"ready"}, "ready"),
        ({"ready", "starting"}, "starting"),
        ({"ready", "starting", "degraded"}, "degraded"),
        ({"ready", "starting", "degraded", "failed"}, "failed"),
    ],
)
def test_the_whole_is_as_its_worst_tunnel(tunnels: set[TunnelState], whole: OverallState) -> None:
    assert overall({"failed"}, tunnels) == whole


def test_without_tunnels_the_whole_is_as_its_worst_session() -> None:
    assert overall({"open"}, []) == "ready"
    assert overall({"open", "connecting"}, []) == "starting"
    assert overall({"open", "retrying"}, []) == "degraded"
    assert overall((), ()) == "ready"


def test_a_tunnel_blames_the_first_session_on_its_way_that_is_down() -> None:
    script = Script(plan(chain("edge", "gateway"), tunnel("desk", "edge", "gateway")))
    script.start()
    script.tell(ListenerBound("desk", ("127.0.0.1:5920",), 0))
    script.tell(SessionOpened("edge"))
    script.tell(SessionFailed("gateway", failure(Code.CONNECT_TIMEOUT, "edge", "edge dials gateway: no answer")))
    error = script.tunnel().error
    assert error is not None
    assert (error.code, error.host) == ("CONNECT_TIMEOUT", "gateway")
    assert error.message == "waits for gateway: edge dials gateway: no answer"


def test_identity_without_a_next_attempt_is_fatal() -> None:
    script = Script(plan((session("a"), session("b"))))
    script.start()
    script.tell(SessionFailed("a", failure(Code.HOST_KEY_UNKNOWN)))
    script.tell(SessionFailed("b", failure(Code.CONNECT_REFUSED)))
    errors = [s.error for s in script.status.sessions]
    assert [error is not None and is_fatal(error) for error in errors] == [True, False]


def test_since_is_when_it_began_and_not_the_last_attempt() -> None:
    script = Script(plan((), tunnel("desk")))
    script.start()
    script.tell(ListenerBound("desk", ("127.0.0.1:5920",), 0), after=5.0)
    for _ in range(3):
        script.tell(CheckFailed("desk", failure()), after=1.0)
        script.ring("check", "desk")
    error = script.tunnel().error
    assert error is not None
    assert (error.since, error.attempts) == (1006.0, 3)


def test_what_is_being_taken_down_says_so_and_is_neither_ready_nor_failed() -> None:
    script = Script(plan(chain("edge"), tunnel("desk", "edge")))
    script.start()
    script.tell(ListenerBound("desk", ("127.0.0.1:5920",), 0, ("no ::1 here",)))
    assert script.tunnel().notes == ("no ::1 here",)
    script.tell(StopRequested())
    assert (script.tunnel().state, script.tunnel().notes) == ("starting", ("is being taken down",))


def test_an_empty_plan_is_ready() -> None:
    assert Script(Plan(topology="none", client="laptop")).status.state == "ready"
