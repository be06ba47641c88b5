"""Rules that nothing in the topology can match."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orchestra.diagnostics import Code, Diagnostic
from orchestra.graph import Dialer, World, compile_world, dialer_at, guest_of, judge
from orchestra.model.topology import Rule, Topology
from orchestra.planning.lint.unmatchable import never_arriving, never_passing, unmatchable_rules
from tests.graph.oracle import topologies
from tests.planning.make import allow, client, deny, firewall, hide, host, network, numbered, publish, topology
from tests.planning.office import LAN, NET

LAB, SIX = network("lab", "10.9.0.0/24"), network("six", "fd00::/64")
DB, PRINTER = host("db", networks={"lan": "10.1.0.9"}), host("printer", networks={"lan": "10.1.0.19"})
LAPTOP = client("laptop", {"net": None})
THINGS = (NET, LAN, LAB, SIX, DB, PRINTER, LAPTOP)


def found(*rules: Rule, more: tuple[object, ...] = (), **about: object) -> list[Diagnostic]:
    wall = firewall("w", {"net": "203.0.113.9", "lan": "10.1.0.1"}, *rules, **about)
    world = compile_world(topology(*THINGS, wall, *more), "laptop")  # type: ignore[arg-type]
    said = list(unmatchable_rules(world))
    assert all(each.code is Code.RULE_UNMATCHABLE for each in said)
    return said


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (allow("@lan", "db"), "no way from lan to db leads through it"),
        (allow("printer", "10.1.0.0/25"), "no way from printer to 10.1.0.0/25 leads through it"),
        (allow("any", "@lab"), "no way from anywhere to lab leads through it"),
        (allow("@net", "w"), "what is addressed to w itself meets its `inbound`, not its rules"),
        (allow("any", "10.1.0.1/32"), "what is addressed to w itself"),
        (allow("w", "any"), "w does not filter what it sends itself"),
        (allow("@lan", "@six"), "no address of one family"),
        (allow("any", "any"), None),
        (allow("@net", "db"), None),
        (allow("laptop", "db"), None),
        (allow("db", "0.0.0.0/0"), None),
        (allow("198.51.100.7", "10.1.0.0/16"), None),
        (allow("10.0.0.0/8", "8.8.8.8"), None),
        (allow(["@lan", "@net"], ["w", "db"]), None),
    ],
)
def test_what_a_firewall_never_sees(rule: Rule, why: str | None) -> None:
    said = found(rule)
    assert [each.severity for each in said] == ([] if why is None else ["info"])
    for each in said:
        assert f" of w never matches: {why}" in each.message or (why and why in each.message)
        assert each.place is not None


def test_an_address_that_exists_at_two_sites_means_more_than_one_host() -> None:
    twin = network("twin", "10.1.0.0/24"), host("x", networks={"twin": "10.1.0.1"})
    wall = firewall("w", {"net": "203.0.113.9", "lan": "10.1.0.1"}, allow("@net", "w"), allow("@net", "10.1.0.1"))
    behind = firewall("v", {"lan": "10.1.0.2", "twin": "10.1.0.3"}, allow("any", "any"))
    world = compile_world(topology(*THINGS, *twin, wall, behind), "laptop")
    assert list(unmatchable_rules(world)) == []
    assert len(found(allow("@net", "w"), allow("@net", "10.1.0.1"))) == 2


def test_a_deny_that_never_matches_protects_nothing_which_is_a_warning() -> None:
    [said] = found(deny("any", "w", 22))
    assert (said.severity, said.suggestion) == ("warning", "write it in `inbound` of w")


def test_ways_through_several_firewalls_are_followed() -> None:
    inner = firewall("inner", {"lan": "10.1.0.2", "lab": "10.9.0.1"}, allow("@net", "@lab"), deny("@net", "@lan"))
    [said] = found(allow("laptop", "@lab"), allow("@lab", "any"), more=(inner,))
    assert "rule 2 (deny net to lan) of inner never matches: no way from net to lan leads through it" in said.message


def test_of_two_firewalls_side_by_side_one_is_never_asked() -> None:
    twin = firewall("x", {"net": "203.0.113.10", "lan": "10.1.0.3"}, allow("@net", "db"), deny("any", "any"))
    [said] = found(allow("@net", "db"), more=(twin,))
    assert (said.severity, said.message) == ("info", "no rule of x ever matches: no way leads through it")
    sent = replace(LAPTOP, route={"lan": "x"})
    assert found(allow("@net", "db"), more=(twin, sent)) == []


def test_what_nat_hands_on_is_believed_to_come_by() -> None:
    nat = (publish("lan", 2222, "db", 22), hide("lan"))
    assert found(allow("@lan", "db", 22), nat=nat) == []
    assert len(found(allow("@lan", "printer", 22), nat=nat)) == 1


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (allow("any", "printer"), "`inbound` sees only what is addressed to db"),
        (allow("any", "10.1.0.128/25"), "`inbound` sees only what is addressed to db"),
        (allow("db", "any"), "db does not filter what it dials on itself"),
        (allow("@six", "@lan"), "no address of one family"),
        (allow("printer", "db"), None),
        (allow("any", "@lan"), None),
        (allow("any", "10.1.0.9"), None),
    ],
)
def test_what_a_host_never_sees(rule: Rule, why: str | None) -> None:
    shut = replace(DB, inbound=numbered([rule]))
    assert [why in each.message for each in found(allow("any", "any"), more=(shut,)) if why] == ([True] if why else [])
    assert len(found(allow("any", "any"), more=(shut,))) == (why is not None)


def test_in_a_large_file_only_a_firewalls_own_networks_are_looked_at() -> None:
    many = tuple(network(f"n{n}", f"10.{100 + n // 256}.{n % 256}.0/24") for n in range(400))
    assert found(allow("@lab", "db"), more=many) == []
    assert len(found(allow("any", "w"), more=many)) == 1


# -- against every dial of random topologies --------------------------------------------------------------------------


def dials(world: World) -> list[tuple[str, int]]:
    """Every filter and position that decides some dial between any two places of the file."""
    dialers: list[Dialer] = [dialer_at(world, name) for name in world.hosts]
    dialers += [guest_of(name) for name in world.topology.networks]
    addresses = [str(each) for known in world.addresses.values() for each in known]
    addresses += [str(cidr[200]) for net in world.topology.networks.values() for cidr in net.cidrs]
    decided = []
    for dialer in dialers:
        for text in dict.fromkeys(addresses):
            for port in (20, 22, 80, 2222):
                steps = judge(world, dialer, text, port).steps
                if any(step.kind == "hairpin" for step in steps):
                    continue  # it does not come that far
                decided += [(f"{step.at} {step.kind}", step.rule.index) for step in steps if step.rule]
    return decided


@settings(max_examples=25, deadline=None)
@given(topologies(), st.integers(0, 2))
def test_what_is_said_never_to_match_decides_no_dial(drawn: Topology, here: int) -> None:
    world = compile_world(drawn, f"h{here}")
    idle = [each.message.split()[3] for each in unmatchable_rules(world) if each.message.startswith("no rule of ")]
    never = {(f"{name} rules", rule.index) for name in idle for rule in world.hosts[name].rules}
    never |= {
        (f"{host.name} rules", rule.index) for host in world.hosts.values() for rule, *_ in never_passing(world, host)
    }
    never |= {
        (f"{host.name} inbound", rule.index)
        for host in world.hosts.values()
        for rule, *_ in never_arriving(world, host)
    }
    assume(never)
    assert not never & set(dials(world))
