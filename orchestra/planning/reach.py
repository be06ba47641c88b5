"""Which places could dial a service, and which services a place could dial: the pairs worth an attempt.

A bound from :mod:`orchestra.graph.prospects` and from what the file says beside its networks; never too narrow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.graph import firewalls, port_class, prospects
from orchestra.graph.addresses import networks_holding
from orchestra.model.address import parse_ip
from orchestra.planning.services import ssh_service

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.graph import Prospects
    from orchestra.model.address import IPAddress
    from orchestra.planning.context import Context
    from orchestra.planning.services import Service


def places_worth_trying(context: Context, service: Service) -> frozenset[str] | None:
    """Here and the servers that might be able to dial a service; None: any of them."""
    world = context.world
    networks = world.networks_of(service.host)
    special = {*service.behind, *(service.trusted or ()), *_accounts(context, service.host)}
    if service.on_loopback and not service.listeners:
        return frozenset(special)
    if service.host not in world.hosts and (address := parse_ip(service.text or "")) is not None:
        return _places_of_address(context, service, address)
    if is_elusive(service) or not networks:
        return None
    if service.host in firewalls(world):
        return None
    dialers = _dialers(context, service.port, service.protocol)
    found = special | dialers.everywhere | dialers.of_host.get(service.host, set())
    for network in networks:
        found |= dialers.of_network.get(network, set())
    return frozenset(found)


def _places_of_address(context: Context, service: Service, address: IPAddress) -> frozenset[str] | None:
    """Here and the servers that might be able to dial an address, whoever is there; None: any of them."""
    world, dialers = context.world, _dialers(context, service.port, service.protocol)
    found = {*(service.trusted or ()), *dialers.everywhere}
    for network in networks_holding(world, address):
        found |= dialers.of_network.get(network, set())
        for host in world.located.get((network, address), ()):
            if host in firewalls(world):
                return None
            found |= dialers.of_host.get(host, set()) | _accounts(context, host)
    return frozenset(found)


def leading_to(context: Context, services: tuple[Service, ...]) -> frozenset[str] | None:
    """The servers that might be on a way to any of the services; None: any of them."""
    found: set[str] = set()
    waiting = [*services]
    servers = frozenset(context.servers)
    while waiting:
        places = places_worth_trying(context, waiting.pop())
        if places is None:
            return None
        fresh = (places & servers) - found
        found |= fresh
        waiting += [ssh_service(context, name) for name in fresh]
    return frozenset(found)


def _accounts(context: Context, host: str) -> frozenset[str]:
    """The places that are the machine of a host."""
    known = context.answers.accounts
    if not known:
        for place in (context.here, *context.servers):
            machine = context.world.machine(place)
            known[machine] = known.get(machine, frozenset()) | {place}
    return known.get(context.world.machine(host), frozenset())


class Dialers:
    """Prospects the other way round: network and host to the places that might reach them at a port."""

    def __init__(self, context: Context, port: int, protocol: str) -> None:
        self.everywhere: set[str] = set()
        self.of_network: dict[str, set[str]] = {}
        self.of_host: dict[str, set[str]] = {}
        alike: dict[Prospects, list[str]] = {}
        for place in (context.here, *context.servers):
            alike.setdefault(prospects(context.world, context.dialer(place), port, protocol), []).append(place)
        for found, places in alike.items():
            if found.everywhere:
                self.everywhere.update(places)
            for network in found.networks:
                self.of_network.setdefault(network, set()).update(places)
            for host in found.hosts:
                self.of_host.setdefault(host, set()).update(places)


def _dialers(context: Context, port: int, protocol: str) -> Dialers:
    key, known = (port_class(context.world, port), protocol), context.answers.dialers_of_port
    if key not in known:
        known[key] = Dialers(context, port, protocol)
    return known[key]


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
        if found.everywhere:
            return sorted(waiting)
        chosen |= (found.hosts | firewalls(context.world)) & waiting
        for network in found.networks:
            chosen |= index.by_network.get(network, frozenset()) & waiting
    chosen |= index.elusive & waiting
    if place == context.here:
        chosen |= index.with_fallback & waiting
    return sorted(chosen)


def servers_on(context: Context, networks: Iterable[str]) -> frozenset[str]:
    """The servers that are attached to any of the networks."""
    return frozenset().union(*(_index(context).by_network.get(network, ()) for network in networks))


class ServerIndex:
    """Servers by network; those that may be dialed otherwise; the ports of all of them."""

    def __init__(self, context: Context) -> None:
        by_network: dict[str, set[str]] = {}
        elusive: set[str] = set()
        with_fallback: set[str] = set()
        ports: set[int] = set()
        for name in context.servers:
            service = ssh_service(context, name)
            networks = context.world.networks_of(name)
            ports.add(service.port)
            for network in networks:
                by_network.setdefault(network, set()).add(name)
            if service.behind or is_elusive(service) or not networks or not context.transport(name).dialed:
                elusive.add(name)
            if service.fallback is not None:
                with_fallback.add(name)
        self.by_network = {network: frozenset(names) for network, names in by_network.items()}
        self.elusive = frozenset(elusive)
        self.with_fallback = frozenset(with_fallback)
        self.ports = tuple(sorted(ports))


def _index(context: Context) -> ServerIndex:
    answers = context.answers
    if answers.server_index is None:
        answers.server_index = ServerIndex(context)
    return answers.server_index
