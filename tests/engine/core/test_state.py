"""The draft of one step: what it keeps, what it changes, and the trouble that it notes."""

from __future__ import annotations

from random import Random
from types import MappingProxyType

from orchestra.diagnostics import Code
from orchestra.engine.core.messages import SetTimer
from orchestra.engine.core.state import Draft, SessionEntry, State, TunnelEntry
from orchestra.engine.core.ways import ways_of
from tests.engine import plans
from tests.engine.core.script import failure

GATEWAY, INNER = plans.chain("gateway", "inner")
DESK = plans.tunnel("desk", "gateway", "inner")
STATE = State(
    sessions=MappingProxyType({s.id: SessionEntry(spec=s) for s in (GATEWAY, INNER)}),
    tunnels=MappingProxyType({"desk": TunnelEntry(spec=DESK, ways=ways_of(DESK), checked=True)}),
)


def draft(now: float = 100.0) -> Draft:
    return Draft(STATE, now, Random(1))  # noqa: S311 - the same every time


def test_what_did_not_change_keeps_its_identity_and_the_state_is_left_alone() -> None:
    step = draft()
    step.put_session(step.sessions["gateway"], state="open", opened_at=100.0)
    after = step.state()
    assert (STATE.sessions["gateway"].state, after.sessions["gateway"].state) == ("waiting", "open")
    assert after.sessions["inner"] is STATE.sessions["inner"]
    assert after.tunnels["desk"] is STATE.tunnels["desk"]


def test_a_path_is_open_when_all_of_it_is_and_here_always_is() -> None:
    step = draft()
    step.put_session(step.sessions["gateway"], state="open")
    assert (step.is_open(None), step.is_open("gateway"), step.is_open("inner")) == (True, True, False)
    assert not step.is_passable(step.tunnels["desk"].way)
    step.put_session(step.sessions["inner"], state="open")
    assert step.is_passable(step.tunnels["desk"].way)


def test_trouble_of_one_code_has_one_beginning_and_sets_a_timer_for_the_next_attempt() -> None:
    first = draft().trouble(None, failure(Code.CONNECT_REFUSED), "transient", 1, ("server", "gateway"))
    step = draft(now=130.0)
    second = step.trouble(first, failure(Code.CONNECT_REFUSED), "transient", 2, ("server", "gateway"))
    assert (second.since, second.attempts) == (100.0, 2)
    assert second.next_retry is not None
    assert step.commands == [SetTimer(("server", "gateway"), second.next_retry)]
    other = draft(now=160.0).trouble(second, failure(Code.CONNECT_TIMEOUT), "transient", 3, ("server", "gateway"))
    assert other.since == 160.0


def test_what_will_not_mend_has_no_next_attempt() -> None:
    step = draft()
    trouble = step.trouble(None, failure(Code.AUTH_FAILED), "identity", 1, ("server", "gateway"))
    assert (trouble.next_retry, step.commands) == (None, [])
