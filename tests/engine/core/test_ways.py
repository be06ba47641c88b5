"""The ways of a tunnel."""

from __future__ import annotations

from dataclasses import replace

from orchestra.engine.core.ways import ways_of
from orchestra.model.plan import Alternative, Dial
from tests.engine import plans

OTHER = Alternative(
    path=("laptop", "west"),
    sessions=("west",),
    exit="west",
    dial=Dial(by="west", host="10.20.0.30", port=5900, means="desk-vnc"),
)


def test_the_planned_path_comes_first_and_others_only_with_failover() -> None:
    fixed = replace(plans.tunnel("desk", "east"), alternatives=(replace(OTHER, sessions=(), exit=None),))
    moving = replace(plans.tunnel("desk", "east", failover=True), alternatives=(OTHER,))
    assert [way.exit for way in ways_of(fixed)] == ["east"]
    assert [(way.exit, way.sessions) for way in ways_of(moving)] == [("east", ("east",)), ("west", ("west",))]
    assert ways_of(moving)[1].dial == OTHER.dial
