"""Listeners and proofs, as transcripts."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.core.messages import (
    BindListener,
    CancelCheck,
    CheckFailed,
    CheckPassed,
    CloseListener,
    CloseSession,
    EndRelays,
    ListenerBound,
    ListenerFailed,
    NetworkChanged,
    OpenSession,
    RunCheck,
    SessionEnded,
    SessionFailed,
    SessionOpened,
    StopRequested,
)
from orchestra.model.events import TunnelChanged
from orchestra.model.topology import CheckRef
from tests.engine.core.script import Script, failure, kinds
from tests.engine.plans import chain, listen, plan, tunnel

LOCAL = plan(chain("gateway"), tunnel("desk", "gateway"))
REMOTE = plan(chain("gateway"), tunnel("desk", "gateway", entry=listen("localhost", at="gateway", port=0)))
BOUND = ListenerBound("desk", ("127.0.0.1:5920",), 0)
LOST = failure(Code.SESSION_LOST, "gateway")


def test_a_local_listener_is_bound_at_once_and_proven_when_the_path_is_open() -> None:
    script = Script(LOCAL)
    assert script.start() == [BindListener("desk"), OpenSession("gateway")]
    assert script.tunnel().state == "starting"
    assert script.tell(BOUND) == []
    assert script.tunnel().listen == ("127.0.0.1:5920",)
    assert script.tunnel().state == "starting"
    assert script.tell(SessionOpened("gateway")) == [RunCheck("desk")]
    assert script.tunnel().state == "starting"
    script.tell(CheckPassed("desk"))
    assert (script.tunnel().state, script.tunnel().proven) == ("ready", True)
    assert script.status.state == "ready"
    assert ("check", "desk") not in script.timers


def test_a_local_listener_stays_bound_while_its_session_comes_back() -> None:
    script = ready(LOCAL)
    assert script.tell(SessionEnded("gateway", LOST), after=60.0) == []
    assert (script.tunnel().state, script.tunnel().proven) == ("degraded", False)
    assert script.tunnel().listen == ("127.0.0.1:5920",)
    script.ring("server", "gateway")
    assert script.tell(SessionOpened("gateway")) == [RunCheck("desk")]
    script.tell(CheckPassed("desk"))
    assert script.tunnel().state == "ready"
    assert script.tunnel().error is None


def test_without_a_check_it_is_ready_and_not_proven() -> None:
    script = Script(plan(chain("gateway"), tunnel("desk", "gateway", check=CheckRef(type="none"))))
    script.start()
    script.tell(BOUND)
    assert script.tell(SessionOpened("gateway")) == []
    assert (script.tunnel().state, script.tunnel().proven) == ("ready", False)
    script.tell(SessionEnded("gateway", LOST))
    assert script.tunnel().state == "degraded"


def test_a_target_that_is_down_degrades_and_is_asked_again() -> None:
    script = Script(LOCAL)
    script.start()
    script.tell(BOUND)
    script.tell(SessionOpened("gateway"))
    what = failure(Code.DIAL_FAILED, "gateway", "gateway dialed 10.20.0.30:5900 (desk-vnc): connection refused")
    for attempt in (1, 2, 3):
        script.tell(CheckFailed("desk", what))
        error = script.tunnel().error
        assert error is not None
        assert script.tunnel().state == "degraded"
        assert (error.message, error.host, error.attempts) == (what.message, "gateway", attempt)
        assert script.wait_of("check", "desk") <= 2.0 ** (attempt - 1)
        assert script.ring("check", "desk") == [RunCheck("desk")]
    script.tell(CheckPassed("desk"))
    assert script.tunnel().state == "ready"
    assert script.state.tunnels["desk"].proof_trouble is None


def test_policy_at_the_exit_is_asked_about_slowly() -> None:
    script = Script(LOCAL)
    script.start()
    script.tell(BOUND)
    script.tell(SessionOpened("gateway"))
    script.tell(CheckFailed("desk", failure(Code.FORWARD_REFUSED, "gateway")))
    assert script.wait_of("check", "desk") >= 60.0


def test_every_repeats_the_check_and_stays_ready_meanwhile() -> None:
    script = Script(plan((), tunnel("desk", check=CheckRef(every=60.0))))
    script.start()
    assert script.tell(BOUND) == [RunCheck("desk")]
    script.tell(CheckPassed("desk"), after=1.0)
    assert script.wait_of("check", "desk") == 60.0
    assert script.ring("check", "desk") == [RunCheck("desk", again=True)]
    assert script.tunnel().state == "ready"


def test_of_a_repeated_check_so_many_failures_degrade_and_so_many_passes_mend() -> None:
    script = repeated(rise=2, fall=3)
    for _ in range(2):
        script.ring("check", "desk")
        script.tell(CheckFailed("desk", failure()))
        assert (script.tunnel().state, script.tunnel().proven, script.tunnel().error) == ("ready", True, None)
        assert script.wait_of("check", "desk") == 60.0
    script.ring("check", "desk")
    script.tell(CheckFailed("desk", failure()))
    assert (script.tunnel().state, script.tunnel().proven) == ("degraded", False)
    script.ring("check", "desk")
    script.tell(CheckPassed("desk"))
    assert script.tunnel().state == "degraded"
    script.ring("check", "desk")
    script.tell(CheckPassed("desk"))
    assert (script.tunnel().state, script.tunnel().proven) == ("ready", True)
    told = kinds(script.told, TunnelChanged, lambda event: (event.state, event.proven))
    assert told[-3:] == [("ready", True), ("degraded", False), ("ready", True)]


def test_one_pass_among_failures_begins_the_count_anew() -> None:
    script = repeated(rise=2, fall=2)
    for result in (CheckFailed("desk", failure()), CheckPassed("desk"), CheckFailed("desk", failure())):
        script.ring("check", "desk")
        script.tell(result)
    assert script.tunnel().proven


def test_on_a_path_that_was_just_opened_the_first_result_decides() -> None:
    script = repeated(rise=3, fall=3)
    script.tell(SessionEnded("gateway", LOST))
    script.ring("server", "gateway")
    assert script.tell(SessionOpened("gateway")) == [RunCheck("desk")]
    script.tell(CheckFailed("desk", failure()))
    assert script.tunnel().state == "degraded"
    assert script.wait_of("check", "desk") <= 1.0
    script.tell(SessionEnded("gateway", LOST))
    script.ring("server", "gateway")
    script.tell(SessionOpened("gateway"))
    script.tell(CheckPassed("desk"))
    assert script.tunnel().state == "ready"


def test_a_failing_check_is_never_asked_more_slowly_than_every() -> None:
    script = repeated(rise=1, fall=1, every=5.0)
    for _ in range(10):
        script.ring("check", "desk")
        script.tell(CheckFailed("desk", failure()))
        assert script.wait_of("check", "desk") <= 5.0


def test_after_a_suspend_what_failed_is_asked_again_soon_unless_somebody_forbade_it() -> None:
    for code, soon in ((Code.CONNECT_TIMEOUT, True), (Code.FORWARD_REFUSED, False)):
        script = Script(plan((), tunnel("desk")))
        script.start()
        script.tell(BOUND)
        for _ in range(8):
            script.tell(CheckFailed("desk", failure(code)))
            script.ring("check", "desk")
        script.tell(CheckFailed("desk", failure(code)))
        script.tell(NetworkChanged())
        assert (script.wait_of("check", "desk") <= 0.5) is soon


def test_a_path_that_is_lost_cancels_the_check() -> None:
    script = Script(LOCAL)
    script.start()
    script.tell(BOUND)
    script.tell(SessionOpened("gateway"))
    assert script.tell(SessionEnded("gateway", LOST)) == [CancelCheck("desk")]
    assert script.tunnel().error is not None


def test_a_port_in_use_here_fails_the_tunnel_and_is_tried_again_soon() -> None:
    script = Script(LOCAL)
    script.start()
    script.tell(ListenerFailed("desk", failure(Code.LISTEN_IN_USE)))
    assert script.tunnel().state == "failed"
    assert script.status.state == "failed"
    assert script.wait_of("listener", "desk") <= 1.0
    assert script.tell(SessionOpened("gateway")) == []
    assert script.ring("listener", "desk") == [BindListener("desk")]
    assert script.tell(BOUND) == [RunCheck("desk")]


def test_a_right_that_is_missing_is_asked_for_slowly() -> None:
    script = Script(LOCAL)
    script.start()
    script.tell(ListenerFailed("desk", failure(Code.LISTEN_NOT_PERMITTED)))
    assert script.wait_of("listener", "desk") >= 60.0


def test_a_remote_listener_waits_for_its_session_and_comes_back_at_its_port() -> None:
    script = Script(REMOTE)
    assert script.start() == [OpenSession("gateway")]
    assert script.tell(SessionOpened("gateway")) == [BindListener("desk")]
    assert script.tell(ListenerBound("desk", ("127.0.0.1:40001",), 40001)) == [RunCheck("desk")]
    script.tell(CheckPassed("desk"))
    assert script.tell(SessionEnded("gateway", LOST)) == [CloseListener("desk")]
    assert (script.tunnel().state, script.tunnel().listen) == ("degraded", ())
    script.ring("server", "gateway")
    assert script.tell(SessionOpened("gateway")) == [BindListener("desk", 40001)]
    script.tell(ListenerFailed("desk", failure(Code.LISTEN_IN_USE, "gateway")))
    assert script.wait_of("listener", "desk") <= 1.0  # our own lost session may still hold it


def test_a_remote_port_that_somebody_holds_is_asked_for_slowly() -> None:
    script = Script(REMOTE)
    script.start()
    script.tell(SessionOpened("gateway"))
    script.tell(ListenerFailed("desk", failure(Code.LISTEN_IN_USE, "gateway")))
    assert script.wait_of("listener", "desk") >= 60.0
    assert script.tunnel().state == "failed"


def test_a_remote_listener_of_a_server_that_refuses_us_has_failed() -> None:
    script = Script(REMOTE)
    script.start()
    script.tell(SessionFailed("gateway", failure(Code.HOST_KEY_CHANGED, "gateway")))
    assert script.tunnel().state == "failed"


def test_a_listener_timer_that_came_too_late_is_nothing() -> None:
    script = Script(REMOTE)
    script.start()
    script.tell(SessionOpened("gateway"))
    script.tell(ListenerFailed("desk", failure(Code.LISTEN_FAILED)))
    script.tell(SessionEnded("gateway", LOST))
    assert script.ring("listener", "desk") == []


def test_optional_tunnels_are_not_waited_for() -> None:
    script = Script(plan((), tunnel("desk"), tunnel("extra", optional=True)))
    script.start()
    script.tell(BOUND)
    script.tell(CheckPassed("desk"))
    assert script.tunnel("extra").state == "starting"
    assert script.status.state == "ready"


def test_stopping_lets_nobody_in_then_everybody_go_then_closes_children_first() -> None:
    script = Script(plan(chain("edge", "gateway"), tunnel("desk", "edge", "gateway")))
    script.start()
    script.tell(BOUND)
    script.tell(SessionOpened("edge"))
    script.tell(SessionOpened("gateway"))
    assert script.tell(StopRequested()) == [
        CloseListener("desk"),
        CancelCheck("desk"),
        EndRelays("desk"),
        CloseSession("gateway"),
        CloseSession("edge"),
    ]
    assert script.tunnel().listen == ()


def test_what_is_told_of_a_tunnel() -> None:
    script = ready(LOCAL)
    told = kinds(script.told, TunnelChanged, lambda e: (e.state, e.proven, e.listen))
    assert told == [("starting", False, ("127.0.0.1:5920",)), ("ready", True, ("127.0.0.1:5920",))]


@pytest.mark.parametrize("seconds", [0.0, 7.0])
def test_the_same_events_give_the_same_state(seconds: float) -> None:
    def play() -> Script:
        script = ready(LOCAL)
        script.tell(SessionEnded("gateway", LOST), after=seconds)
        return script

    assert play().state == play().state


def repeated(*, rise: int, fall: int, every: float = 60.0) -> Script:
    check = CheckRef(every=every, rise=rise, fall=fall)
    return ready(plan(chain("gateway"), tunnel("desk", "gateway", check=check)))


def ready(what: object) -> Script:
    script = Script(what)  # type: ignore[arg-type]
    script.start()
    script.tell(BOUND)
    script.tell(SessionOpened("gateway"))
    script.tell(CheckPassed("desk"))
    return script
