"""What there is to say about a tunnel that can be carried."""

from __future__ import annotations

from orchestra.diagnostics import Code
from tests.planning.make import (
    client,
    target,
)
from tests.planning.office import (
    DB,
    LAN,
    plan,
)


def test_direct_is_said_to_be_unprotected() -> None:
    made = plan(LAN, client("here", {"lan": None}), DB, target("db", "80"))
    assert made.tunnel("db").direction == "direct"
    assert made.tunnel("db").sessions == ()
    assert {each.code for each in made.diagnostics} >= {Code.UNPROTECTED_DIRECT}
