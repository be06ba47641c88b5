"""What is coming is made before what is old is let go; what nothing needs any more ends with its last connection."""

from __future__ import annotations

from orchestra.diagnostics import Code
from orchestra.engine.core.messages import (
    AdoptPlan,
    BindListener,
    CancelBind,
    CancelCheck,
    CheckPassed,
    CloseListener,
    DropSession,
    ListenerBound,
    ListenerFailed,
    OpenSession,
    ReleaseSession,
    RunCheck,
    SessionEnded,
    SessionFailed,
    SessionIdle,
    SessionOpened,
)
from orchestra.model.plan import Plan
from orchestra.model.topology import CheckRef
from tests.engine.core.changes import DESK, EDGE, OTHER, change, ready
from tests.engine.core.script import failure
from tests.engine.plans import chain, listen, plan, session, tunnel


def test_its_session_goes_when_nothing_is_over_it_any_more() -> None:
    script = ready(plan((*EDGE, session("west")), tunnel("desk", "edge"), tunnel("wiki", "west")))
    change(script, DESK)
    assert script.session("west").state == "open"
    assert script.tell(SessionIdle("west")) == [ReleaseSession("west", 1)]
    assert [s.id for s in script.status.sessions] == ["edge"]


def test_or_when_the_time_to_drain_is_over_children_first() -> None:
    script = ready(plan(chain("edge", "gateway"), tunnel("desk"), tunnel("wiki", "edge", "gateway")))
    change(script, plan((), tunnel("desk")), drain=7.0)
    assert script.wait_of("drain", "edge") == 7.0
    assert script.ring("drain", "edge") == [ReleaseSession("gateway", 2), ReleaseSession("edge", 1)]
    assert script.ring("drain", "gateway") == []


def test_another_way_is_opened_before_the_first_is_left() -> None:
    script = ready(DESK)
    assert change(script, plan((session("west"),), tunnel("desk", "west"))) == [OpenSession("west")]
    assert (script.tunnel().state, script.states()) == ("ready", "edge=open west=connecting")
    commands = script.tell(SessionOpened("west"))
    assert commands == [AdoptPlan("desk"), RunCheck("desk")]
    assert script.tunnel().state == "starting"  # not proven by the new way
    script.tell(CheckPassed("desk"))
    assert script.tell(SessionIdle("edge")) == [ReleaseSession("edge", 1)]
    assert script.tunnel().state == "ready"


def test_while_the_new_way_does_not_open_it_goes_on_as_it_was() -> None:
    script = ready(DESK)
    change(script, plan((session("west"),), tunnel("desk", "west")))
    script.tell(SessionFailed("west", failure(Code.AUTH_FAILED)))
    assert script.tunnel().state == "ready"
    assert script.tunnel().notes == ("is as it was before the last reload: what it is to be cannot be made yet",)
    assert script.tell(SessionEnded("edge", failure(Code.SESSION_LOST))) == []
    script.ring("server", "edge")
    script.tell(SessionOpened("edge"))
    script.tell(CheckPassed("desk"))
    assert script.tunnel().state == "ready"  # what is still in use is kept up, too


def test_another_target_keeps_the_listener() -> None:
    script = ready(DESK)
    commands = change(script, plan(EDGE, tunnel("desk", "edge", dial=OTHER)))
    assert commands == [AdoptPlan("desk"), RunCheck("desk")]


def test_another_check_is_run_and_nothing_else_happens() -> None:
    script = ready(DESK)
    assert change(script, plan(EDGE, tunnel("desk", "edge", check=CheckRef(type="http")))) == [
        AdoptPlan("desk"),
        RunCheck("desk"),
    ]
    assert change(script, plan(EDGE, tunnel("desk", "edge", check=CheckRef(type="none")))) == [
        CancelCheck("desk"),
        AdoptPlan("desk"),
    ]
    assert (script.tunnel().state, script.tunnel().proven) == ("ready", False)


def test_what_is_no_matter_of_the_way_is_not_proven_again() -> None:
    script = ready(DESK)
    assert change(script, plan(EDGE, tunnel("desk", "edge", hold=9.0))) == [AdoptPlan("desk")]
    assert script.tunnel().proven


def test_another_address_is_bound_before_the_first_is_closed() -> None:
    script = ready(DESK)
    moved = plan(EDGE, tunnel("desk", "edge", entry=listen("127.0.0.1", port=5921)))
    assert change(script, moved) == [BindListener("desk")]
    assert (script.tunnel().state, script.tunnel().listen) == ("ready", ("127.0.0.1:1",))
    commands = script.tell(ListenerBound("desk", ("127.0.0.1:5921",), 0))
    assert commands == [AdoptPlan("desk"), RunCheck("desk")]
    assert script.tunnel().listen == ("127.0.0.1:5921",)


