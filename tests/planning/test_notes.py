"""What there is to say about a tunnel that can be carried."""

from __future__ import annotations

from orchestra.diagnostics import Code
from tests.planning.make import client, server, target, tunnel
from tests.planning.office import DB, GATE, HERE, LAN, NET, WEB, codes, gates_of, plan


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


def test_failover_that_has_nowhere_to_go_is_said() -> None:
    wiki = tunnel("db", failover=True)
    alone = plan(NET, LAN, HERE, *gates_of("a"), DB, target("db", "80"), wiki)
    (found,) = (each for each in alone.diagnostics if each.code is Code.NO_OTHER_PATH)
    assert (found.severity, found.tunnel) == ("info", "db")
    two = (NET, LAN, HERE, *gates_of("ab"), DB, target("db", "80"))
    for made in (plan(*two, wiki), plan(*two), plan(*two, wiki, alternatives=0)):
        assert Code.NO_OTHER_PATH not in codes(made)
