"""Which places could dial a service, and which services a place could dial: the pairs worth an attempt.

A bound from :mod:`orchestra.graph.prospects` and from what the file says beside its networks; never too narrow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.graph import prospects
from orchestra.model.address import parse_ip
from orchestra.planning.services import ssh_service

if TYPE_CHECKING:
    from orchestra.planning.context import Context
    from orchestra.planning.services import Service


def worth_trying(context: Context, place: str, service: Service) -> bool:
    """Whether a place might be able to dial a service; false is certain."""
    world = context.world
    if world.same_machine(place, service.host) or place in service.behind or place in (service.trusted or ()):
        return True
    networks = world.networks_of(service.host)
    if service.on_loopback and not service.listeners:
        return False
    if is_elusive(service) or not networks:
        return True
    found = prospects(world, context.dialer(place), service.port, service.protocol)
    return found.everywhere or service.host in found.hosts or not found.networks.isdisjoint(networks)


def is_elusive(service: Service) -> bool:
    """Whether it may be dialed at other addresses than its host's own."""
    if service.listeners or (service.fallback is not None and parse_ip(service.fallback) is not None):
        return True
    return service.text is not None and not service.everywhere and not service.on_loopback


def servers_worth_trying(context: Context, place: str, waiting: set[str]) -> list[str]:
    """The servers among those waiting that a place might dial, sorted."""
    chosen: set[str] = set()
    index = _index(context)
    for port in index.ports:
        found = prospects(context.world, context.dialer(place), port, "tcp")
        if found.everywhere or place == context.here:
            return sorted(waiting)
        chosen |= found.hosts & waiting
        for network in found.networks:
            chosen |= index.by_network.get(network, frozenset()) & waiting
    chosen |= index.elusive & waiting
    return sorted(chosen)


class _Index:
    """Servers by network; those that may be dialed otherwise; the ports of all of them."""

    def __init__(self, context: Context) -> None:
        by_network: dict[str, set[str]] = {}
        elusive: set[str] = set()
        ports: set[int] = set()
        for name in context.servers:
            service = ssh_service(context, name)
            networks = context.world.networks_of(name)
            ports.add(service.port)
            for network in networks:
                by_network.setdefault(network, set()).add(name)
            if service.behind or is_elusive(service) or not networks or not context.transport(name).dialed:
                elusive.add(name)
        self.by_network = {network: frozenset(names) for network, names in by_network.items()}
        self.elusive = frozenset(elusive)
        self.ports = tuple(sorted(ports))


def _index(context: Context) -> _Index:
    if "index" not in context.memo:
        context.memo["index"] = _Index(context)
    found: _Index = context.memo["index"]
    return found
