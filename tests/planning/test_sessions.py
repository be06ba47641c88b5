"""Chains of sessions: each through the one before it, by the least cost."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from orchestra.diagnostics import Code, Diagnostic, Place
from orchestra.model.topology import ConfigSettings, Host
from orchestra.planning.context import make_context
from orchestra.planning.sessions import HERE as HERE_CHAIN
from orchestra.planning.sessions import Chain, Tree, hop, prefixes, search
from tests.planning.make import host, network, server, target, topology
from tests.planning.office import DB, GATE, HERE, LAN, NET, OFFICE, VOCABULARY, dialed, gates_of, only, plan

if TYPE_CHECKING:
    from collections.abc import Iterator


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


def test_chains_are_compared_by_cost_then_sessions_then_names() -> None:
    one, two = HERE_CHAIN.then("b", 0), HERE_CHAIN.then("a", 1)
    assert sorted([two, one.then("c", 0), one, HERE_CHAIN.then("a", 0)]) == [
        HERE_CHAIN.then("a", 0),
        one,
        one.then("c", 0),
        two,
    ]
    assert (HERE_CHAIN.place("here"), one.then("c", 0).place("here")) == ("here", "c")


def test_sessions_that_are_open_anyway_cost_nothing() -> None:
    chain = HERE_CHAIN.then("a", 5).then("b", 5)
    assert [(each.cost, each.new, each.servers) for each in prefixes(chain)] == [
        (0, 0, ()),
        (0, 0, ("a",)),
        (0, 0, ("a", "b")),
    ]


def test_a_search_goes_on_from_where_sessions_lead_and_around_what_is_avoided() -> None:
    far = network("far", "10.2.0.0/24")
    outer, spare = gates_of("ab", 0, 7)
    inner = server("inner", {"lan": "10.1.0.8", "far": "10.2.0.8"}, cost=1)
    context = make_context(topology(NET, LAN, far, HERE, outer, spare, inner), "here", VOCABULARY)
    assert {place: (each.cost, each.servers) for place, each in search(context).items()} == {
        "here": (0, ()),
        "a": (0, ("a",)),
        "inner": (1, ("a", "inner")),
        "b": (7, ("b",)),
    }
    assert search(context, avoid=frozenset({"a"}))["inner"].servers == ("b", "inner")
    assert search(context, barred=frozenset({"a"}))["inner"].servers == ("b", "inner")


def test_a_search_looks_no_further_than_it_is_asked() -> None:
    context = make_context(topology(NET, LAN, HERE, *gates_of("abcdefgh", 1)), "here", VOCABULARY)
    tree, judged = search(context), context.answers.attempts
    assert (list(islice(tree, 3)), len(judged)) == (["here", "b", "c"], 2)
    assert (tree["d"].servers, "x" in tree, len(tree)) == (("d",), False, 9)
    assert (
        list(tree.items()) == [(place, tree[place]) for place in tree] == sorted(tree.items(), key=lambda each: each[1])
    )


def test_of_several_sources_the_first_that_can_dial_a_server_does_so() -> None:
    """Although the chain by way of ``a`` comes first by its names."""
    context = make_context(topology(NET, LAN, HERE, *gates_of("ab")), "here", VOCABULARY)
    assert search(context, prefixes(HERE_CHAIN.then("a", 0)))["b"].servers == ("b",)


def test_several_sources_are_in_order_and_lead_to_different_places() -> None:
    context = make_context(topology(NET, LAN, HERE, *gates_of("ab")), "here", VOCABULARY)
    gate = HERE_CHAIN.then("a", 0)
    for sources in ((gate, HERE_CHAIN), (HERE_CHAIN, HERE_CHAIN), (gate, HERE_CHAIN.then("b", 0).then("a", 0))):
        with pytest.raises(AssertionError):
            search(context, sources)


def test_a_tree_whose_search_fails_is_not_taken_for_complete() -> None:
    asked: list[str] = []

    def begin() -> Iterator[tuple[str, Chain]]:
        yield "here", HERE_CHAIN
        asked.append("a")
        if len(asked) < 3:
            raise KeyError("a")
        yield "a", HERE_CHAIN.then("a", 0)

    tree = Tree(begin)
    for _ in range(2):
        with pytest.raises(KeyError, match="a"):
            list(tree)
    assert list(tree.items()) == [("here", HERE_CHAIN), ("a", HERE_CHAIN.then("a", 0))] == list(tree.items())


def test_what_finds_its_own_way_does_so_from_here_only() -> None:
    pod = server("pod", {"lan": "10.1.0.7"}, transport="pod")
    context = make_context(topology(NET, LAN, HERE, GATE, pod), "here", VOCABULARY)
    assert (hop(context, "here", "pod").transport, hop(context, "here", "pod").text) == ("pod", None)
    assert (hop(context, "gate", "pod").transport, hop(context, "gate", "pod").text) == (None, "10.1.0.7")


def refused(made: Host) -> Host:
    """A server that ssh_config says not to dial."""
    assert made.server is not None
    why = Diagnostic(
        code=Code.SSH_CONFIG_REFUSED,
        severity="error",
        message=f"{made.name}: RefuseConnection: gone",
        place=Place("config", 2, 3),
        suggestion="ask",
    )
    ssh = replace(made.server.ssh, config=ConfigSettings(refusals=(why,)))
    return replace(made, server=replace(made.server, ssh=ssh))


def test_a_server_that_ssh_config_refuses_is_avoided_and_else_the_reason() -> None:
    first, second = gates_of("ab", 0, 1)
    assert only(NET, LAN, HERE, first, second, DB, target("db", "80")).path == ("here", "a")
    assert only(NET, LAN, HERE, refused(first), second, DB, target("db", "80")).path == ("here", "b")
    made = plan(NET, LAN, HERE, refused(first), DB, target("db", "80"))
    assert (made.tunnel("db").verdict, made.sessions) == ("unreachable", ())
    [error] = [each for each in made.diagnostics if each.severity == "error"]
    assert (error.code, error.place, error.suggestion) == (Code.SSH_CONFIG_REFUSED, Place("config", 2, 3), "ask")
    assert error.message.endswith("(a): RefuseConnection: gone")