def test_an_address_that_cannot_be_bound_leaves_the_first_and_is_tried_again() -> None:
    script = ready(DESK)
    change(script, plan(EDGE, tunnel("desk", "edge", entry=listen("127.0.0.1", port=5921))))
    assert script.tell(ListenerFailed("desk", failure(Code.LISTEN_IN_USE))) == []
    assert (script.tunnel().state, script.tunnel().listen) == ("ready", ("127.0.0.1:1",))
    assert script.ring("listener", "desk") == [BindListener("desk")]
    assert change(script, DESK) == [CancelBind("desk")]  # thought better of
    assert script.tunnel().notes == ()


def test_an_address_that_overlaps_its_own_is_bound_when_the_first_is_closed() -> None:
    script = ready(DESK)
    wide = plan(EDGE, tunnel("desk", "edge", entry=listen("*", port=5920)))
    assert change(script, wide) == [CloseListener("desk"), AdoptPlan("desk"), BindListener("desk", 0)]


def at(**ports: int) -> Plan:
    return plan(EDGE, *(tunnel(name, "edge", entry=listen("127.0.0.1", port=port)) for name, port in ports.items()))


def test_tunnels_that_exchange_their_addresses_both_let_go_first() -> None:
    script = ready(at(desk=1, wiki=2))
    commands = change(script, at(desk=2, wiki=1))
    assert set(commands) >= {CloseListener("desk"), CloseListener("wiki")}
    assert {BindListener("desk", 0), BindListener("wiki", 0)} <= set(commands)
    assert script.tunnel("desk").notes == script.tunnel("wiki").notes == ()


def test_the_address_of_another_is_taken_when_that_has_moved() -> None:
    script = ready(at(desk=1, mail=2, wiki=3))
    assert change(script, at(desk=2, mail=3, wiki=4)) == [BindListener("wiki")]
    assert BindListener("mail") in script.tell(ListenerBound("wiki", ("127.0.0.1:4",), 0))
    assert script.tunnel("desk").listen == ("127.0.0.1:1",)
    assert BindListener("desk") in script.tell(ListenerBound("mail", ("127.0.0.1:3",), 0))


def test_who_waits_for_an_address_that_is_not_given_up_after_all_goes_on() -> None:
    script = ready(at(desk=1, wiki=2))
    change(script, at(desk=2, wiki=3))
    script.tell(ListenerFailed("wiki", failure(Code.LISTEN_IN_USE)))
    assert [script.tunnel(name).state for name in ("desk", "wiki")] == ["ready", "ready"]
    assert change(script, at(desk=4, wiki=2)) == [BindListener("desk")]


def test_what_is_moving_and_loses_the_session_that_it_moves_to_stays() -> None:
    script = ready(plan((*EDGE, session("west")), tunnel("desk", "edge"), tunnel("wiki", "west")))
    there = listen("127.0.0.1", at="west")
    after = plan((*EDGE, session("west")), tunnel("desk", "edge", "west", entry=there), tunnel("wiki", "west"))
    assert change(script, after) == [BindListener("desk")]
    commands = script.tell(SessionEnded("west", failure(Code.SESSION_LOST)))
    assert CancelBind("desk") in commands
    assert CloseListener("desk") not in commands
    assert script.tunnel().state == "ready"
    script.ring("server", "west")
    assert BindListener("desk") in script.tell(SessionOpened("west"))


def test_a_session_that_is_wanted_again_does_not_retire() -> None:
    script = ready(plan((*EDGE, session("west")), tunnel("desk", "edge"), tunnel("wiki", "west")))
    change(script, DESK)
    change(script, plan((*EDGE, session("west")), tunnel("desk", "edge"), tunnel("wiki", "west")))
    assert script.tell(SessionIdle("west")) == []
    assert script.ring("drain", "west") == []
    assert script.session("west").state == "open"


def test_one_that_retires_and_ends_by_itself_is_not_opened_again() -> None:
    script = ready(plan(chain("edge", "gateway"), tunnel("desk"), tunnel("wiki", "edge", "gateway")))
    change(script, plan((), tunnel("desk")))
    assert script.tell(SessionEnded("edge", failure(Code.SESSION_LOST))) == [DropSession("gateway")]
    assert script.status.sessions == ()
