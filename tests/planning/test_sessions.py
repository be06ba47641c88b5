"""Chains of sessions: each through the one before it, by the least cost."""

from __future__ import annotations

from tests.planning.make import host, network, server, target
from tests.planning.office import DB, HERE, LAN, NET, OFFICE, dialed, gates_of, only, plan


def test_a_server_behind_another_is_dialed_through_it() -> None:
    made = plan(
        server("outer", ssh_host="outer.example"),
        server("inner", ssh_host="inner.lan", ssh_port=2022, behind=("outer",)),
        target("db", "127.0.0.1:5432", "inner"),
    )
    assert [(each.id, each.via, each.dial.by, str(each.dial)) for each in made.sessions] == [
        ("outer", None, "localhost", "outer.example:22"),
        ("inner", "outer", "outer", "inner.lan:2022"),
    ]
    assert dialed(made.tunnel("db")) == "inner dials 127.0.0.1:5432 = inner"


def test_each_session_is_dialed_through_the_one_before() -> None:
    far = network("far", "10.2.0.0/24")
    inner = server("inner", {"lan": "10.1.0.3", "far": "10.2.0.3"})
    made = plan(*OFFICE[:4], far, inner, host("x", networks={"far": "10.2.0.9"}), target("x", "80"))
    assert [(each.id, each.via, each.dial.by, each.depth) for each in made.sessions] == [
        ("gate", None, "here", 1),
        ("inner", "gate", "gate", 2),
    ]
    assert made.tunnel("x").path == ("here", "gate", "inner")
    assert made.tunnel("x").sessions == ("gate", "inner")


def test_least_cost_then_fewest_sessions_then_names() -> None:
    def pair(a: int, b: int) -> tuple[str, ...]:
        gates = gates_of("ab", a, b)
        return only(NET, LAN, HERE, *gates, DB, target("db", "80")).path

    assert pair(1, 0) == ("here", "b")
    assert pair(0, 0) == ("here", "a")
    assert pair(0, 1) == ("here", "a")


def test_two_accounts_of_one_machine_share_its_loopback() -> None:
    ci = server("ci", {"net": "203.0.113.2"}, user="ci", cost=5)
    ops = server("ops", {"net": "203.0.113.2"}, user="ops", cost=1)
    made = plan(NET, HERE, ci, ops, target("db", "127.0.0.1:5432", "ci"))
    assert made.tunnel("db").path == ("here", "ops")


def test_a_transport_that_is_not_dialed_needs_no_network() -> None:
    made = plan(NET, LAN, HERE, server("pod", {"lan": "10.1.0.7"}, transport="pod"), DB, target("db", "80"))
    assert (made.session("pod").dial.transport, made.session("pod").dial.host) == ("pod", None)
    assert dialed(made.tunnel("db")) == "pod dials 10.1.0.9:80 = db"
