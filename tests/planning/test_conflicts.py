"""Listeners in each other's way."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from tests.planning.make import (
    target,
    tunnel,
)
from tests.planning.office import (
    HERE,
    LAN,
    NET,
    OFFICE,
    OPEN_GATE,
    WEB,
    codes,
    plan,
)


@pytest.mark.parametrize(
    ("one", "other", "conflict"),
    [
        ("localhost:80", "127.0.0.1:80", True),
        ("127.0.0.1:80", "[::1]:80", False),
        ("*:80", "[::1]:80", True),
        ("0.0.0.0:80", "[::1]:80", False),
        ("*:80", "[::]:80", True),
        ("localhost:80", "localhost:81", False),
        ("auto", "auto", False),
    ],
)
def test_listeners_that_overlap_conflict(one: str, other: str, conflict: bool) -> None:
    made = plan(*OFFICE, target("db", "5432"), tunnel("x", "db", one), tunnel("y", "db", other))
    assert (Code.LISTEN_CONFLICT in codes(made)) is conflict


def test_a_listener_where_a_target_listens_conflicts() -> None:
    made = plan(NET, LAN, HERE, OPEN_GATE, WEB, target("x", "80", "gate"), tunnel("x", listen="localhost:3000"))
    assert Code.LISTEN_CONFLICT in {each.code for each in made.diagnostics}
