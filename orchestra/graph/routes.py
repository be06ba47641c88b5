"""The way that packets take: the chain with the fewest firewalls, ties by name, or as ``route`` says.

Rules never influence the way, and no second way is tried.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.graph.memo import remembered
from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection

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


class Around:
    """The firewalls around a network, by how many of them, themselves included, a chain from each into it has at
    least: found ring by ring, as far as anybody has asked."""

    def __init__(self, world: World, network: str) -> None:
        from orchestra.graph.build import rings

        self._rings = rings(world, network)
        self._ring = 0
        self._away: dict[str, int] = {}

    def nearest(self, firewalls: Collection[str]) -> dict[str, int]:
        """Of some firewalls those that have been found, the nearest among them; none when no chain leads in."""
        while self._away.keys().isdisjoint(firewalls):
            ring = next(self._rings, None)
            if ring is None:
                break
            self._away.update({name: (self._ring + 1) // 2 for kind, name in ring if kind == "host"})
            self._ring += 1
        return {name: self._away[name] for name in firewalls if name in self._away}


@remembered
def around(world: World, network: str) -> Around:
    """The firewalls around a network."""
    return Around(world, network)


@remembered
def firewalls_on(world: World, network: str) -> tuple[str, ...]:
    """The firewalls attached to a network, sorted."""
    if not world.forwards:
        return ()
    from orchestra.graph.build import neighbours

    return neighbours(world, network)


def next_hop(world: World, host: str | None, networks: tuple[str, ...], target: str) -> Hop | BadRoute | None:
    """Where a host on ``networks`` sends what is for an address of ``target``, a network that is not its own.

    None: nothing declared leads there. ``host`` is None for an unnamed host of a network.
    """
    return _next_hop(world, host if _has_route(world, host) or _forwards(world, host) else None, networks, target)


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


@remembered
def _next_hop(world: World, host: str | None, networks: tuple[str, ...], target: str) -> Hop | BadRoute | None:
    if host is not None and (firewall := world.hosts[host].route.get(target)):
        shared = sorted(set(networks) & set(world.networks_of(firewall)))
        if shared and firewall != host and world.hosts[firewall].forwards:
            return Hop(shared[0], firewall)
        place = world.topology.place_of(_section(world, host), host, "route", target) or world.hosts[host].place
        return BadRoute(host, target, firewall, place)
    links = sorted(networks, reverse=True)
    near = {firewall: link for link in links for firewall in firewalls_on(world, link) if firewall != host}
    if not (near and (away := around(world, target).nearest(near))):
        return None
    firewall = min(away, key=lambda name: (away[name], name))
    return Hop(near[firewall], firewall)


def _section(world: World, host: str) -> str:
    return f"{world.hosts[host].kind}s"
