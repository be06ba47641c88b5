"""Whom a dialer might reach: a bound that is quick to ask and never too narrow, so that few pairs are judged.

A dial that passes ends on a network of the dialer's own, or at a firewall, or it was allowed by some rule of the
first firewall on its way, after destination nat there: that rule names its machine, or a firewall that hands it on.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, TypeAlias

from orchestra.graph.addresses import Dialer, Party, selects
from orchestra.graph.memo import remembered
from orchestra.graph.routes import firewalls_on
from orchestra.model.frozen import dataclass
from orchestra.model.topology import PortForward

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.graph.world import World
    from orchestra.model.address import IPAddress, IPNetwork
    from orchestra.model.topology import Rule, Selector


PortClass: TypeAlias = tuple[tuple[int, int], ...]
"""The port ranges of the file's rules that hold a port."""


@dataclass(frozen=True, slots=True)
class Prospects:
    """``everywhere``: any machine. Else those on ``networks``, ``hosts``, and every firewall (:func:`firewalls`)."""

    everywhere: bool
    networks: frozenset[str]
    hosts: frozenset[str]


def prospects(world: World, dialer: Dialer, port: int, protocol: str) -> Prospects:
    """Whom the dialer might reach at a port."""
    alike = dialer.host if dialer.host in _singled_out(world) else None
    return _prospects(world, Dialer(alike, dialer.networks), port_class(world, port), protocol)


@remembered
def port_class(world: World, port: int) -> PortClass:
    """The class of a port: those of one class are treated alike."""
    return tuple(each for each in _port_ranges(world) if each[0] <= port <= each[1])


@remembered
def _port_ranges(world: World) -> list[tuple[int, int]]:
    return sorted({each for host in world.hosts.values() for rule in host.rules for each in rule.ports})


@remembered
def _singled_out(world: World) -> frozenset[str]:
    """Hosts that some rule treats otherwise than the rest of their networks."""
    return frozenset(_named_by_rules(world))


def _named_by_rules(world: World) -> Iterator[str]:
    cidrs: set[IPNetwork] = set()
    for firewall in world.hosts.values():
        for rule in firewall.rules:
            for each in rule.sources:
                if each.kind == "host" and each.name is not None:
                    yield each.name
                    yield from (name for name in world.machines if world.same_machine(name, each.name))
                    yield from _sharing_address(world, each.name)
                if each.cidr is not None:
                    cidrs.add(each.cidr)
    yield from _within(world, cidrs)


def _within(world: World, cidrs: set[IPNetwork]) -> Iterator[str]:
    """Hosts with an address in any of the ranges: looked up by leading bits, since there may be many of both."""
    shifts = {(cidr.version, cidr.max_prefixlen - cidr.prefixlen) for cidr in cidrs}
    heads = {(c.version, s := c.max_prefixlen - c.prefixlen, int(c.network_address) >> s) for c in cidrs}
    for name, addresses in world.addresses.items() if cidrs else ():
        if any((v, s, int(a) >> s) in heads for a in addresses for v, s in shifts if a.version == v):
            yield name


@remembered
def _prospects(world: World, dialer: Dialer, ports: PortClass, protocol: str) -> Prospects:
    networks, hosts = set[str](), set[str]()
    for rule in _rules_met(world, dialer, ports, protocol):
        for each in rule.destinations:
            if each.kind == "host" and each.name is not None:
                hosts |= _sharing_address(world, each.name)
            elif each.kind == "network" and each.name is not None:
                networks |= _overlapping(world, each.name)
            else:
                return Prospects(True, frozenset(), frozenset())
    hosts |= _handed_on(world, hosts, networks)
    return Prospects(False, frozenset({*networks, *dialer.networks}), frozenset(hosts))


def _rules_met(world: World, dialer: Dialer, ports: PortClass, protocol: str) -> Iterator[Rule]:
    """Allowing rules of the first firewalls that may match what the dialer sends."""
    for link in dialer.networks:
        parties = _senders(world, dialer, link)
        for firewall in firewalls_on(world, link):
            for rule in world.hosts[firewall].rules:
                if (
                    rule.action == "allow"
                    and rule.protocol in ("any", protocol)
                    and (not rule.ports or any(each in ports or _publishes(world, *each) for each in rule.ports))
                    and any(_may_send(world, each, party) for each in rule.sources for party in parties)
                ):
                    yield rule


