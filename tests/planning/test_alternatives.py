"""Other paths that would do."""

from __future__ import annotations

from tests.planning.make import host, network, server, target, tunnel
from tests.planning.office import DB, HERE, LAN, NET, gates_of, only


def test_alternatives_are_listed_hop_disjoint_first_and_open_for_failover() -> None:
    gates = gates_of("abcde")
    made = only(NET, LAN, HERE, *gates, DB, target("db", "80"))
    assert [each.path for each in made.alternatives] == [("here", "b"), ("here", "c"), ("here", "d")]
    assert [each.sessions for each in made.alternatives] == [(), (), ()]
    made = only(NET, LAN, HERE, *gates[:2], DB, target("db", "80"), tunnel("db", failover=True))
    assert [(each.sessions, each.exit, str(each.dial)) for each in made.alternatives] == [(("b",), "b", "10.1.0.9:80")]


def test_one_that_needs_every_server_of_another_is_no_alternative() -> None:
    """It would be down whenever that one is."""
    far, db = network("far", "10.2.0.0/24"), host("db", networks={"far": "10.2.0.9"})
    a = server("a", {"net": "203.0.113.1", "lan": "10.1.0.1"})
    b = server("b", {"lan": "10.1.0.2", "far": "10.2.0.2"})
    c = server("c", {"net": "203.0.113.3", "lan": "10.1.0.3"})
    made = only(NET, LAN, far, HERE, a, b, c, db, target("db", "80"))
    assert made.path == ("here", "a", "b")
    assert [each.path for each in made.alternatives] == [("here", "c", "b")]


def test_alternatives_keep_to_via_and_avoid() -> None:
    gates, wanted = gates_of("abcd"), tunnel("db", via=("a",), avoid=("b",), failover=True)
    made = only(NET, LAN, HERE, *gates, DB, target("db", "80"), wanted)
    assert made.path == ("here", "a")
    assert all("a" in each.path and "b" not in each.path for each in made.alternatives)


def test_an_entry_never_moves() -> None:
    gates = gates_of("abc")
    made = only(NET, LAN, HERE, *gates, DB, target("db", "80"), tunnel("db", at="c", listen="localhost:99"))
    assert made.alternatives
    assert {each.path[0] for each in made.alternatives} == {"c"}
