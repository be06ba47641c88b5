"""The lab's walk and the planner's verdict were written apart from one document; they have to say the same."""

from __future__ import annotations

import random
from dataclasses import replace
from ipaddress import ip_address

import pytest

from orchestra.diagnostics import Code
from orchestra.graph import compile_world, dialer_at, judge
from orchestra.lab.embedded.settle import settle
from orchestra.lab.embedded.walk import Arrival, walk
from orchestra.model.topology import Host, HostKind, Masquerade, PortForward, Rule, Topology
from tests.lab.embedded.build import host, rule, topology

PREFIXES = {"internet": "198.51.100", "corp": "10.77.0", "office": "10.20.0", "lab": "10.30.0", "site-a": "192.168.1"}
PREFIXES["site-b"] = PREFIXES["site-a"]
NETWORKS = tuple(PREFIXES)
PORTS = (22, 80, 2222)
KINDS: tuple[HostKind, ...] = ("client", "server", "target")


def random_topology(chance: random.Random) -> Topology:
    firewalls = [f"fw{n}" for n in range(chance.randint(1, 4))]
    others = [f"h{n}" for n in range(chance.randint(3, 7))]
    hosts = [_host(chance, name, number + 2, others) for number, name in enumerate(firewalls + others)]
    return topology(*(_routed(chance, each, hosts) for each in hosts), networks=NETWORKS)


def _host(chance: random.Random, name: str, number: int, others: list[str]) -> Host:
    firewall = name.startswith("fw")
    networks = chance.sample(NETWORKS, chance.choice((2, 2, 3)) if firewall else chance.choice((1, 1, 2)))
    if {"site-a", "site-b"} <= set(networks):
        networks.remove("site-b")
    kind = "firewall" if firewall else chance.choice(KINDS)
    unknown = kind == "client" and "office" not in networks and chance.random() < 0.5
    found = host(name, kind, {each: None if unknown else _addresses(each, number) for each in networks})
    if chance.random() < 0.3:
        found = replace(found, inbound=_rules(chance, others))
    if not firewall:
        return found
    nat: list[PortForward | Masquerade] = []
    for network in networks:
        if chance.random() < 0.3:
            nat.append(Masquerade(network=network))
        if chance.random() < 0.5:
            nat.append(PortForward(network=network, port=2222, host=chance.choice(others), to_port=22))
    return replace(found, rules=_rules(chance, others), nat=tuple(nat))


def _addresses(network: str, number: int) -> str:
    return f"{PREFIXES[network]}.{number}" + (f" 2001:db8:20::{number}" if network == "office" else "")


def _rules(chance: random.Random, others: list[str]) -> tuple[Rule, ...]:
    def selector() -> str:
        return chance.choice(
            ("any", "any", chance.choice(NETWORKS), chance.choice(others), "10.20.0.0/29", "10.0.0.0/8")
        )

    def one() -> Rule:
        ports = chance.choice(("", "", "22", "20-80", "80 2222"))
        return rule(chance.choice(("allow", "allow", "allow", "deny")), selector(), selector(), ports)

    return tuple(one() for _ in range(chance.randint(0, 4)))


def _routed(chance: random.Random, one: Host, hosts: list[Host]) -> Host:
    """Now and then a route by a firewall that shares a network."""
    near = {each.network for each in one.attachments}
    firewalls = [each for each in hosts if each.forwards and each is not one]
    ways = [each.name for each in firewalls if near & {a.network for a in each.attachments}]
    if chance.random() > 0.2 or not ways:
        return one
    return replace(one, route={chance.choice(NETWORKS): chance.choice(ways)})


@pytest.mark.parametrize("seed", range(60))
def test_on_random_topologies(seed: int) -> None:
    what = random_topology(random.Random(seed))  # noqa: S311 - not for secrets
    lab, model = settle(what, next(iter(what.hosts))), compile_world(what, next(iter(what.hosts)))
    addresses = {a for each in what.hosts.values() for attached in each.attachments for a in attached.addresses}
    differ, arrived = [], 0
    for dialer in what.hosts:
        for address in sorted(addresses, key=str):
            for port in PORTS:
                found = walk(lab, dialer, address, port)
                said = judge(model, dialer_at(model, dialer), str(address), port)
                if said.assumed or any(step.code is Code.AMBIGUOUS_ADDRESS for step in said.steps):
                    continue
                walked = (found.host, found.flow.port) if isinstance(found, Arrival) else None
                planned = (said.means, said.means_port) if said.passes else None
                arrived += walked is not None
                if walked != planned:
                    differ.append(f"{dialer} dials {address}:{port}: {found} against {said}")
    assert differ == []
    assert arrived


@pytest.mark.parametrize(
    ("source", "passes"), [("10.20.0.0/24", True), ("10.0.0.0/8", True), ("corp", True), ("2001:db8:20::/64", False)]
)
def test_on_a_client_of_unknown_address_where_both_families_are(source: str, passes: bool) -> None:
    """The lab gives it an address of each family; the planner knows that it has one of the family it dials."""
    edge = host(
        "edge", "firewall", {"office": "10.20.0.1 2001:db8:20::1", "lab": "10.30.0.1"}, rules=(rule("allow", source),)
    )
    laptop, plc = host("laptop", "client", {"office": None}), host("plc", "target", {"lab": "10.30.0.5"})
    what = topology(laptop, edge, plc, networks=("office", "lab", "corp"))
    model = compile_world(what, "laptop")
    assert judge(model, dialer_at(model, "laptop"), "10.30.0.5", 80).passes is passes
    assert isinstance(walk(settle(what, "laptop"), "laptop", ip_address("10.30.0.5"), 80), Arrival) is passes
