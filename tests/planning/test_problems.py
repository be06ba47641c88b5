"""How much a problem counts, and the one wording of loopbacks."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.model.plan import Missing
from orchestra.planning.problems import HOPELESS, STRUCTURAL, Problem, own_only
from tests.planning.make import host, target, tunnel
from tests.planning.office import DB, GATE, HERE, LAN, NET, OPEN_GATE, WEB, plan

RULE = Missing(kind="firewall", at="edge", from_="here", to="gate", address=None, port=22, protocol="tcp")


def test_a_permission_is_less_than_an_address_and_that_less_than_a_network() -> None:
    problems = [
        Problem(code=Code.FIREWALL_DEFAULT_DENY, text="", at="edge", missing=RULE),
        Problem(code=Code.NO_ADDRESS_AT_HOP, text="", at="here"),
        Problem(code=Code.NO_SHARED_NETWORK, text="", at="here"),
        Problem(code=Code.LOOPBACK_ELSEWHERE, text="", at="here", hopeless=True),
    ]
    assert [each.weight for each in problems] == [1, STRUCTURAL // 2, STRUCTURAL, HOPELESS]


def test_a_loopback_without_a_dialer() -> None:
    assert own_only("db", "[::1]:1", "far") == "db listens on [::1]:1 of far, which only far can dial"


@pytest.mark.parametrize(
    ("things", "said"),
    [
        (
            (GATE, DB, target("db", "::1/5432")),
            "db listens on [::1]:5432 of db, which only db can dial: dialed by gate, it is gate",
        ),
        (
            (GATE, DB, target("x", "unix:/run/x", "db")),
            "x listens on unix:/run/x of db, which only db can dial: dialed by gate, it is gate",
        ),
        (
            (
                OPEN_GATE,
                WEB,
                host("x", networks={"lan": None}),
                tunnel("web", at="gate", from_="x", listen="127.0.0.1:80"),
            ),
            "tunnel web listens on 127.0.0.1:80 of gate, which only gate can dial: dialed by x, it is x",
        ),
    ],
)
def test_every_loopback_elsewhere_is_said_in_the_same_words(things: tuple[object, ...], said: str) -> None:
    found = [each.message for each in plan(NET, LAN, HERE, *things).diagnostics if each.code is Code.LOOPBACK_ELSEWHERE]
    assert found == [said]
