"""The way that packets take: the chain with the fewest firewalls, ties by name, or as ``route`` says.

Rules never influence the way, and no second way is tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import networkx as nx

from orchestra.graph.build import network_node

if TYPE_CHECKING:
    from orchestra.diagnostics import Place
    from orchestra.graph.world import World


@dataclass(frozen=True, slots=True)
class Hop:
    """The next firewall, and the network by which it is reached."""

    link: str
    firewall: str


@dataclass(frozen=True, slots=True)
class BadRoute:
    """A ``route`` that leads nowhere."""

    host: str
    network: str
    firewall: str
    place: Place | None


def distances(world: World, network: str) -> dict[str, int]:
    """Firewall to the number of firewalls, itself included, on the shortest chain from it into the network."""
    key = ("distances", network)
    if key not in world.memo:
        lengths = nx.single_source_shortest_path_length(world.skeleton, network_node(network))
        world.memo[key] = {node[1]: (length + 1) // 2 for node, length in lengths.items() if node[0] == "host"}
    found: dict[str, int] = world.memo[key]
    return found


def firewalls_on(world: World, network: str) -> tuple[str, ...]:
    """The firewalls attached to a network, sorted."""
    key = ("firewalls", network)
    if key not in world.memo:
        world.memo[key] = tuple(sorted(node[1] for node in world.skeleton[network_node(network)]))
    found: tuple[str, ...] = world.memo[key]
    return found


def next_hop(world: World, host: str | None, networks: tuple[str, ...], target: str) -> Hop | BadRoute | None:
    """Where a host on ``networks`` sends what is for an address of ``target``, a network that is not its own.

    None: nothing declared leads there. ``host`` is None for an unnamed host of a network.
    """
    key = ("hop", host if _has_route(world, host) or _forwards(world, host) else None, networks, target)
    if key not in world.memo:
        world.memo[key] = _next_hop(world, host, networks, target)
    hop: Hop | BadRoute | None = world.memo[key]
    return hop


def firewalls_between(world: World, host: str | None, networks: tuple[str, ...], target: str) -> tuple[str, ...] | None:
    """The firewalls that a host on ``networks`` passes into a network, in order; None when there is no way."""
    passed: list[str] = []
    while target not in networks:
        hop = next_hop(world, host, networks, target)
        if not isinstance(hop, Hop) or hop.firewall in passed:
            return None
        passed.append(hop.firewall)
        host, networks = hop.firewall, tuple(world.attached[hop.firewall])
    return tuple(passed)


def circle_between(world: World, host: str | None, networks: tuple[str, ...], target: str) -> tuple[str, ...]:
    """The firewalls that send to one another what is for a network, the first of them again at the end; or none."""
    passed: list[str] = []
    while target not in networks:
        hop = next_hop(world, host, networks, target)
        if not isinstance(hop, Hop):
            return ()
        if hop.firewall in passed:
            return (*passed[passed.index(hop.firewall) :], hop.firewall)
        passed.append(hop.firewall)
        host, networks = hop.firewall, tuple(world.attached[hop.firewall])
    return ()


def _has_route(world: World, host: str | None) -> bool:
    return host is not None and bool(world.hosts[host].route)


def _forwards(world: World, host: str | None) -> bool:
    return host is not None and world.hosts[host].forwards


def _next_hop(world: World, host: str | None, networks: tuple[str, ...], target: str) -> Hop | BadRoute | None:
    if host is not None and (firewall := world.hosts[host].route.get(target)):
        shared = sorted(set(networks) & set(world.networks_of(firewall)))
        if shared and firewall != host and world.hosts[firewall].forwards:
            return Hop(shared[0], firewall)
        place = world.topology.place_of(_section(world, host), host, "route", target) or world.hosts[host].place
        return BadRoute(host, target, firewall, place)
    away = distances(world, target)
    options = [
        (away[firewall], firewall, link)
        for link in networks
        for firewall in firewalls_on(world, link)
        if firewall != host and firewall in away
    ]
    if not options:
        return None
    _, firewall, link = min(options)
    return Hop(link, firewall)


def _section(world: World, host: str) -> str:
    return f"{world.hosts[host].kind}s"
