"""The dial verdict, one test for each sentence about it; and random topologies against an evaluator of their own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra.diagnostics import Code
from orchestra.graph import compile_world, dialer_at, judge
from orchestra.model.topology import Host, Rule, Topology
from tests.graph.ground import DMZ, LAN, NET, OUT, A, B, codes, edge, nat, verdict
from tests.graph.oracle import FIREWALLS, PORTS, own, reach, rules, topologies
from tests.planning.make import allow, client, deny, firewall, host, network, numbered, publish, server


@pytest.mark.parametrize("text", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "LOCALHOST."])
def test_loopback_only_means_the_dialer(text: str) -> None:
    closed = client("a", {"lan": "10.1.0.5"}, inbound=())
    judged = verdict([LAN, closed, B], "a", text)
    assert judged.passes
    assert judged.means == "a"


def test_own_address_is_never_judged_by_inbound() -> None:
    closed = client("a", {"lan": "10.1.0.5"}, inbound=())
    assert verdict([LAN, closed], "a", "10.1.0.5").passes
    assert codes([LAN, closed, client("c", {"lan": "10.1.0.6"})], "c", "10.1.0.5") == [Code.INBOUND_DENY]


def test_the_longest_prefix_decides() -> None:
    wide, narrow = network("wide", "10.0.0.0/8"), network("narrow", "10.2.0.0/24")
    here = client("a", {"wide": "10.9.9.9"})
    judged = verdict([wide, narrow, here, host("b", networks={"narrow": "10.2.0.7"})], "a", "10.2.0.7")
    assert [step.code for step in judged.denials] == [Code.NO_SHARED_NETWORK]
    assert verdict([wide, narrow, here, host("c", networks={"wide": "10.3.0.7"})], "a", "10.3.0.7").means == "c"


def test_a_network_without_cidr_holds_what_no_other_contains() -> None:
    things = [NET, LAN, client("a", {"net": None}), host("web", networks={"net": "203.0.113.9"})]
    assert verdict(things, "a", "203.0.113.9").means == "web"
    assert codes(things, "a", "10.1.0.9") == [Code.NO_SHARED_NETWORK]


def test_a_tie_goes_to_the_dialers_own_network() -> None:
    one, two = network("one", "192.168.1.0/24"), network("two", "192.168.1.0/24")
    x, y = host("x", networks={"one": "192.168.1.9"}), host("y", networks={"two": "192.168.1.9"})
    things = [one, two, NET, x, y, client("a", {"net": None}), server("s", {"two": "192.168.1.2"})]
    assert verdict(things, "s", "192.168.1.9").means == "y"
    assert codes(things, "a", "192.168.1.9") == [Code.AMBIGUOUS_ADDRESS]
    [said] = verdict(things, "a", "192.168.1.9").denials
    assert said.detail == "192.168.1.9 may be on one or two, and a is on none of them"
    both = server("both", {"one": "192.168.1.3", "two": "192.168.1.3"})
    [said] = verdict([*things, both], "both", "192.168.1.9").denials
    assert said.detail == "192.168.1.9 may be on one or two, and both is on one and two"


def test_an_own_network_is_reached_directly() -> None:
    judged = verdict([LAN, A, host("c", networks={"lan": "10.1.0.9"})], "a", "10.1.0.9", 5432)
    assert judged.passes
    assert (judged.means, judged.firewalls) == ("c", ())


def test_an_unnamed_host_of_a_network_dials_like_one_of_unknown_address() -> None:
    things = [LAN, DMZ, A, B, edge(allow("@lan", "@dmz"))]
    assert verdict(things, "@lan", "10.2.0.7").passes
    assert not verdict([LAN, DMZ, A, B, edge(allow("a", "@dmz"))], "@lan", "10.2.0.7").passes


def test_destination_nat_hands_on_and_permits_nothing_by_itself() -> None:
    judged = verdict([NET, DMZ, OUT, B, nat(allow("@net", "b", 22))], "a", "198.51.100.1", 2222)
    assert judged.passes
    assert (judged.means, judged.means_port) == ("b", 22)
    assert codes([NET, DMZ, OUT, B, nat()], "a", "198.51.100.1", 2222) == [Code.FIREWALL_DEFAULT_DENY]


def test_rules_see_what_is_after_destination_nat() -> None:
    assert not verdict([NET, DMZ, OUT, B, nat(allow("@net", "any", 2222))], "a", "198.51.100.1", 2222).passes


def test_what_is_addressed_to_the_firewall_meets_its_inbound_not_its_rules() -> None:
    assert verdict([LAN, DMZ, A, edge()], "a", "10.1.0.1").passes
    assert verdict([LAN, DMZ, A, edge()], "a", "10.2.0.1").means == "edge"
    shut = edge(allow("any", "any"), inbound=numbered([allow("a", "any", 443)]))
    assert codes([LAN, DMZ, A, shut], "a", "10.1.0.1", 22) == [Code.INBOUND_DENY]
    assert verdict([LAN, DMZ, A, shut], "a", "10.1.0.1", 443).passes


def test_a_dialer_needs_an_address_of_the_family() -> None:
    dual = network("dual", "10.1.0.0/24", "fd00::/64")
    six = host("six", networks={"dual": "fd00::9"})
    assert codes([dual, client("a", {"dual": "10.1.0.5"}), six], "a", "fd00::9") == [Code.FAMILY_MISMATCH]
    assert verdict([dual, client("a", {"dual": ["10.1.0.5", "fd00::5"]}), six], "a", "fd00::9").means == "six"
    assert verdict([dual, client("a", {"dual": None}), six], "a", "fd00::9").passes


def test_a_firewall_hands_on_by_the_families_that_it_has_there() -> None:
    """Whom it hands to may have any address; what it sends there must bear one of its own."""
    dual, here = network("dual", "10.1.0.0/24", "fd00::/64"), client("here", {"net": None})
    inside = client("a", {"dual": ["10.1.0.5", "fd00::5"]})
    outside = {4: "198.51.100.1", 6: "2001:db8::1"}
    for versions, denied in (((4,), [Code.FAMILY_MISMATCH]), ((4, 6), [])):
        addresses = {"net": [outside[each] for each in versions], "dual": ["10.1.0.1", "fd00::1"]}
        wall = firewall("edge", addresses, allow("any", "any"), nat=(publish("dual", 2222, "here", 22),))
        assert codes([NET, dual, inside, here, wall], "a", "fd00::1", 2222) == denied
        assert codes([NET, dual, inside, here, wall], "a", "10.1.0.1", 2222) == []


@pytest.mark.parametrize("address", ["192.168.1.9", None])
def test_nat_hands_on_to_a_range_that_two_networks_have(address: str | None) -> None:
    """A firewall knows where a range is, not which host is meant: its own network is the one it takes."""
    one, two = network("one", "192.168.1.0/24"), network("two", "192.168.1.0/24")
    inner = firewall("inner", {"lan": "10.1.0.2", "two": "192.168.1.1"}, allow("any", "any"))
    for mine, passes in (("one", False), ("two", True)):
        own = {"lan": "10.1.0.1", mine: "192.168.1.2"}
        outer = firewall("outer", own, allow("any", "any"), nat=(publish("lan", 2222, "x", 22),))
        judged = verdict([one, two, LAN, A, inner, outer, server("x", {"two": address})], "a", "10.1.0.1", 2222)
        assert judged.passes is passes
        assert (judged.steps[-1].code is Code.AMBIGUOUS_ADDRESS) is not passes


def test_names_are_resolved_by_the_dialer() -> None:
    named = host("b", networks={"lan": "10.1.0.9"}, names={"lan": ["b.lan"]})
    far = client("far", {"dmz": "10.2.0.3"})
    things = [LAN, DMZ, A, named, far, edge(allow("any", "any"))]
    assert verdict(things, "a", "B.lan").means == "b"
    judged = verdict(things, "far", "b.lan")
    assert judged.means is None
    assert judged.assumed == (Code.ASSUMED_NAME_RESOLVES,)


def test_a_name_is_judged_at_the_address_that_it_stands_for() -> None:
    named = host("b", networks={"dmz": "10.2.0.7"}, names=["b.example"])
    assert codes([LAN, DMZ, A, named, edge()], "a", "b.example") == [Code.FIREWALL_DEFAULT_DENY]


def test_a_name_of_two_machines_is_ambiguous() -> None:
    one, two = (
        host("x", networks={"lan": "10.1.0.8"}, names=["n"]),
        host("y", networks={"lan": "10.1.0.9"}, names=["n"]),
    )
    [said] = verdict([LAN, A, one, two], "a", "n").denials
    assert (said.code, said.detail) == (Code.AMBIGUOUS_ADDRESS, "to a, n is a name of x and of y")


def test_where_a_name_leads_is_said_although_nothing_leads_there() -> None:
    apart = [LAN, DMZ, A, host("b", networks={"dmz": "10.2.0.7"}, names=["b.example"])]
    judged = verdict(apart, "a", "b.example")
    [said] = judged.denials
    assert judged.means == "b"
    assert said.detail == "a is on lan; no network and no firewall joins it to dmz"


def test_an_undeclared_address_on_a_known_network_is_assumed_and_its_firewalls_judge_it() -> None:
    judged = verdict([LAN, DMZ, A, edge(allow("any", "@dmz", 80))], "a", "10.2.0.99", 80)
    assert judged.passes
    assert (judged.means, judged.assumed) == (None, (Code.ASSUMED_REACHABLE,))
    assert not verdict([LAN, DMZ, A, edge(allow("any", "@dmz", 80))], "a", "10.2.0.99", 81).passes


def test_every_denying_firewall_is_told() -> None:
    mid = network("mid", "10.3.0.0/24")
    f1 = firewall("f1", {"lan": "10.1.0.2", "mid": "10.3.0.1"})
    f2 = firewall("f2", {"mid": "10.3.0.2", "dmz": "10.2.0.2"}, deny("any", "any"))
    shut = host("b", networks={"dmz": "10.2.0.7"}, inbound=())
    assert codes([LAN, DMZ, mid, A, shut, f1, f2], "a", "10.2.0.7") == [
        Code.FIREWALL_DEFAULT_DENY,
        Code.FIREWALL_DENY_RULE,
        Code.INBOUND_DENY,
    ]


@settings(max_examples=200, deadline=None)
@given(topologies(), st.sampled_from(["h0", "h1"]), st.sampled_from([*PORTS, 2222]), st.data())
def test_verdicts_agree_with_the_oracle(source: Topology, who: str, port: int, data: st.DataObject) -> None:
    others: list[Host] = [each for each in source.hosts.values() if each.name != who]
    chosen = data.draw(st.sampled_from(sorted(others, key=lambda each: each.name)))
    dst = data.draw(st.sampled_from([text for _, text in own(source, chosen.name)]))
    world = compile_world(source, "h0")
    judged = judge(world, dialer_at(world, who), dst, port)
    assert (judged.means if judged.passes else None) == reach(source, who, dst, port)


@settings(max_examples=60, deadline=None)
@given(topologies(), st.sampled_from(FIREWALLS), rules())
def test_an_allow_rule_more_at_the_end_closes_nothing(source: Topology, where: str, more: list[Rule]) -> None:
    if where not in source.hosts:
        return
    added = tuple(rule for rule in more if rule.action == "allow")
    wall = source.hosts[where]
    opened = replace(source, hosts={**source.hosts, where: replace(wall, rules=numbered([*wall.rules, *added]))})
    before, after = compile_world(source, "h0"), compile_world(opened, "h0")
    for name in ("h1", "h2"):
        dst = own(source, name)[0][1]
        if judge(before, dialer_at(before, "h0"), dst, 22).passes:
            assert judge(after, dialer_at(after, "h0"), dst, 22).passes
