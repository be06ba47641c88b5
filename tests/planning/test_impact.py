"""What would be lost if hosts were gone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestra.diagnostics import Place
from orchestra.errors import TopologyInvalid, UsageError
from orchestra.model.topology import Expectation, Topology
from orchestra.planning.impact import Impact, impact
from tests.planning.example import OFFICE, loaded
from tests.planning.example import VOCABULARY as WORDS
from tests.planning.make import FILE, allow, client, host, network, server, target, topology, tunnel
from tests.planning.office import DB, HERE, LAN, NET, VOCABULARY, edge, gates_of


def without(source: Topology, *names: str, **more: object) -> Impact:
    return impact(source, names, vocabulary=VOCABULARY, **more)  # type: ignore[arg-type]


def said(found: Impact) -> dict[str, str]:
    return {each.name: f"{each.verdict} {each.reason or ''}".strip() for each in found.tunnels}


TWO = topology(
    NET,
    LAN,
    HERE,
    *gates_of("ab"),
    server("deep", {"lan": "10.1.0.40"}),
    DB,
    target("db", "80"),
    target("own", "127.0.0.1:5432", "b"),
    tunnel("db", listen="1000"),
    tunnel("own", listen="1001"),
    tunnel("picky", "db", "1002", via=("a",)),
)


def test_lost_rerouted_and_untouched() -> None:
    found = without(TWO, "a")
    assert said(found) == {
        "db": "rerouted",
        "own": "untouched",
        "picky": "lost a, which it has to pass (`via`), is gone",
    }
    moved = next(each for each in found.tunnels if each.name == "db")
    assert moved.after is not None
    assert (moved.before.path, moved.after.path, moved.listed) == (("here", "a"), ("here", "b"), True)
    assert found.loses
    assert found.servers == ()


def test_servers_that_are_cut_off_are_named_and_those_that_are_gone_are_not() -> None:
    assert without(TWO, "a", "b").servers == ("deep",)
    assert said(without(TWO, "a", "b"))["db"].startswith("lost no other path: ")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("here", "here, which holds it, is gone"),
        ("db", "db, its target, is gone"),
    ],
)
def test_what_cannot_even_be_asked_for(name: str, why: str) -> None:
    found = without(TWO, name)
    assert said(found)["db"] == f"lost {why}"
    assert next(each for each in found.tunnels if each.name == "db").after is None
    assert found.servers == ()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"at": "a", "listen": "127.0.0.1:99"}, "a, where it is entered, is gone"),
        ({"from_": "a", "listen": "127.0.0.1:99"}, "a, which uses it, is gone"),
        ({"exit": "a"}, "a, its `exit`, is gone"),
    ],
)
def test_parts_of_a_tunnel(more: dict[str, object], why: str) -> None:
    things = (NET, LAN, HERE, *gates_of("ab"), DB, target("db", "80"), tunnel("t", "db", **more))  # type: ignore[arg-type]
    assert said(without(topology(*things), "a")) == {"t": f"lost {why}"}


def test_a_machine_takes_all_its_accounts_along() -> None:
    accounts = [server(name, {"net": "203.0.113.2", "lan": "10.1.0.2"}, user=name) for name in ("ops", "root")]
    found = without(topology(NET, LAN, HERE, *accounts, DB, target("db", "80")), "root")
    assert (found.without, found.gone) == (("root",), ("ops", "root"))
    assert [each.verdict for each in found.tunnels] == ["lost"]


def test_without_a_firewall_the_way_is_another() -> None:
    """Nothing of it is left, so ways are found as if it had never been declared."""
    shut, opened = edge(), replace(edge(allow("any", "db")), name="way")
    things = (NET, LAN, HERE, server("gate", {"net": "203.0.113.2"}), DB, target("db", "80"))
    assert said(without(topology(*things, shut, opened), "edge")) == {"db": "gained"}
    twin = replace(opened, name="yon")
    moved = without(topology(*things, opened, twin), "way")
    assert said(moved) == {"db": "rerouted"}
    assert moved.tunnels[0].after is not None
    assert moved.tunnels[0].before.path == moved.tunnels[0].after.path
    assert said(without(topology(*things, shut), "gate")) == {"db": "unreachable"}


def test_expectations_that_name_none_of_them_have_to_hold() -> None:
    def expected(number: int, **more: object) -> Expectation:
        return Expectation(from_="here", place=Place(FILE, number, 1), **more)  # type: ignore[arg-type]

    expectations = (
        expected(1, to="deep", verdict="reachable"),
        expected(2, to="db", verdict="reachable", via=("a",)),
        expected(3, to="10.1.0.1:22", verdict="reachable"),
        expected(4, to="own", verdict="unreachable"),
        expected(5, to="b", verdict="reachable"),
    )
    found = without(replace(TWO, expectations=expectations), "a", "b")
    assert [each.place and each.place.line for each in found.expectations] == [1]
    assert found.expectations[0].suggestion is None
    quiet = without(replace(TWO, tunnels={}, expectations=expectations), "a")
    assert (quiet.loses, quiet.expectations) == (False, ())


def test_each_tunnel_is_seen_by_the_client_that_holds_it() -> None:
    other = client("other", {"lan": "10.1.0.77"})
    things = (NET, LAN, HERE, other, *gates_of("a"), DB, target("db", "80"))
    both = topology(*things, tunnel("x", "db", "1000", from_="other"), tunnel("y", "db", "1001", from_="here"))
    assert said(without(both, "a", client="here")) == {
        "x": "untouched",
        "y": said(without(both, "a", client="here"))["y"],
    }
    assert said(without(both, "a", client="here"))["y"].startswith("lost no other path")
    assert said(without(both, "other", client="here"))["x"] == "lost other, which holds it, is gone"
    with pytest.raises(TopologyInvalid):
        without(both, "a")


@pytest.mark.parametrize(("name", "hint"), [("aa", "did you mean 'a'?"), ("zzzz", "its hosts are a, b, db, deep")])
def test_a_host_that_does_not_exist(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"t.yaml has no host '{name}'") as error:
        without(TWO, name)
    assert hint in str(error.value)


def test_every_host_of_the_documented_vocabulary_can_be_gone(tmp_path: Path) -> None:
    source = loaded(tmp_path, OFFICE)
    for name in source.hosts:
        found = impact(source, [name], vocabulary=WORDS)
        gone = set(found.gone)
        for each in found.tunnels:
            if each.verdict in ("untouched", "rerouted"):
                assert each.after is not None
                assert gone.isdisjoint(each.after.path)


def test_an_unrelated_host_touches_nothing() -> None:
    idle = host("idle", networks={"lan": "10.1.0.99"}), network("off", "10.7.0.0/24")
    found = without(replace(TWO, hosts={**TWO.hosts, "idle": idle[0]}), "idle")
    assert {each.verdict for each in found.tunnels} == {"untouched"}
