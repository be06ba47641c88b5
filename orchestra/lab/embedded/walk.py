"""Where a connection goes: from host to host, as the kernels of all machines on the way would decide.

A walk is a pure function of the world and the dial. It knows nothing of listeners: it ends at a machine, with a port.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from orchestra.lab.embedded.world import World
from orchestra.model.address import IPAddress
from orchestra.model.frozen import dataclass
from orchestra.model.topology import Host, Masquerade, PortForward, Rule, Selector

TTL = 64


@dataclass(frozen=True, slots=True)
class Flow:
    """A new connection at one point of its way."""

    source: IPAddress
    destination: IPAddress
    port: int
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True)
class Passage:
    """A firewall let it pass, to this port."""

    firewall: str
    port: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """It reaches a machine, which sees this flow."""

    host: str
    flow: Flow
    passed: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """It reaches nobody: ``dropped`` by a packet filter, so that the dialer waits in vain, or without a way."""

    how: Literal["dropped", "unreachable"]
    at: str
    passed: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class _Hop:
    network: str
    host: str


def walk(world: World, dialer: str, destination: IPAddress, port: int, protocol: str = "tcp") -> Arrival | Lost:
    """A dial by a host, to its end."""
    if destination.is_loopback or destination in world.addresses(dialer):
        return Arrival(dialer, Flow(destination, destination, port, protocol))
    target = _network_of(world, dialer, destination)
    hop = _next_hop(world, dialer, target, destination)
    source = _own_address(world, dialer, hop.network, destination.version) if hop else None
    if hop is None or source is None:
        return Lost("unreachable", dialer)
    flow = Flow(source, destination, port, protocol)
    passed: tuple[Passage, ...] = ()
    handed_on = False
    for _ in range(TTL):
        host = world.hosts[hop.host]
        if handed_on and flow.source in world.addresses(host.name):  # no host takes its own address from the wire
            return Lost("dropped", host.name, passed)
        own = flow.destination in world.addresses(host.name)
        if own and (translated := _destination_nat(world, host, hop.network, flow)):
            flow, handed_on = translated, True
        elif not own and _masquerades(host, hop.network):
            return Lost("unreachable", host.name, passed)
        if flow.destination in world.addresses(host.name):
            return _deliver(world, host, flow, passed)
        if handed_on:  # by an address that only its own network is sure to know
            target = _network_of(world, host.name, flow.destination)
        came, hop = hop, _next_hop(world, host.name, target, flow.destination)
        if hop is None or not _joins(world, host, came.network, hop.network, flow):
            return Lost("unreachable", host.name, passed)
        if not allows(world, host.rules, flow):
            return Lost("dropped", host.name, passed)
        passed = (*passed, Passage(host.name, flow.port))
        flow = _leaving(world, host, hop.network, flow)
    return Lost("dropped", hop.host, passed)


def _joins(world: World, host: Host, one: str, other: str, flow: Flow) -> bool:
    """Whether a host passes a flow on from network to network: a firewall, with an address of the family on both."""
    version = flow.destination.version
    return host.forwards and all(_own_address(world, host.name, network, version) for network in (one, other))


def _leaving(world: World, host: Host, network: str, flow: Flow) -> Flow:
    """The flow as it leaves a firewall by a network."""
    bears = _own_address(world, host.name, network, flow.destination.version)
    return replace(flow, source=bears) if bears and _masquerades(host, network) else flow


def _deliver(world: World, host: Host, flow: Flow, passed: tuple[Passage, ...]) -> Arrival | Lost:
    if host.inbound is not None and not allows(world, host.inbound, flow):
        return Lost("dropped", host.name, passed)
    return Arrival(host.name, flow, passed)


def allows(world: World, rules: Iterable[Rule], flow: Flow) -> bool:
    """Whether a packet filter lets a flow pass: the first rule that matches decides, and none denies."""
    return next((rule.action == "allow" for rule in rules if _matches(world, rule, flow)), False)


def _matches(world: World, rule: Rule, flow: Flow) -> bool:
    return (
        rule.protocol in ("any", flow.protocol)
        and (not rule.ports or any(low <= flow.port <= high for low, high in rule.ports))
        and any(_selects(world, each, flow.source) for each in rule.sources)
        and any(_selects(world, each, flow.destination) for each in rule.destinations)
    )


def _selects(world: World, selector: Selector, address: IPAddress) -> bool:
    if selector.kind == "network":
        return selector.name is not None and world.lies_in(address, selector.name)
    if selector.kind == "host":
        return selector.name is not None and address in world.addresses(selector.name)
    return selector.kind == "any" or (selector.cidr is not None and address in selector.cidr)


def _network_of(world: World, dialer: str, destination: IPAddress) -> str | None:
    """The network that an address is on, seen from the dialer; None: it cannot be told, or there is none."""
    holding = world.holding(destination)
    own = [network for network in holding if network in world.attached(dialer)]
    candidates = own if len(holding) > 1 else holding
    return candidates[0] if len(candidates) == 1 else None


def _next_hop(world: World, host: str, target: str | None, destination: IPAddress) -> _Hop | None:
    """The neighbour that a host hands a packet to: its receiver, or the firewall on the way; None: no route."""
    if target is None:
        return None
    if target not in world.attached(host):
        return _gateway(world, host, target)
    owner = world.owner(target, destination)
    return _Hop(target, owner) if owner else None


def _gateway(world: World, host: str, target: str) -> _Hop | None:
    """The firewall to a network that a host is not on: as ``route`` says, else on the shortest way, ties by name."""
    near = world.attached(host)
    if firewall := world.hosts[host].route.get(target):
        shared = sorted(set(near) & set(world.attached(firewall)) - set(world.links))
        return _Hop(shared[0], firewall) if shared and firewall != host else None
    away = _distances(world, target)
    ways = [
        (away[firewall], firewall, network)
        for firewall in away
        if firewall != host
        for network in set(near) & set(world.attached(firewall)) - set(world.links)
    ]
    return _Hop(min(ways)[2], min(ways)[1]) if ways else None


def _hops(world: World, host: str, target: str) -> int | None:
    """How many firewalls a packet passes from a host into a network; None: no way leads there."""
    passed: list[str] = []
    while target not in world.attached(host):
        hop = _gateway(world, host, target)
        if hop is None or hop.host in passed:
            return None
        passed.append(hop.host)
        host = hop.host
    return len(passed)


def _distances(world: World, target: str) -> dict[str, int]:
    """Firewall to how many firewalls, itself included, a packet passes from it into the network."""
    firewalls = {name: set(world.attached(name)) for name, host in world.hosts.items() if host.forwards}
    found: dict[str, int] = {}
    reached, distance = {target}, 0
    while nearer := {name for name, networks in firewalls.items() if name not in found and networks & reached}:
        distance += 1
        found.update(dict.fromkeys(nearer, distance))
        reached = set().union(*(firewalls[name] for name in nearer)) - set(world.links)
    return found


def _own_address(world: World, host: str, network: str, version: int) -> IPAddress | None:
    return next((each for each in world.addresses(host, network) if each.version == version), None)


def _destination_nat(world: World, firewall: Host, network: str, flow: Flow) -> Flow | None:
    """What arrives from a network for the firewall's own address may be for somebody else: the flow to whom. None: it
    stays as it is."""
    asked = (network, flow.port, flow.protocol)
    for entry in firewall.nat:
        if isinstance(entry, PortForward) and (entry.network, entry.port, entry.protocol) == asked:
            if world.machine(entry.host) == world.machine(firewall.name):
                return replace(flow, port=entry.to_port)
            to = _handed_to(world, firewall.name, entry.host, flow.destination)
            return replace(flow, destination=to, port=entry.to_port) if to else None
    return None


def _handed_to(world: World, firewall: str, host: str, published: IPAddress) -> IPAddress | None:
    """The address of a host that is nearest to a firewall; None: it has none of that family."""
    found = [
        (TTL if (away := _hops(world, firewall, each.network)) is None else away, each.network, address)
        for each in world.hosts[host].attachments
        for address in each.addresses
        if address.version == published.version
    ]
    return min(found, key=lambda each: each[:2])[2] if found else None


def _masquerades(host: Host, network: str) -> bool:
    return any(isinstance(entry, Masquerade) and entry.network == network for entry in host.nat)
