"""Texts that mean different machines in different places: names, and ranges of addresses that overlap."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code, Diagnostic
from orchestra.graph.addresses import networks_holding
from orchestra.graph.memo import remembered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestra.diagnostics import Place
    from orchestra.graph import World
    from orchestra.model.address import IPNetwork

NAMED = 4
"""Networks, or hosts, that a message names."""


def differing_names(world: World) -> Iterator[Diagnostic]:
    """Every DNS name that several machines bear: a warning when some host cannot tell which is meant, else an info."""
    for name, bearers in sorted(world.names.items()):
        machines = {world.machine(host) for host, _ in bearers}
        if len(machines) > 1:
            yield _differing(world, name, bearers)


def _differing(world: World, name: str, bearers: tuple[tuple[str, str | None], ...]) -> Diagnostic:
    said = _some([f"{host} to {f'hosts of {network}' if network else 'everybody'}" for host, network in bearers])
    puzzled = _puzzled(world, bearers)
    return Diagnostic(
        code=Code.NAME_DIFFERS,
        severity="warning" if puzzled else "info",
        message=f"{name} means {said}" + (f", so that {puzzled} cannot tell which" if puzzled else ""),
        place=_place_of_names(world, bearers[-1][0]),
        suggestion="write `names: {NETWORK: [NAME]}` where it is resolved" if puzzled == "everybody" else None,
    )


def _puzzled(world: World, bearers: tuple[tuple[str, str | None], ...]) -> str | None:
    """The first client or server that resolves a name to several machines."""
    if len({world.machine(host) for host, network in bearers if network is None}) > 1:
        return "everybody"
    dialers = {each for _, network in bearers if network is not None for each in _hosts_on(world).get(network, ())}
    for dialer in sorted(each for each in dialers if world.hosts[each].kind == "client" or world.hosts[each].server):
        own = world.attached[dialer]
        if len({world.machine(host) for host, network in bearers if network is None or network in own}) > 1:
            return dialer
    return None


def _place_of_names(world: World, host: str) -> Place | None:
    declared = world.hosts[host]
    return world.topology.place_of(f"{declared.kind}s", host, "names") or declared.place


def overlapping_networks(world: World) -> Iterator[Diagnostic]:
    """Networks that share addresses. An info, since the longest prefix and the place of the dialer decide; a warning
    when a host bears an address that they make another network's, or is on two networks with one range."""
    for enclosing, inner in _nested(world):
        text, trouble = f"{enclosing} contains {_some(inner)}", _misplaced(world, enclosing)
        yield _overlap(world, (enclosing, *inner), trouble, f"{text}: {trouble or 'the longer prefix has the address'}")
    for cidr, names in _twins(world):
        text, trouble = f"{_some(names)} have one range, {cidr}", _between(world, cidr, names)
        yield _overlap(world, names, trouble, f"{text}: {trouble or 'which is meant depends on who dials'}")


def _overlap(world: World, names: Iterable[str], trouble: str | None, text: str) -> Diagnostic:
    places = (world.topology.networks[name].place for name in names)
    return Diagnostic(
        code=Code.NETWORKS_OVERLAP,
        severity="warning" if trouble else "info",
        message=text,
        place=max((place for place in places if place is not None), default=None),
    )


def _cidrs(world: World) -> list[tuple[IPNetwork, str]]:
    """All cidrs, those that contain others first."""
    found = [(cidr, name) for name, network in world.topology.networks.items() for cidr in network.cidrs]
    return sorted(found, key=lambda each: (each[0].version, int(each[0].network_address), each[0].prefixlen, each[1]))


def _nested(world: World) -> Iterator[tuple[str, list[str]]]:
    """Networks with those that lie directly within them: prefixes never cross, so a stack holds what is open."""
    inner: dict[str, dict[str, None]] = {}
    stack: list[tuple[IPNetwork, str]] = []
    for cidr, name in _cidrs(world):
        while stack and not _within(cidr, stack[-1][0]):
            stack.pop()
        if stack and stack[-1][0] != cidr and stack[-1][1] != name:
            inner.setdefault(stack[-1][1], {})[name] = None
        stack.append((cidr, name))
    yield from ((enclosing, sorted(names)) for enclosing, names in sorted(inner.items()))


def _within(inner: IPNetwork, outer: IPNetwork) -> bool:
    return inner.version == outer.version and inner.network_address in outer


def _twins(world: World) -> Iterator[tuple[IPNetwork, list[str]]]:
    """Ranges that several networks have."""
    for cidr, group in groupby(_cidrs(world), key=lambda each: each[0]):
        names = list(dict.fromkeys(name for _, name in group))
        if len(names) > 1:
            yield cidr, names


def _misplaced(world: World, enclosing: str) -> str | None:
    """An address on the enclosing network that everybody takes for one of a network within it."""
    for host in _hosts_on(world).get(enclosing, ()):
        for address in world.attached[host][enclosing]:
            if enclosing not in (held := networks_holding(world, address)):
                return f"whoever dials {address} of {host} on {enclosing} is led to {_some(held)}"
    return None


def _between(world: World, cidr: IPNetwork, names: list[str]) -> str | None:
    """A host that is on several networks with one range."""
    for host in [each for name in names[:-1] for each in _hosts_on(world).get(name, ())]:
        if len(own := [name for name in names if name in world.attached[host]]) > 1:
            return f"{host} is on {_some(own)}, so to it no other address of {cidr} means anybody"
    return None


@remembered
def _hosts_on(world: World) -> dict[str, list[str]]:
    """Network to the hosts on it, sorted."""
    found: dict[str, list[str]] = {}
    for host, attached in world.attached.items():
        for network in attached:
            found.setdefault(network, []).append(host)
    return found


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    if len(listed) > NAMED:
        listed[NAMED:] = [f"{len(listed) - NAMED} more"]
    return " and ".join(filter(None, (", ".join(listed[:-1]), listed[-1])))
