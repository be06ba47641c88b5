"""Which way a tunnel takes, as transcripts."""

from __future__ import annotations

from typing import Any

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.core.failover import LASTED, RETURN
from orchestra.engine.core.messages import (
    BindListener,
    CancelCheck,
    CheckFailed,
    CheckPassed,
    CloseListener,
    ListenerBound,
    OpenSession,
    RunCheck,
    SessionAwaited,
    SessionEnded,
    SessionFailed,
    SessionOpened,
    TakeWay,
)
from orchestra.model.events import OverallChanged, PathChanged, TunnelChanged
from orchestra.model.plan import Plan
from orchestra.model.topology import CheckRef
from tests.engine.core.script import Script, failure, kinds
from tests.engine.plans import listen, plan, session, tunnel, with_ways

BOUND = ListenerBound("desk", ("127.0.0.1:5920",), 0)
LOST = failure(Code.SESSION_LOST, "east", "the session to east was lost: it broke")
EAST, WEST = ("laptop", "east"), ("laptop", "west")


def two_ways(standby: str = "cold", **spec: Any) -> Plan:
    desk = with_ways(tunnel("desk", "east", standby=standby, **spec), "west")
    return plan((session("east"), session("west")), desk)


def ready(what: Plan) -> Script:
    """By the planned path; what stands by warm is open too."""
    script = Script(what)
    script.start()
    script.tell(BOUND)
    for entry in list(script.state.sessions.values()):
        if entry.state == "connecting":
            script.tell(SessionOpened(entry.spec.id))
    script.tell(CheckPassed("desk"))
    assert script.tunnel().state == "ready"
    return script


def test_a_cold_way_is_opened_when_the_first_is_lost_and_taken_when_it_is_open() -> None:
    script = ready(two_ways())
    assert script.states() == "east=open west=waiting"
    assert script.tell(SessionEnded("east", LOST), after=60.0) == [OpenSession("west")]
    assert (script.tunnel().state, script.tunnel().path) == ("degraded", EAST)
    assert script.tell(SessionOpened("west"), after=0.2) == [TakeWay("desk", 1), RunCheck("desk", (1,))]
    script.tell(CheckPassed("desk", 1))
    assert (script.tunnel().state, script.tunnel().path, script.tunnel().failed_over) == ("ready", WEST, True)
    changed = [event for event in script.told if isinstance(event, PathChanged)]
    assert changed == [PathChanged(name="desk", path=WEST, before=EAST, planned=False, reason=LOST.message)]


def test_a_warm_way_is_open_already_and_taken_at_once() -> None:
    script = ready(two_ways("warm"))
    assert script.states() == "east=open west=open"
    assert script.tell(SessionEnded("east", LOST), after=60.0) == [TakeWay("desk", 1), RunCheck("desk", (1,))]


def test_what_stands_by_for_one_tunnel_is_open_when_another_needs_it() -> None:
    desk = with_ways(tunnel("desk", "east"), "west")
    script = Script(plan((session("east"), session("west")), desk, tunnel("mail", "west")))
    assert OpenSession("west") in script.start()


def test_a_session_that_stands_by_degrades_nothing() -> None:
    script = ready(two_ways("warm"))
    script.tell(SessionEnded("west", failure(Code.SESSION_LOST, "west")), after=60.0)
    assert (script.status.state, script.tunnel().state) == ("ready", "ready")
    assert not kinds(script.told, PathChanged, lambda event: event)
    assert [event.state for event in script.told if isinstance(event, OverallChanged)] == ["ready"]


def test_the_way_back_waits_until_the_better_one_has_lasted_and_is_proven() -> None:
    script = failed_over()
    assert ("way", "desk") not in script.timers
    script.ring("server", "east")
    assert script.tell(SessionOpened("east"), after=0.3) == []
    assert script.wait_of("way", "desk") == RETURN
    assert script.ring("way", "desk") == [RunCheck("desk", (0, 1))]
    assert script.tunnel().state == "ready"
    assert script.tell(CheckPassed("desk", 0), after=0.1) == [TakeWay("desk", 0)]
    assert (script.tunnel().state, script.tunnel().failed_over) == ("ready", False)
    last = [event for event in script.told if isinstance(event, PathChanged)][-1]
    assert last == PathChanged(name="desk", path=EAST, before=WEST, planned=True, reason=LASTED)
    assert not [e for e in script.told[-2:] if isinstance(e, TunnelChanged) and e.state != "ready"]


def test_a_way_that_flaps_is_not_followed() -> None:
    script = failed_over()
    for _ in range(5):
        script.ring("server", "east")
        script.tell(SessionOpened("east"), after=0.3)
        if script.wait_of("way", "desk") < 3.0:
            assert script.ring("way", "desk") == []
            assert script.wait_of("way", "desk") > 20.0
        script.tell(SessionEnded("east", LOST), after=3.0)
    assert script.tunnel().path == WEST
    assert len(kinds(script.told, PathChanged, lambda event: event)) == 1


def test_a_better_way_by_which_the_target_is_not_reached_is_asked_again_later() -> None:
    script = failed_over()
    script.ring("server", "east")
    script.tell(SessionOpened("east"))
    for _ in range(3):
        assert script.ring("way", "desk") == [RunCheck("desk", (0, 1))]
        assert script.tell(CheckPassed("desk", 1)) == []
        assert (script.tunnel().state, script.tunnel().path) == ("ready", WEST)
        assert script.wait_of("way", "desk") == pytest.approx(RETURN)


