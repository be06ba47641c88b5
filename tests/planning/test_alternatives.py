"""Other paths that would do."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra.graph import compile_world, dialer_at, judge
from orchestra.model.plan import Dial, PlannedTunnel
from orchestra.model.topology import Topology
from orchestra.planning import make_plan
from tests.planning.make import allow, client, deny, firewall, host, network, server, target, topology, tunnel
from tests.planning.office import DB, HERE, LAN, NET, VOCABULARY, gates_of, only


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


@pytest.mark.parametrize("most", [0, 1, 2, 10])
def test_as_many_as_are_asked_for(most: int) -> None:
    made = only(NET, LAN, HERE, *gates_of("abcde"), DB, target("db", "80"), alternatives=most)
    assert [each.path[-1] for each in made.alternatives] == list("bcde")[:most]


def test_a_disjoint_path_is_found_behind_dearer_servers_that_share_one() -> None:
    """Each server of the cheap pair alone can be done without more cheaply; both at once only by the dear pair."""
    far = network("far", "10.2.0.0/24")
    costs = {"a": 0, "c": 50}
    outer = [server(n, {"net": f"203.0.113.{ord(n)}", "lan": f"10.1.0.{ord(n)}"}, cost=costs[n]) for n in "ac"]
    inner = [
        server(n, {"lan": f"10.1.0.{ord(n)}", "far": f"10.2.0.{ord(n)}"}, cost=k)
        for n, k in zip("bd", (0, 9), strict=True)
    ]
    db = host("db", networks={"far": "10.2.0.9"})
    made = only(NET, LAN, far, HERE, *outer, *inner, db, target("db", "80"), alternatives=9)
    assert made.path == ("here", "a", "b")
    assert [(each.path[1:], each.cost) for each in made.alternatives] == [
        (("c", "d"), 59),
        (("a", "d"), 9),
        (("c", "b"), 50),
    ]


# -- random topologies ------------------------------------------------------------------------------------------------

NETS = {"net": "203.0.113.0/24", "lan": "10.1.0.0/24", "far": "10.2.0.0/24"}


@st.composite
def drawn(draw: st.DrawFn) -> Topology:
    """Four servers at random on three networks, a firewall between them, and a service on the last."""
    things: list[object] = [network(name, cidr) for name, cidr in NETS.items()]
    things.append(client("here", {"net": "203.0.113.200"}))
    for number, name in enumerate("abcd", 1):
        on = draw(st.lists(st.sampled_from(sorted(NETS)), min_size=1, unique=True))
        at = {each: NETS[each].replace("0/24", str(number)) for each in on}
        shut = (deny(f"@{draw(st.sampled_from(sorted(NETS)))}", "any"), allow("any", "any"))
        inbound = draw(st.sampled_from([None, shut]))
        things.append(server(name, at, cost=draw(st.sampled_from([0, 0, 5])), inbound=inbound))
    walls = draw(st.lists(st.sampled_from([allow("any", each, 22) for each in "abcd"]), max_size=2))
    things.append(firewall("w", {"net": "203.0.113.99", "lan": "10.1.0.99", "far": "10.2.0.99"}, *walls))
    things += [host("db", networks={"far": "10.2.0.200"}), target("db", "80")]
    things.append(tunnel("db", listen="1000", failover=True, via=draw(st.sampled_from([(), (), ("a",)]))))
    return topology(*things)  # type: ignore[arg-type]


def planned(source: Topology) -> tuple[PlannedTunnel, dict[str, Dial]]:
    plan = make_plan(source, vocabulary=VOCABULARY, alternatives=50)
    return plan.tunnels[0], {session.id: session.dial for session in plan.sessions}


@settings(max_examples=40, deadline=None)
@given(drawn())
def test_every_alternative_is_a_path_by_the_judge_and_disjoint_ones_come_first(source: Topology) -> None:
    made, sessions = planned(source)
    world = compile_world(source, "here")
    for each in made.alternatives:
        dials = [sessions[id_] for id_ in each.sessions]
        assert each.dial is not None
        assert [dial.by for dial in (*dials, each.dial)] == list(each.path)
        assert each.exit == each.sessions[-1]
        for dial in (*dials, each.dial):
            assert dial.host is not None
            assert dial.port is not None
            verdict = judge(world, dialer_at(world, dial.by), dial.host, dial.port)
            assert (verdict.passes, verdict.means) == (True, dial.means)
    paths = [made.path, *(each.path for each in made.alternatives)]
    assert len(set(paths)) == len(paths)
    shared = [len(set(made.path[1:]) & set(path[1:])) for path in paths[1:]]
    assert shared == sorted(shared)


@settings(max_examples=40, deadline=None)
@given(drawn(), st.integers())
def test_whichever_server_fails_an_alternative_is_left_if_the_file_has_one(source: Topology, seed: int) -> None:
    made, _ = planned(source)
    if made.verdict != "reachable":
        return
    for down in made.path[1:]:
        avoiding = replace(source.tunnels["db"], avoid=(down,))
        other = make_plan(replace(source, tunnels={"db": avoiding}), vocabulary=VOCABULARY).tunnels[0]
        left = [each for each in made.alternatives if down not in each.path]
        assert bool(left) == (other.verdict == "reachable" and other.path != made.path)
    names = list(source.hosts)
    Random(seed).shuffle(names)  # noqa: S311 - an order, no secret
    assert planned(replace(source, hosts={name: source.hosts[name] for name in names}))[0] == made
