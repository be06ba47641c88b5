from __future__ import annotations

from orchestra.diagnostics import Code
from orchestra.engine.core.messages import (
    CheckFailed,
    CheckPassed,
    ListenerBound,
    SessionEnded,
    SessionOpened,
    StopRequested,
)
from orchestra.model.events import OverallChanged, SessionChanged, TunnelChanged
from tests.engine.core.script import Script, failure
from tests.engine.plans import chain, plan, session, tunnel


def up() -> Script:
    two = plan((*chain("edge", "gateway"), session("other")), tunnel("desk", "edge", "gateway"), tunnel("web", "other"))
    script = Script(two)
    script.start()
    for name in ("desk", "web"):
        script.tell(ListenerBound(name, ("127.0.0.1:1",), 0))
    for id_ in ("edge", "gateway", "other"):
        script.tell(SessionOpened(id_))
    for name in ("desk", "web"):
        script.tell(CheckPassed(name))
    return script


def short(script: Script) -> list[str]:
    words: list[str] = []
    for event in script.told:
        match event:
            case SessionChanged(id=id_, state=state):
                words.append(f"{id_}={state}")
            case TunnelChanged(name=name, state=state):
                words.append(f"{name}={state}")
            case OverallChanged(state=state):
                words.append(f"*={state}")
    script.told.clear()
    return words


def test_a_loss_is_told_of_whom_it_concerns() -> None:
    script = up()
    assert short(script)[-1] == "*=ready"
    script.tell(SessionEnded("edge", failure(Code.SESSION_LOST)))
    assert short(script) == ["edge=retrying", "gateway=waiting", "desk=degraded", "*=degraded"]


def test_another_attempt_that_fails_in_the_same_way_is_not_news() -> None:
    script = Script(plan((), tunnel("desk")))
    script.start()
    script.tell(ListenerBound("desk", ("127.0.0.1:1",), 0))
    script.tell(CheckFailed("desk", failure()))
    short(script)
    script.ring("check", "desk")
    script.tell(CheckFailed("desk", failure()))
    assert short(script) == []
    script.ring("check", "desk")
    script.tell(CheckFailed("desk", failure(message="it failed otherwise")))
    assert short(script) == ["desk=degraded"]


def test_an_optional_tunnel_does_not_change_the_whole() -> None:
    script = Script(plan((), tunnel("desk", optional=True)))
    script.start()
    script.tell(ListenerBound("desk", ("127.0.0.1:1",), 0))
    script.tell(CheckFailed("desk", failure()))
    assert short(script) == ["desk=starting", "desk=degraded"]


def test_the_end_is_told() -> None:
    script = up()
    short(script)
    script.tell(StopRequested())
    words = short(script)
    assert words == ["edge=closed", "gateway=closed", "other=closed"]
