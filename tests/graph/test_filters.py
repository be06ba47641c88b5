"""Packet filters: the first rule that matches decides."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra.diagnostics import Code
from orchestra.graph import Flow, Party, compile_world
from orchestra.graph.filters import PacketFilter, deciding_rule, near_misses, opposite, packet_filter
from orchestra.model.topology import Rule
from tests.graph.ground import DMZ, LAN, A, B, codes, edge, verdict
from tests.planning.make import allow, client, deny, firewall, network, numbered, topology


def test_the_first_rule_that_matches_decides() -> None:
    rules = [deny("any", "any", 23), allow("any", "any", (20, 30)), deny("any", "any", protocol="any")]
    assert verdict([LAN, DMZ, A, B, edge(*rules)], "a", "10.2.0.7", 22).passes
    assert codes([LAN, DMZ, A, B, edge(*rules)], "a", "10.2.0.7", 23) == [Code.FIREWALL_DENY_RULE]
    assert codes([LAN, DMZ, A, B, edge(*rules)], "a", "10.2.0.7", 31) == [Code.FIREWALL_DENY_RULE]


def test_no_rule_that_matches_denies() -> None:
    assert codes([LAN, DMZ, A, B, edge(allow("b", "b"))], "a", "10.2.0.7") == [Code.FIREWALL_DEFAULT_DENY]


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_protocols_are_told_apart(protocol: str) -> None:
    things = [LAN, DMZ, A, B, edge(allow("any", "any", 53, protocol=protocol))]
    assert verdict(things, "a", "10.2.0.7", 53, protocol).passes
    assert not verdict(things, "a", "10.2.0.7", 53, "udp" if protocol == "tcp" else "tcp").passes
    anything = [LAN, DMZ, A, B, edge(allow("any", "any", 53, protocol="any"))]
    assert verdict(anything, "a", "10.2.0.7", 53, protocol).passes


@pytest.mark.parametrize(
    ("source", "destination"),
    [("any", "any"), ("@lan", "@dmz"), ("a", "b"), ("10.1.0.0/29", "10.2.0.7/32"), (["b", "a"], ["a", "b"])],
)
def test_every_form_of_selector_matches(source: str, destination: str) -> None:
    assert verdict([LAN, DMZ, A, B, edge(allow(source, destination))], "a", "10.2.0.7").passes


@pytest.mark.parametrize(("source", "destination"), [("@dmz", "@dmz"), ("b", "b"), ("10.1.0.8/29", "any")])
def test_other_selectors_do_not(source: str, destination: str) -> None:
    assert not verdict([LAN, DMZ, A, B, edge(allow(source, destination))], "a", "10.2.0.7").passes


def test_a_network_selects_addresses_however_far_away() -> None:
    mid = network("mid", "10.3.0.0/24")
    f1 = firewall("f1", {"lan": "10.1.0.2", "mid": "10.3.0.1"}, allow("@lan", "@dmz"))
    f2 = firewall("f2", {"mid": "10.3.0.2", "dmz": "10.2.0.2"}, allow("@lan", "@dmz"))
    assert verdict([LAN, DMZ, mid, A, B, f1, f2], "a", "10.2.0.7").passes


def test_a_host_selects_any_of_its_addresses() -> None:
    two = client("a", {"lan": ["10.1.0.5", "10.1.0.6"], "x": "10.9.0.1"})
    assert verdict([LAN, DMZ, network("x", "10.9.0.0/24"), two, B, edge(allow("a", "any"))], "a", "10.2.0.7").passes


def test_an_unknown_address_lies_in_its_network_and_in_cidrs_that_hold_the_whole_of_it() -> None:
    unknown = client("a", {"lan": None})
    for source, passes in [
        ("@lan", True),
        ("a", True),
        ("any", True),
        ("10.1.0.0/24", True),
        ("10.0.0.0/8", True),
        ("10.1.0.0/25", False),
        ("@dmz", False),
    ]:
        judged = verdict([LAN, DMZ, unknown, B, edge(allow(source, "any"))], "a", "10.2.0.7")
        assert judged.passes is passes, source


WORLD = compile_world(topology(LAN, DMZ, A, B, client("unknown", {"dmz": None})), "a")


def filed(rules: list[Rule]) -> PacketFilter:
    return packet_filter(WORLD, numbered(rules))


def flow(port: int, source: str = "10.1.0.5", destination: str = "10.2.0.7") -> Flow:
    return Flow(Party("a", "lan", ip_address(source)), Party("b", "dmz", ip_address(destination)), port, "tcp")


WHO = st.lists(st.sampled_from(["any", "a", "b", "unknown", "@dmz", "10.2.0.7", "10.2.0.0/30"]), min_size=1, max_size=2)
PORTS = st.sampled_from([(), (22,), (80,), (22, 80), ((20, 25),), (22, (70, 90))])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.builds(lambda to, ports: allow("any", to, *ports), WHO, PORTS), max_size=8))
def test_the_first_of_many_rules_is_found_wherever_it_is_filed(drawn: list[Rule]) -> None:
    rules = numbered(drawn)
    unfiled = PacketFilter(rules=rules, to_address={}, to_port={}, others=[*range(len(rules))])
    for port, to in product((22, 25, 80), ("10.2.0.7", "10.2.0.1", "10.1.0.5", None)):
        party = Party("unknown", "dmz", ip_address(to) if to else None)
        asked = replace(flow(port), destination=party)
        assert deciding_rule(WORLD, filed(drawn), asked) == deciding_rule(WORLD, unfiled, asked)


def test_a_flow_meets_few_of_many_rules() -> None:
    singles = [allow("any", f"10.2.0.{number}", 22) for number in range(1, 100)]
    rules = filed([*singles, allow("any", "@dmz", 22), allow("any", "@dmz", 80), deny("any", "any")])
    assert [each.index for each in rules.candidates(flow(22))] == [6, 99, 101]


def test_near_misses_are_allowing_rules_few_fields_away_nearest_first() -> None:
    rules = filed(
        [
            allow("b", "b", 80),
            deny("a", "b", 22),
            allow("b", "a", 80),  # too far away: three fields
            allow("a", "b", 80),
            allow("a", "b", 22, protocol="udp"),
            allow("a", "b", 22),  # matches, but stands after the rule that denies
            allow("a", "b", 81),
        ]
    )
    found = near_misses(WORLD, rules, flow(22))
    assert [(miss.rule.index, miss.differs) for miss in found] == [(5, ()), (3, ("ports",)), (4, ("protocol",))]


def test_a_near_miss_says_of_every_field_what_the_rule_and_what_the_flow_is() -> None:
    [miss] = near_misses(WORLD, filed([allow(["b", "@dmz"], "b", 80, (90, 99))]), flow(22))
    assert [(each.name, each.matches, each.rule, each.flow) for each in miss.fields] == [
        ("from", False, "b, dmz", "a (10.1.0.5)"),
        ("to", True, "b", "b (10.2.0.7)"),
        ("port", False, "80, 90-99", "22"),
        ("protocol", True, "tcp", "tcp"),
    ]


def test_the_opposite_way_is_that_of_the_flow_or_of_ssh() -> None:
    back = filed([allow("b", "a", 5432)])
    assert opposite(WORLD, back, flow(5432)) == back.rules[0]
    assert opposite(WORLD, back, flow(80)) is None
    assert opposite(WORLD, filed([allow("b", "a", 22)]), flow(5432)) is not None
    assert opposite(WORLD, filed([allow("any", "any", 22)]), flow(5432)) is None  # no direction at all


def test_the_family_of_a_flow_is_that_of_what_is_known() -> None:
    known, unknown = Party("a", "lan", ip_address("fd00::1")), Party("b", "dmz", None)
    assert [Flow(*ends, 22, "tcp").version for ends in ((known, unknown), (unknown, known), (unknown, unknown))] == [
        6,
        6,
        None,
    ]
