"""The tree of sessions, as transcripts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.core.backoff import PAUSE, SPREAD
from orchestra.engine.core.messages import (
    CheckPassed,
    DropSession,
    ListenerBound,
    OpenSession,
    ProbeSession,
    Resumed,
    SessionAwaited,
    SessionEnded,
    SessionFailed,
    SessionOpened,
    SessionSilent,
    StopRequested,
)
from orchestra.engine.core.moves import IllegalMove
from orchestra.engine.core.state import Budget, Limits
from orchestra.model.events import SessionChanged
from tests.engine.core.script import Script, failure, kinds
from tests.engine.plans import chain, plan, session, tunnel

LOST = failure(Code.SESSION_LOST, "edge")


def test_a_child_is_opened_as_soon_as_its_parent_is_up() -> None:
    script = Script(plan(chain("edge", "gateway", "vault")))
    assert script.start() == [OpenSession("edge")]
    assert script.tell(SessionOpened("edge")) == [OpenSession("gateway")]
    assert script.states() == "edge=open gateway=connecting vault=waiting"
    assert script.tell(SessionOpened("gateway")) == [OpenSession("vault")]


def test_branches_that_have_nothing_in_common_go_on_in_parallel() -> None:
    script = Script(plan((session("east"), session("west"), session("db", "west", depth=2))))
    assert script.start() == [OpenSession("east"), OpenSession("west")]
    assert script.tell(SessionOpened("west")) == [OpenSession("db")]
    assert script.states() == "east=connecting west=open db=connecting"


def test_handshakes_are_limited_per_server_and_in_all() -> None:
    ways = tuple(session(f"gw-{n}", server="gw") for n in range(3))
    others = tuple(session(f"other-{n}") for n in range(3))
    script = Script(plan(ways + others), limits=Limits(per_server=2, total=4))
    assert script.start() == [OpenSession(id_) for id_ in ("gw-0", "gw-1", "other-0", "other-1")]
    assert script.tell(SessionOpened("other-0")) == [OpenSession("other-2")]
    assert script.tell(SessionOpened("gw-0")) == [OpenSession("gw-2")]


def test_transient_failures_are_tried_for_ever_with_growing_waits() -> None:
    script = Script(plan((session("edge"),)))
    script.start()
    for attempt in range(1, 40):
        assert script.tell(SessionFailed("edge", failure())) == []
        assert 0.0 <= script.wait_of("server", "edge") <= min(60.0, 2.0 ** (attempt - 1))
        error = script.session("edge").error
        assert error is not None
        assert error.attempts == attempt
        assert error.since == 1000.0
        assert error.next_retry == pytest.approx(1000.0 + script.timers["server", "edge"], abs=0.002)
        assert script.session("edge").state == "retrying"
        assert script.ring("server", "edge") == [OpenSession("edge")]


def test_policy_is_tried_again_slowly() -> None:
    script = Script(plan((session("edge"),)))
    script.start()
    script.tell(SessionFailed("edge", failure(Code.FORWARD_REFUSED)))
    assert script.wait_of("server", "edge") >= 60.0


def test_thirty_seconds_of_health_make_earlier_failures_forgotten() -> None:
    script = Script(plan((session("edge"),)))
    script.start()
    for _ in range(5):
        script.tell(SessionFailed("edge", failure()))
        script.ring("server", "edge")
    script.tell(SessionOpened("edge"))
    script.tell(SessionEnded("edge", LOST), after=29.0)
    assert script.state.budgets["edge"].failures == 6
    script.ring("server", "edge")
    script.tell(SessionOpened("edge"))
    script.tell(SessionEnded("edge", LOST), after=30.0)
    assert script.state.budgets["edge"].failures == 1


def test_identity_stops_the_branch_and_nothing_else() -> None:
    desk = tunnel("desk", "edge", "gateway")
    web = tunnel("web", "other")
    script = Script(plan((*chain("edge", "gateway"), session("other")), desk, web))
    script.start()
    script.tell(ListenerBound("desk", ("127.0.0.1:5920",), 0))
    script.tell(ListenerBound("web", ("127.0.0.1:80",), 0))
    assert script.tell(SessionFailed("edge", failure(Code.AUTH_FAILED, "edge"))) == []
    assert ("server", "edge") not in script.timers
    script.tell(SessionOpened("other"))
    script.tell(CheckPassed("web"))
    assert script.states() == "edge=failed gateway=waiting other=open"
    assert script.tunnel("web").state == "ready"
    error = script.tunnel("desk").error
    assert error is not None
    assert (error.code, error.host, error.next_retry) == ("AUTH_FAILED", "edge", None)
    assert error.message == "waits for edge: it failed: AUTH_FAILED"
    assert script.session("gateway").error is None


def test_the_loss_of_a_parent_is_the_parents() -> None:
    script = Script(plan(chain("edge", "gateway", "vault"), tunnel("desk", "edge", "gateway", "vault")))
    script.start()
    script.tell(ListenerBound("desk", ("127.0.0.1:5920",), 0))
    for id_ in ("edge", "gateway", "vault"):
        script.tell(SessionOpened(id_))
    script.tell(CheckPassed("desk"))
    commands = script.tell(SessionEnded("edge", LOST), after=5.0)
    assert commands == [DropSession("gateway"), DropSession("vault")]
    assert script.states() == "edge=retrying gateway=waiting vault=waiting"
    assert [script.session(id_).error for id_ in ("gateway", "vault")] == [None, None]
    assert script.tunnel().state == "degraded"
    assert set(script.state.budgets) == {"edge"}
    assert script.ring("server", "edge") == [OpenSession("edge")]
    assert script.tell(SessionOpened("edge")) == [OpenSession("gateway")]


def test_a_child_that_was_told_first_is_acquitted() -> None:
    script = Script(plan(chain("edge", "gateway")))
    script.start()
    script.tell(SessionOpened("edge"))
    script.tell(SessionOpened("gateway"))
    script.tell(SessionEnded("gateway", LOST))
    script.tell(SessionEnded("edge", LOST))
    assert script.states() == "edge=retrying gateway=waiting"
    assert script.session("gateway").error is None


def test_two_ways_to_one_server_share_its_attempts() -> None:
    script = Script(plan((session("gw-a", server="gw"), session("gw-b", server="gw"))))
    assert script.start() == [OpenSession("gw-a"), OpenSession("gw-b")]
    script.tell(SessionFailed("gw-a", failure()))
    script.tell(SessionFailed("gw-b", failure()))
    assert script.state.budgets["gw"].failures == 2
    assert list(script.timers) == [("server", "gw")]
    assert script.ring("server", "gw") == [OpenSession("gw-a"), OpenSession("gw-b")]


def test_changes_are_told_once_and_attempts_are_not_changes() -> None:
    script = Script(plan((session("edge"),)))
    script.start()
    script.tell(SessionFailed("edge", failure()))
    script.ring("server", "edge")
    script.tell(SessionOpened("edge"))
    assert kinds(script.told, SessionChanged, lambda e: e.state) == ["connecting", "retrying", "connecting", "open"]


def test_an_event_that_cannot_be_is_a_contradiction() -> None:
    script = Script(plan(chain("edge", "gateway")))
    script.start()
    with pytest.raises(IllegalMove):
        script.tell(SessionOpened("gateway"))


def test_after_a_stop_nothing_more_is_asked_for() -> None:
    script = Script(plan((session("edge"),)))
    script.start()
    script.tell(StopRequested())
    assert script.tell(SessionOpened("edge")) == []
    assert script.states() == "edge=closed"


def test_who_waits_brings_the_next_attempt_forward_but_not_again_and_again() -> None:
    script = Script(plan((session("edge"),)))
    script.start()
    for _ in range(8):
        script.tell(SessionFailed("edge", failure()))
        script.ring("server", "edge")
    script.tell(SessionFailed("edge", failure()))
    script.timers["server", "edge"] = script.now + 50.0
    script.state = replace(script.state, budgets={"edge": Budget(failures=9, not_before=script.now + 50.0)})
    assert script.tell(SessionAwaited("edge"), after=1.0) == []
    assert script.wait_of("server", "edge") == 0.0
    assert script.ring("server", "edge") == [OpenSession("edge")]
    script.tell(SessionFailed("edge", failure()), after=0.1)
    script.timers["server", "edge"] = script.now + 50.0
    script.state = replace(
        script.state, budgets={"edge": replace(script.state.budgets["edge"], not_before=script.now + 50.0)}
    )
    script.tell(SessionAwaited("edge"), after=0.1)
    assert script.wait_of("server", "edge") == pytest.approx(PAUSE - 0.2)
    error = script.session("edge").error
    assert error is not None
    assert error.next_retry == pytest.approx(1000.0 + script.timers["server", "edge"], abs=0.002)


@pytest.mark.parametrize("code", [Code.FORWARD_REFUSED, Code.AUTH_FAILED])
def test_who_waits_hurries_nobody_who_decided_against_us(code: Code) -> None:
    script = Script(plan((session("edge"),)))
    script.start()
    script.tell(SessionFailed("edge", failure(code)))
    before = dict(script.timers)
    assert script.tell(SessionAwaited("edge"), after=5.0) == []
    assert script.tell(Resumed(), after=5.0) == []
    assert script.timers == before


def test_after_a_suspend_what_is_open_has_to_answer_outer_first_and_waits_are_cut_short() -> None:
    script = Script(plan((*chain("edge", "gateway"), session("south"))))
    script.start()
    for id_ in ("edge", "gateway", "south"):
        script.tell(SessionOpened(id_))
    for _ in range(6):
        script.tell(SessionEnded("south", failure(Code.SESSION_LOST, "south")))
        script.ring("server", "south")
        script.tell(SessionOpened("south"))
    script.tell(SessionEnded("south", failure(Code.SESSION_LOST, "south")))
    asked = script.tell(Resumed(), after=0.0)
    assert asked == [ProbeSession("edge", 5.0), ProbeSession("gateway", 6.0)]
    assert script.wait_of("server", "south") <= SPREAD
    assert script.state.budgets["south"].failures == 0


def test_a_session_that_does_not_answer_is_lost_with_what_stands_on_it_and_named_alone() -> None:
    script = Script(plan(chain("edge", "gateway")))
    script.start()
    script.tell(SessionOpened("edge"))
    script.tell(SessionOpened("gateway"))
    assert script.tell(SessionSilent("edge", LOST)) == [DropSession("edge"), DropSession("gateway")]
    assert script.states() == "edge=retrying gateway=waiting"
    assert script.session("gateway").error is None
    assert script.tell(SessionSilent("edge", LOST)) == []