def test_without_a_check_it_goes_back_when_the_better_way_has_lasted() -> None:
    script = Script(two_ways(check=CheckRef(type="none")))
    script.start()
    script.tell(BOUND)
    script.tell(SessionOpened("east"))
    script.tell(SessionEnded("east", LOST))
    assert script.tell(SessionOpened("west")) == [TakeWay("desk", 1)]
    assert script.tunnel().state == "ready"
    script.ring("server", "east")
    script.tell(SessionOpened("east"))
    assert script.ring("way", "desk") == [TakeWay("desk", 0)]
    assert script.tunnel().state == "ready"


def test_when_both_are_down_the_first_that_returns_is_taken() -> None:
    script = failed_over()
    assert script.tell(SessionEnded("west", failure(Code.SESSION_LOST, "west"))) == []
    assert script.tunnel().state == "degraded"
    script.ring("server", "east")
    assert script.tell(SessionOpened("east")) == [TakeWay("desk", 0), RunCheck("desk", (0,))]


def test_a_start_waits_for_the_planned_way_unless_it_fails() -> None:
    script = Script(two_ways("warm"))
    script.start()
    script.tell(BOUND)
    assert script.tell(SessionOpened("west")) == []
    assert script.tell(SessionFailed("east", failure())) == [TakeWay("desk", 1), RunCheck("desk", (1,))]
    script.tell(CheckPassed("desk", 1))
    assert script.tunnel().state == "ready"


def test_a_way_that_will_not_be_let_in_is_no_end_while_there_is_another() -> None:
    script = Script(two_ways())
    script.start()
    script.tell(BOUND)
    refused = script.tell(SessionFailed("east", failure(Code.AUTH_FAILED, "east")))
    assert refused == [TakeWay("desk", 1), OpenSession("west")]
    assert (script.tunnel().state, script.tunnel().error) == ("starting", None)
    script.tell(SessionFailed("west", failure(Code.AUTH_FAILED, "west")))
    assert script.tunnel().state == "failed"


def test_a_target_that_one_way_does_not_reach_is_tried_by_the_others() -> None:
    script = Script(two_ways("warm"))
    script.start()
    script.tell(BOUND)
    script.tell(SessionOpened("west"))
    assert script.tell(SessionOpened("east")) == [RunCheck("desk", (0, 1))]
    unreached = failure(Code.CONNECT_TIMEOUT, "east", "east dialed 10.20.0.30:5900 (desk-vnc): no answer")
    assert script.tell(CheckPassed("desk", 1, unreached)) == [TakeWay("desk", 1)]
    assert (script.tunnel().state, script.tunnel().path) == ("ready", WEST)
    assert script.wait_of("way", "desk") == RETURN
    assert kinds(script.told, PathChanged, lambda event: event.reason) == [unreached.message]


def test_a_target_that_no_way_reaches_moves_nothing() -> None:
    script = Script(two_ways())
    script.start()
    script.tell(BOUND)
    script.tell(SessionOpened("east"))
    down = failure(Code.CONNECT_REFUSED, "east")
    assert script.tell(CheckFailed("desk", down)) == [OpenSession("west")]
    assert script.tell(SessionOpened("west")) == [RunCheck("desk", (0, 1))]
    script.tell(CheckFailed("desk", down))
    assert (script.tunnel().state, script.tunnel().path) == ("degraded", EAST)
    assert script.ring("check", "desk") == [RunCheck("desk", (0, 1))]


def test_a_cold_way_is_opened_for_who_waits_for_it() -> None:
    script = ready(two_ways())
    assert script.tell(SessionAwaited("west")) == [OpenSession("west")]
    script.tell(SessionFailed("west", failure(host="west")))
    assert script.ring("server", "west") == []
    assert script.tell(SessionAwaited("west")) == [OpenSession("west")]


def test_a_remote_listener_stays_where_it_is() -> None:
    hook = with_ways(tunnel("desk", "edge", "east", entry=listen("127.0.0.1", at="edge"), exit_="east"), "west")
    script = Script(plan((session("edge"), session("east"), session("west")), hook))
    script.start()
    script.tell(SessionOpened("east"))
    assert script.tell(SessionOpened("edge")) == [BindListener("desk")]
    script.tell(BOUND)
    script.tell(CheckPassed("desk"))
    assert script.tell(SessionEnded("east", LOST)) == [OpenSession("west")]
    taken = script.tell(SessionOpened("west"))
    assert taken == [TakeWay("desk", 1), RunCheck("desk", (1,))]
    assert script.tell(SessionEnded("edge", LOST)) == [CancelCheck("desk"), CloseListener("desk")]
    assert script.tunnel().path == ("laptop", "west")


@pytest.mark.parametrize("standby", ["cold", "warm"])
def test_the_check_that_runs_while_its_way_is_lost_is_cancelled(standby: str) -> None:
    script = Script(two_ways(standby))
    script.start()
    script.tell(BOUND)
    script.tell(SessionOpened("east"))
    assert CancelCheck("desk") in script.tell(SessionEnded("east", LOST))


def failed_over() -> Script:
    script = ready(two_ways())
    script.tell(SessionEnded("east", LOST), after=60.0)
    script.tell(SessionOpened("west"), after=0.2)
    script.tell(CheckPassed("desk", 1), after=0.1)
    assert script.tunnel().path == WEST
    return script
