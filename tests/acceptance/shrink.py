"""The smallest topology that still shows something: parts are taken away one by one while it does."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

from orchestra.model.topology import Host, PortForward, Rule, Topology

Shows = Callable[[Topology], Awaitable[bool]]


async def minimal(topology: Topology, shows: Shows, *, keep: frozenset[str], seconds: float = 120) -> Topology:
    """Takes away whatever is not needed for ``shows``; ``keep`` are hosts that have to stay. Stops in time."""
    end = time.monotonic() + seconds
    index = tried = 0
    while time.monotonic() < end:
        options = list(smaller_ones(topology, keep))
        if tried >= len(options):
            return topology
        index %= len(options)
        if await shows(options[index]):
            topology, tried = options[index], 0
        else:
            index, tried = index + 1, tried + 1
    return topology


def smaller_ones(topology: Topology, keep: frozenset[str]) -> Iterator[Topology]:
    """Every topology with one part less, large parts first."""
    for name in topology.tunnels:
        yield replace(topology, tunnels=_without(topology.tunnels, name))
    for name in topology.hosts:
        if name not in keep:
            yield _without_host(topology, name)
    for name in topology.targets:
        if topology.hosts[topology.targets[name].host].kind != "target":
            yield _without_target(topology, name)
    for host in topology.hosts.values():
        yield from (replace(topology, hosts={**topology.hosts, host.name: less}) for less in _less_of(host))
    used = {each.network for host in topology.hosts.values() for each in host.attachments}
    for name in topology.networks:
        if name not in used and not _names_network(topology, name):
            yield replace(topology, networks=_without(topology.networks, name))


def _without(mapping, name):  # type: ignore[no-untyped-def]
    return {key: value for key, value in mapping.items() if key != name}


def _without_target(topology: Topology, name: str) -> Topology:
    tunnels = {key: each for key, each in topology.tunnels.items() if each.to != name}
    return replace(topology, targets=_without(topology.targets, name), tunnels=tunnels)


def _without_host(topology: Topology, name: str) -> Topology:
    """With all that names it: its targets, their tunnels, rules, nat entries and routes."""
    for target in [key for key, each in topology.targets.items() if each.host == name]:
        topology = _without_target(topology, target)
    hosts = {key: _forget(host, name) for key, host in topology.hosts.items() if key != name}
    tunnels = {key: each for key, each in topology.tunnels.items() if name not in (each.at, each.from_, *each.via)}
    return replace(topology, hosts=hosts, tunnels=tunnels)


def _forget(host: Host, name: str) -> Host:
    def about(rule: Rule) -> bool:
        return any(each.kind == "host" and each.name == name for each in (*rule.sources, *rule.destinations))

    return replace(
        host,
        rules=tuple(rule for rule in host.rules if not about(rule)),
        inbound=None if host.inbound is None else tuple(rule for rule in host.inbound if not about(rule)),
        nat=tuple(entry for entry in host.nat if not (isinstance(entry, PortForward) and entry.host == name)),
        route={network: firewall for network, firewall in host.route.items() if firewall != name},
    )


def _less_of(host: Host) -> Iterator[Host]:
    if host.inbound is not None:
        yield replace(host, inbound=None)
    for index, attachment in enumerate(host.attachments):
        cut = (host.attachments[:index], host.attachments[index + 1 :])
        if not any(isinstance(e, PortForward) and e.network == attachment.network for e in host.nat):
            yield replace(host, attachments=(*cut[0], *cut[1]))
        if len(attachment.addresses) > 1:
            yield from (
                replace(host, attachments=(*cut[0], replace(attachment, addresses=(each,)), *cut[1]))
                for each in attachment.addresses
            )
    for part in ("rules", "nat", "inbound"):
        entries = getattr(host, part) or ()
        for index in range(len(entries)):
            yield replace(host, **{part: (*entries[:index], *entries[index + 1 :])})
    for network in host.route:
        yield replace(host, route=_without(host.route, network))
    if host.server is not None and host.kind != "server":
        yield replace(host, server=None)


def _names_network(topology: Topology, name: str) -> bool:
    """Whether a rule, a nat entry or a route does."""
    for host in topology.hosts.values():
        sides = [s for rule in (*host.rules, *(host.inbound or ())) for s in (*rule.sources, *rule.destinations)]
        if name in host.route or any(side.kind == "network" and side.name == name for side in sides):
            return True
        if any(entry.network == name for entry in host.nat):
            return True
    return False