def _publishes(world: World, low: int, high: int) -> bool:
    """Whether a range has a port that some firewall publishes: what is sent to that has another one after its nat."""
    published = _published_ports(world)
    first = bisect_left(published, low)
    return first < len(published) and published[first] <= high


def _senders(world: World, dialer: Dialer, link: str) -> list[Party]:
    """What the dialer may be on a network; who is not singled out stands for all others there."""
    if dialer.host not in _singled_out(world):
        return [Party(None, link, None)]
    return [Party(dialer.host, link, each) for each in world.networks_of(dialer.host).get(link, ()) or (None,)]


def _may_send(world: World, selector: Selector, party: Party) -> bool:
    """Whether a rule's source may match a party; who stands for others may be anywhere on its network."""
    if selector.kind == "network" and party.host is None:
        return _meet(world, party.network, selector.name)
    return any(selects(world, selector, party, version) for version in (4, 6))


@remembered
def _meet(world: World, one: str | None, other: str | None) -> bool:
    """Whether an address on one network may lie in the other."""
    if one is None or other is None or one == other:
        return one == other
    cidrs, others = world.topology.networks[one].cidrs, world.topology.networks[other].cidrs
    return any(a.version == b.version and a.overlaps(b) for a in cidrs for b in others) or not (cidrs or others)


@remembered
def firewalls(world: World) -> frozenset[str]:
    """The hosts that pass traffic on."""
    return frozenset(name for name, host in world.hosts.items() if host.forwards)


@remembered
def _publishing(world: World) -> frozenset[str]:
    """The firewalls with port forwards."""
    return frozenset(
        name for name in firewalls(world) if any(isinstance(entry, PortForward) for entry in world.hosts[name].nat)
    )


@remembered
def _published_ports(world: World) -> list[int]:
    entries = (entry for name in _publishing(world) for entry in world.hosts[name].nat)
    return sorted({entry.port for entry in entries if isinstance(entry, PortForward)})


def _handed_on(world: World, hosts: set[str], networks: set[str]) -> set[str]:
    """Machines to which firewalls hand what is addressed to them, directly or through one another."""
    publishing = _publishing(world)
    waiting = [name for name in publishing if name in hosts or networks.intersection(world.networks_of(name))]
    handed: set[str] = set()
    while waiting:
        for entry in world.hosts[waiting.pop()].nat:
            if isinstance(entry, PortForward) and entry.host not in handed:
                handed.add(entry.host)
                if entry.host in publishing:
                    waiting.append(entry.host)
    return handed


@remembered
def _sharing_address(world: World, host: str) -> frozenset[str]:
    """The hosts that a rule about a host matches: rules compare addresses, which may exist at two sites."""
    known = _bearers(world)
    return frozenset({host}.union(*(known[address] for address in world.addresses.get(host, ()))))


@remembered
def _bearers(world: World) -> dict[IPAddress, set[str]]:
    """Address to all hosts that have it, wherever they are."""
    bearers: dict[IPAddress, set[str]] = {}
    for name, addresses in world.addresses.items():
        for address in addresses:
            bearers.setdefault(address, set()).add(name)
    return bearers


@remembered
def _overlapping(world: World, network: str) -> frozenset[str]:
    """The networks of which some address may lie in a network; one without a range may hold any."""
    cidrs = world.topology.networks[network].cidrs
    meeting = (name for cidr in cidrs for name in _meeting(world, cidr))
    return frozenset({network, *world.open_networks, *meeting} if cidrs else world.topology.networks)


def _meeting(world: World, cidr: IPNetwork) -> Iterator[str]:
    """The networks with a range that holds it, or that lies in it: two ranges never overlap in part."""
    shift, start = cidr.max_prefixlen - cidr.prefixlen, int(cidr.network_address)
    for version, wider, table in world.prefixes:
        if version == cidr.version and wider >= shift:
            yield from table.get(start >> wider, ())
    starts = _starts(world, cidr.version)
    inside = slice(bisect_left(starts, (start, "")), bisect_left(starts, (start + cidr.num_addresses, "")))
    yield from (name for _, name in starts[inside])


@remembered
def _starts(world: World, version: int) -> list[tuple[int, str]]:
    """The first address of every range, in order, and its network."""
    return sorted(
        (int(cidr.network_address), name)
        for name, network in world.topology.networks.items()
        for cidr in network.cidrs
        if cidr.version == version
    )
