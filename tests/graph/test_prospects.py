"""The bound on whom a dialer might reach is never too narrow."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra.graph import World, compile_world, dialer_at, judge, prospects
from orchestra.model.topology import Topology
from tests.graph.oracle import own, topologies
from tests.planning.make import allow, client, firewall, host, network, server, topology


def might(world: World, who: str, whom: str, port: int) -> bool:
    found = prospects(world, dialer_at(world, who), port, "tcp")
    return found.everywhere or whom in found.hosts or not found.networks.isdisjoint(world.networks_of(whom))


@settings(max_examples=100, deadline=None)
@given(topologies(), st.sampled_from([22, 80, 2222]))
def test_whatever_is_reached_was_a_prospect(source: Topology, port: int) -> None:
    world = compile_world(source, "h0")
    for who in world.hosts:
        for whom in world.hosts:
            for _, text in own(source, whom):
                judged = judge(world, dialer_at(world, who), text, port)
                if judged.passes and judged.means not in (None, who):
                    assert might(world, who, str(judged.means), judged.means_port)


def test_what_no_rule_lets_pass_is_no_prospect() -> None:
    edge = firewall("edge", {"net": "198.51.100.1", "lan": "10.1.0.1"}, allow("@net", "gate", 22))
    gate, db = server("gate", {"lan": "10.1.0.2"}), host("db", networks={"lan": "10.1.0.9"})
    here = client("here", {"net": None})
    world = compile_world(topology(network("net"), network("lan", "10.1.0.0/24"), edge, gate, db, here), "here")
    assert might(world, "here", "gate", 22)
    assert not might(world, "here", "gate", 80)
    assert not might(world, "here", "db", 22)
    assert might(world, "gate", "db", 5432)


def test_networks_overlap_when_one_range_holds_the_other_and_those_without_a_range_always_do() -> None:
    ranges = {
        "all": ("10.0.0.0/8",),
        "site": ("10.1.0.0/16", "fd00:1::/32"),
        "cell": ("10.1.2.0/24",),
        "six": ("fd00:1:2::/48",),
        "other": ("10.2.0.0/16",),
        "internet": (),
    }
    networks = [network(name, *cidrs) for name, cidrs in ranges.items()]
    edge = firewall("edge", {"internet": "198.51.100.1", "all": "10.9.0.1"}, allow("any", "@site"))
    world = compile_world(topology(*networks, edge, client("laptop", {"internet": None})), "laptop")
    found = prospects(world, dialer_at(world, "laptop"), 22, "tcp")
    assert found.networks == {"site", "all", "cell", "six", "internet"}


def test_hosts_of_one_network_that_rules_treat_otherwise_have_prospects_of_their_own() -> None:
    """One is asked for after the other, so that what is remembered of the first is not told of the second."""
    lan, sub, dual = (
        network("lan", "10.1.0.0/24"),
        network("sub", "10.1.0.0/28"),
        network("dual", "10.2.0.0/24", "fd00::/64"),
    )
    home = network("home", "10.1.0.0/24")
    far, x = network("far", "10.9.0.0/24"), host("x", networks={"home": "10.1.0.7"})
    edge = firewall(
        "edge",
        {"lan": "10.1.0.1", "dual": "10.2.0.1", "far": "10.9.0.1"},
        allow("@sub", "near", 22),
        allow("10.2.0.0/16", "near", 22),
        allow("x", "near", 22),
    )
    near = host("near", networks={"far": "10.9.0.9"})
    hosts = [
        client("a200", {"lan": "10.1.0.200"}),
        client("a5", {"lan": "10.1.0.5"}),
        client("a7", {"lan": "10.1.0.7"}),
        client("six", {"dual": "fd00::5"}),
        client("unknown", {"dual": None}),
    ]
    world = compile_world(topology(lan, sub, dual, home, far, x, edge, near, *hosts), "a200")
    for each in hosts:
        if judge(world, dialer_at(world, each.name), "10.9.0.9", 22).passes:
            assert might(world, each.name, "near", 22), each.name
    passing = [each.name for each in hosts if judge(world, dialer_at(world, each.name), "10.9.0.9", 22).passes]
    assert passing == ["a5", "a7", "unknown"]


def test_a_rule_for_the_internet_opens_nothing_to_those_inside() -> None:
    """A bound that is too wide is never wrong, but in a large file it is slow."""
    lan, far = network("lan", "10.1.0.0/24"), network("far", "10.2.0.0/24")
    wall = {"net": "198.51.100.1", "lan": "10.1.0.1", "far": "10.2.0.1"}
    edge = firewall("edge", wall, allow("@net", "db", 22), allow("@lan", "web", 22))
    db, web = host("db", networks={"far": "10.2.0.9"}), host("web", networks={"far": "10.2.0.8"})
    inside, outside = client("inside", {"lan": "10.1.0.5"}), client("outside", {"net": None})
    world = compile_world(topology(network("net"), lan, far, edge, db, web, inside, outside), "inside")
    assert [might(world, "inside", name, 22) for name in ("db", "web")] == [False, True]
    assert [might(world, "outside", name, 22) for name in ("db", "web")] == [True, False]
