"""The way that packets take."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.graph import compile_world
from orchestra.graph.routes import BadRoute, Hop, around, circle_between, firewalls_between, firewalls_on, next_hop
from tests.graph.ground import DMZ, LAN, A, B, codes, edge, verdict
from tests.planning.make import allow, client, firewall, network, publish, server, topology


def test_the_way_is_the_one_with_the_fewest_firewalls_whatever_its_rules() -> None:
    mid = network("mid", "10.3.0.0/24")
    long = [
        mid,
        firewall("f1", {"lan": "10.1.0.2", "mid": "10.3.0.1"}, allow("any", "any")),
        firewall("f2", {"mid": "10.3.0.2", "dmz": "10.2.0.2"}, allow("any", "any")),
    ]
    judged = verdict([LAN, DMZ, A, B, *long], "a", "10.2.0.7")
    assert judged.passes
    assert judged.firewalls == ("f1", "f2")
    assert codes([LAN, DMZ, A, B, *long, edge()], "a", "10.2.0.7") == [Code.FIREWALL_DEFAULT_DENY]


def test_ties_between_ways_go_by_name_and_no_second_way_is_tried() -> None:
    closed, opened = edge(name="f1"), edge(allow("any", "any"), name="f2")
    assert codes([LAN, DMZ, A, B, closed, opened], "a", "10.2.0.7") == [Code.FIREWALL_DEFAULT_DENY]
    opened, closed = edge(allow("any", "any"), name="f1"), edge(name="f2")
    assert verdict([LAN, DMZ, A, B, closed, opened], "a", "10.2.0.7").firewalls == ("f1",)


def test_route_says_another_way() -> None:
    sent = client("a", {"lan": "10.1.0.5"}, route={"dmz": "f2"})
    things = [LAN, DMZ, sent, B, edge(name="f1"), edge(allow("any", "any"), name="f2")]
    assert verdict(things, "a", "10.2.0.7").firewalls == ("f2",)


def test_a_route_that_leads_nowhere_is_said() -> None:
    lost = client("a", {"lan": "10.1.0.5"}, route={"dmz": "b"})
    assert codes([LAN, DMZ, lost, B, edge(allow("any", "any"))], "a", "10.2.0.7") == [Code.NO_ROUTE_DECLARED]


def test_a_firewall_has_routes_of_its_own_and_circles_are_noticed() -> None:
    mid = network("mid", "10.3.0.0/24")
    f1 = firewall("f1", {"lan": "10.1.0.2", "mid": "10.3.0.1"}, allow("any", "any"), route={"dmz": "f2"})
    f2 = firewall("f2", {"mid": "10.3.0.2", "dmz": "10.2.0.2"}, allow("any", "any"))
    assert verdict([LAN, DMZ, mid, A, B, f1, f2], "a", "10.2.0.7").firewalls == ("f1", "f2")
    g1 = firewall("g1", {"lan": "10.1.0.2", "mid": "10.3.0.1"}, allow("any", "any"), route={"dmz": "g2"})
    g2 = firewall("g2", {"mid": "10.3.0.2", "lan": "10.1.0.3"}, allow("any", "any"), route={"dmz": "g1"})
    out = firewall("out", {"mid": "10.3.0.9", "dmz": "10.2.0.1"}, allow("any", "any"))
    [said] = verdict([LAN, DMZ, mid, A, B, g1, g2, out], "a", "10.2.0.7").denials
    assert (said.code, said.detail) == (
        Code.NO_ROUTE_DECLARED,
        "the way to dmz goes round in a circle: g2 → g1 → g2",
    )
    world = compile_world(topology(LAN, DMZ, mid, A, B, g1, g2, out), "a")
    assert circle_between(world, "a", ("lan",), "dmz") == ("g1", "g2", "g1")
    assert circle_between(world, "a", ("lan",), "mid") == ()


def test_port_forwards_that_hand_on_to_one_another_end() -> None:
    back_and_forth = (publish("lan", 80, "f2", 80), publish("dmz", 80, "f2", 80))
    one = edge(allow("any", "any"), name="f1", nat=back_and_forth)
    two = firewall("f2", {"dmz": "10.2.0.2"}, allow("any", "any"), nat=(publish("dmz", 80, "f1", 80),))
    judged = verdict([LAN, DMZ, A, B, one, two], "a", "10.1.0.1", 80)
    assert [step.detail for step in judged.denials] == ["the way goes round in a circle of port forwards"]
    assert len(judged.steps) < 10


def test_only_firewalls_forward() -> None:
    both = server("both", {"lan": "10.1.0.2", "dmz": "10.2.0.2"})
    assert codes([LAN, DMZ, A, B, both], "a", "10.2.0.7") == [Code.NO_SHARED_NETWORK]


def test_a_firewall_that_leads_elsewhere_is_no_route() -> None:
    other = network("other", "10.4.0.0/24")
    away = firewall("f", {"lan": "10.1.0.1", "other": "10.4.0.1"}, allow("any", "any"))
    assert codes([LAN, DMZ, other, A, B, away], "a", "10.2.0.7") == [Code.NO_ROUTE_DECLARED]


def test_how_many_firewalls_stand_between_a_host_and_a_network() -> None:
    mid, off = network("mid", "10.3.0.0/24"), network("off", "10.4.0.0/24")
    f1 = firewall("f1", {"lan": "10.1.0.2", "mid": "10.3.0.1"})
    f2 = firewall("f2", {"mid": "10.3.0.2", "dmz": "10.2.0.2"})
    world = compile_world(topology(LAN, DMZ, mid, off, A, B, f1, f2), "a")
    ways = [firewalls_between(world, "a", ("lan",), net) for net in ("lan", "mid", "dmz", "off")]
    assert [None if way is None else len(way) for way in ways] == [0, 1, 2, None]
    assert [around(world, "dmz").nearest({name}) for name in ("f1", "f2")] == [{"f1": 2}, {"f2": 1}]
    assert around(world, "off").nearest({"f1", "f2"}) == {}
    assert firewalls_on(world, "mid") == ("f1", "f2")
    assert next_hop(world, None, ("lan",), "dmz") == Hop("lan", "f1")
    assert next_hop(world, "f1", ("lan", "mid"), "dmz") == Hop("mid", "f2")


@pytest.mark.parametrize("sent_to", ["b", "far"])
def test_a_route_to_what_is_no_firewall_or_not_near_is_bad(sent_to: str) -> None:
    far = firewall("far", {"dmz": "10.2.0.9"})
    sent = client("a", {"lan": "10.1.0.5"}, route={"dmz": sent_to})
    world = compile_world(topology(LAN, DMZ, sent, B, far, edge()), "a")
    hop = next_hop(world, "a", ("lan",), "dmz")
    assert isinstance(hop, BadRoute)
    assert (hop.host, hop.network, hop.firewall) == ("a", "dmz", sent_to)
