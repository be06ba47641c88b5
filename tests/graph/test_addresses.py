"""Whom an address means, what lies in a network, and whom a selector of a rule matches."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from orchestra.diagnostics import Code
from orchestra.graph import Party, World, compile_world, dialer_at, guest_of, meaning, seen_from
from orchestra.graph.addresses import lies_in, networks_holding, selects
from tests.planning.make import client, firewall, host, network, selector, server, topology

WIDE, LAN, NET = network("wide", "10.0.0.0/8"), network("lan", "10.1.0.0/24"), network("net")
DUAL = network("dual", "10.2.0.0/24", "fd00:2::/64")


def world(*things: object) -> World:
    return compile_world(topology(WIDE, LAN, NET, DUAL, *things), "here")  # type: ignore[arg-type]


def party(where: str, address: str | None = None, host: str | None = None) -> Party:
    return Party(host, where, ip_address(address) if address else None)


@pytest.mark.parametrize(
    ("address", "networks"),
    [("10.1.0.5", ("lan",)), ("10.9.0.5", ("wide",)), ("fd00:2::5", ("dual",)), ("192.0.2.1", ("net",))],
)
def test_the_longest_prefix_holds_an_address(address: str, networks: tuple[str, ...]) -> None:
    assert networks_holding(world(), ip_address(address)) == networks


@pytest.mark.parametrize(
    ("who", "network", "version", "lies"),
    [
        (party("lan", "10.1.0.5"), "wide", 4, True),  # however far away
        (party("wide", "10.1.0.5"), "lan", 4, True),
        (party("lan", "10.1.0.5"), "net", 4, False),
        (party("lan"), "lan", 4, True),
        (party("lan"), "wide", 4, True),  # the whole of it
        (party("wide"), "lan", 4, False),  # a part of it
        (party("dual"), "wide", 4, True),  # the part that the flow is of
        (party("dual"), "wide", 6, False),
        (party("dual"), "wide", None, False),
        (party("lan"), "wide", 6, False),
        (party("net"), "wide", 4, False),
        (party("lan"), "net", 4, False),
    ],
)
def test_what_lies_in_a_network(who: Party, network: str, version: int | None, lies: bool) -> None:
    assert lies_in(world(), who, network, version) is lies


@pytest.mark.parametrize(
    ("text", "version", "matches"),
    [
        ("10.2.0.0/24", 4, True),
        ("10.0.0.0/8", 4, True),
        ("10.2.0.0/25", 4, False),
        ("fd00:2::/64", 4, False),
        ("fd00:2::/64", 6, True),
        ("10.2.0.0/24", 6, False),
        ("10.2.0.0/24", None, False),
        ("any", None, True),
        ("guest", 4, True),
        ("other", 4, False),
        ("@dual", 6, True),
        ("@lan", 4, False),
    ],
)
def test_an_unknown_address_of_a_network_with_both_families(text: str, version: int | None, matches: bool) -> None:
    guest, other = client("guest", {"dual": None}), client("other", {"dual": None})
    assert selects(world(guest, other), selector(text), party("dual", host="guest"), version) is matches


def test_a_host_selects_by_address_so_that_nobody_else_has_to_be_known() -> None:
    one = world(host("db", networks={"lan": "10.1.0.5", "dual": "10.2.0.5"}))
    assert selects(one, selector("db"), party("wide", "10.2.0.5"))
    assert not selects(one, selector("db"), party("lan", "10.1.0.6", host="db"))
    assert selects(one, selector("db"), party("lan", host="db"))


def test_a_text_means_someone_to_its_dialer() -> None:
    named = server("gate", {"lan": "10.1.0.2"}, names={"lan": ["gate.lan"]})
    one = world(named, host("db", networks={"lan": "10.1.0.5"}), client("far", {"net": None}))
    gate, far = dialer_at(one, "gate"), dialer_at(one, "far")
    assert meaning(one, gate, "10.1.0.2").itself
    assert meaning(one, gate, "GATE.lan.").itself
    assert meaning(one, guest_of("lan"), "gate.lan").parties == (party("lan", "10.1.0.2", "gate"),)
    assert meaning(one, far, "gate.lan").assumed is Code.ASSUMED_NAME_RESOLVES
    undeclared = meaning(one, gate, "10.1.0.99")
    assert (undeclared.parties, undeclared.assumed) == ((party("lan", "10.1.0.99"),), Code.ASSUMED_REACHABLE)


def test_a_host_is_seen_at_its_near_addresses_first_and_not_where_no_way_leads() -> None:
    edge = firewall("edge", {"lan": "10.1.0.1", "dual": "10.2.0.1"})
    db = host("db", networks={"dual": ["10.2.0.5", "fd00:2::5"], "lan": "10.1.0.5", "net": None})
    one = world(edge, db, host("gate", networks={"lan": "10.1.0.2"}))
    assert [str(each) for each in seen_from(one, dialer_at(one, "gate"), "db")] == [
        "db (10.1.0.5)",
        "db (10.2.0.5)",
        "db (fd00:2::5)",
    ]
    assert [str(each) for each in seen_from(one, guest_of("net"), "db")] == ["db"]
