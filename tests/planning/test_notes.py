"""What there is to say about a tunnel that can be carried."""

from __future__ import annotations

from orchestra.diagnostics import Code
from tests.planning.make import client, server, target
from tests.planning.office import DB, GATE, HERE, LAN, NET, WEB, plan


def test_direct_is_said_to_be_unprotected() -> None:
    made = plan(LAN, client("here", {"lan": None}), DB, target("db", "80"))
    assert made.tunnel("db").direction == "direct"
    assert made.tunnel("db").sessions == ()
    assert {each.code for each in made.diagnostics} >= {Code.UNPROTECTED_DIRECT}


def test_here_itself_and_what_a_session_carries_need_no_warning() -> None:
    for things in ((LAN, NET, HERE, WEB), (NET, LAN, HERE, GATE, DB, target("db", "5432"))):
        assert Code.UNPROTECTED_DIRECT not in {each.code for each in plan(*things).diagnostics}


def test_what_was_assumed_is_said_of_every_dial() -> None:
    made = plan(server("bastion", ssh_host="bastion.example"), target("db", "db.internal:5432"))
    assert {each.message for each in made.diagnostics if each.code is Code.ASSUMED_NAME_RESOLVES} == {
        "assumed: localhost resolves and reaches bastion.example (bastion); nobody declared it",
        "assumed: bastion resolves and reaches db.internal (db); nobody declared it",
    }
