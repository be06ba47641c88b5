"""Routes: where each machine sends what is not on its own segments, and by which way replies go back.

Pure. Forwards: by destination, to the chain with the fewest firewalls, ties by name, or as ``route`` says; the
longest prefix wins in the kernel as in the model. Backwards: by connection. Every machine remembers from which
neighbour a connection came (a conntrack mark) and answers there, so replies take the way of the question although
the tables may know another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestra.lab.netns.layout import Interface, Layout, Machine
from orchestra.model.address import IPNetwork
from orchestra.model.frozen import dataclass

ON_LINK_METRIC = 10
WAY_METRIC = 100
NOWHERE_METRIC = 1000
TABLE = 1000
"""Routing table of mark N is this plus N."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a connection may come from: a neighbouring firewall, or (``mac`` None) any other host of a segment."""

    mark: int
    interface: str
    mac: str | None = None
    gateway: str | None = None


def origins(layout: Layout, machine: Machine) -> tuple[Origin, ...]:
    """Everyone a machine may have to answer, numbered from 1; those without a firewall's address come last."""
    neighbours = [
        (own.name, theirs.mac, str(theirs.link_local))
        for own in machine.interfaces
        for other, theirs in _firewalls_on(layout, own.segment)
        if other is not machine
    ]
    found = [Origin(mark, *neighbour) for mark, neighbour in enumerate(neighbours, 1)]
    return (*found, *(Origin(len(found) + n, own.name) for n, own in enumerate(machine.interfaces, 1)))


def route_commands(layout: Layout, machine: Machine) -> Iterator[str]:
    """Lines for ``ip -batch`` that fill its tables; its interfaces have to be up, with their addresses.

    What is sent by an interface needs an address of its family there; firewalls, which pass on what others send, have
    all routes, and a filter for what is their own (:mod:`.filters`).
    """
    for interface in machine.interfaces:
        for prefix in layout.prefixes.get(interface.segment, ()):
            if machine.forwards or any(a.version == prefix.version for a in interface.addresses):
                yield _route(prefix, f"dev {interface.name}", ON_LINK_METRIC)
    for segment, prefixes in sorted(layout.prefixes.items()):
        if machine.on(segment) is None:
            hop = next_hop(layout, machine, segment)
            for prefix in prefixes:
                if hop is None:
                    yield _route(prefix, "", NOWHERE_METRIC)
                elif machine.forwards or any(a.version == prefix.version for a in hop[0].addresses):
                    yield _route(prefix, f"via {hop[1].link_local} dev {hop[0].name}", WAY_METRIC)
    for origin in origins(layout, machine):
        yield from _answers(origin)


def _route(prefix: IPNetwork, way: str, metric: int) -> str:
    if not way:
        return f"-{prefix.version} route replace throw {prefix} metric {metric}"  # unlike others, no martian source
    inet6 = "via inet6" if prefix.version == 4 else "via"
    return f"-{prefix.version} route replace {prefix} {way.replace('via', inet6)} metric {metric}"


def _answers(origin: Origin) -> Iterator[str]:
    table = TABLE + origin.mark
    for version, via in ((4, "via inet6"), (6, "via")):
        gateway = f"{via} {origin.gateway} " if origin.gateway else ""
        yield f"-{version} route add default {gateway}dev {origin.interface} table {table}"
        yield f"-{version} rule add fwmark {origin.mark} lookup {table} pref {100 + origin.mark}"


def next_hop(layout: Layout, machine: Machine, segment: str) -> tuple[Interface, Interface] | None:
    """The machine's interface and the firewall's by which it sends what is for a segment that it is not on."""
    chosen = next(
        (firewall for host in machine.hosts if (firewall := layout.topology.hosts[host].route.get(segment))), None
    )
    away = distances(layout, segment)
    options = [
        (away.get(other.name, 0), other.name, own.segment, own, theirs)
        for own in machine.interfaces
        for other, theirs in _firewalls_on(layout, own.segment)
        if other is not machine
        if (layout.machine_of[chosen] == other.name if chosen else other.name in away)
    ]
    return min(options, key=lambda option: option[:3])[3:] if options else None


def firewalls_to(layout: Layout, machine: Machine, segment: str) -> int:
    """How many firewalls stand between; as many as there are machines when there is no way."""
    if machine.on(segment):
        return 0
    away = distances(layout, segment)
    neighbours = (other.name for own in machine.interfaces for other, _ in _firewalls_on(layout, own.segment))
    return min((away[name] for name in neighbours if name in away), default=len(layout.machines))


def distances(layout: Layout, segment: str) -> Mapping[str, int]:
    """Firewall to how many of them, itself included, stand on the shortest chain into the segment."""
    found: dict[str, int] = {}
    reached, seen, steps = [segment], {segment}, 0
    while reached:
        steps += 1
        fresh = [m for name in reached for m, _ in _firewalls_on(layout, name) if m.name not in found]
        found.update((machine.name, steps) for machine in fresh)
        reached = list({i.segment for machine in fresh for i in machine.interfaces} - seen)
        seen.update(reached)
    return found


def _firewalls_on(layout: Layout, segment: str) -> Iterator[tuple[Machine, Interface]]:
    for machine in layout.on(segment):
        if machine.forwards and (interface := machine.on(segment)):
            yield machine, interface
