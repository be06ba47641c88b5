"""Address translation: what a firewall publishes, and what it hides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.graph.addresses import Dialer, Party, dialer_at, meaning, seen_from
from orchestra.graph.memo import remembered
from orchestra.graph.routes import firewalls_between
from orchestra.model.frozen import dataclass
from orchestra.model.topology import Masquerade

if TYPE_CHECKING:
    from orchestra.graph.world import World
    from orchestra.model.address import IPAddress
    from orchestra.model.topology import PortForward


@dataclass(frozen=True, slots=True)
class NatTable:
    """The entries of all firewalls, by what is asked of them."""

    forwards: dict[tuple[str, str, int, str], PortForward]
    """By firewall, network, port and protocol: the first entry for what arrives there."""
    hiding: dict[tuple[str, str], Masquerade]
    """By firewall and network: the first entry for what leaves there."""
    publishing: dict[tuple[str, int, str], list[tuple[str, PortForward]]]
    """By host, port and protocol: the firewalls that hand on to it, sorted, with their entries in order."""
    published: frozenset[str]
    """The hosts that some port forward hands on to."""


@remembered
def nat_table(world: World) -> NatTable:
    """The entries of a topology."""
    forwards: dict[tuple[str, str, int, str], PortForward] = {}
    hiding: dict[tuple[str, str], Masquerade] = {}
    publishing: dict[tuple[str, int, str], list[tuple[str, PortForward]]] = {}
    for firewall, host in sorted(world.hosts.items()):
        for entry in host.nat:
            if isinstance(entry, Masquerade):
                hiding.setdefault((firewall, entry.network), entry)
            else:
                forwards.setdefault((firewall, entry.network, entry.port, entry.protocol), entry)
                publishing.setdefault((entry.host, entry.to_port, entry.protocol), []).append((firewall, entry))
    return NatTable(forwards, hiding, publishing, frozenset(host for host, *_ in publishing))


def port_forward(world: World, firewall: str, network: str, port: int, protocol: str) -> PortForward | None:
    """The first entry for what arrives at the firewall's own address from a network."""
    return nat_table(world).forwards.get((firewall, network, port, protocol))


def masquerade(world: World, firewall: str, network: str) -> Masquerade | None:
    """The entry that hides what leaves the firewall by a network."""
    return nat_table(world).hiding.get((firewall, network))


def own_party(world: World, host: str | None, network: str, version: int | None) -> Party:
    """A host as the source of what it sends by a network: its first address there, of the family of the flow."""
    addresses = world.networks_of(host).get(network, ())
    fitting = [address for address in addresses if version in (None, address.version)]
    return Party(host, network, fitting[0] if fitting else None)


def handed_to(world: World, firewall: str, entry: PortForward, version: int | None) -> Party | None:
    """Whom a port forward hands a flow to: the address nearest to the firewall.

    None when the machine has no address of the flow's family: then nothing is translated.
    """
    if world.same_machine(entry.host, firewall):
        return Party(firewall, None, None)
    addressed = [
        Party(entry.host, network, address)
        for network, addresses in world.networks_of(entry.host).items()
        for address in addresses or (None,)
    ]
    seen = seen_from(world, dialer_at(world, firewall), entry.host)
    for party in (*seen, *addressed):
        if version is None or _has_family(world, party, version):
            return party
    return None


def _has_family(world: World, party: Party, version: int) -> bool:
    """Whether a party's address is of a family; one that is not known may be of any that its network has."""
    if party.address is not None:
        return party.address.version == version
    cidrs = world.topology.networks[party.network].cidrs if party.network else ()
    return not cidrs or any(cidr.version == version for cidr in cidrs)


@dataclass(frozen=True, slots=True)
class Publication:
    """An address at which a firewall on the way publishes a service."""

    address: IPAddress
    port: int
    firewall: str


def publications(world: World, dialer: Dialer, host: str, port: int, protocol: str) -> tuple[Publication, ...]:
    """What nat entries on the way from the dialer to the host publish for the service, by the firewalls' names."""
    on_way = _firewalls_on_way(world, dialer, host) if host in nat_table(world).published else None
    if not on_way:
        return ()
    return tuple(
        Publication(address, entry.port, firewall)
        for firewall, entry in _publishing(world, host, port, protocol, on_way)
        for address in world.networks_of(firewall).get(entry.network, ())
        if _not_elsewhere(world, dialer, address, firewall)
    )


def _not_elsewhere(world: World, dialer: Dialer, address: IPAddress, firewall: str) -> bool:
    """Whether the dialer does not take the address for one of another site with the same range."""
    parties = meaning(world, dialer, str(address), firewall).parties
    return not parties or any(party.host == firewall for party in parties)


def _publishing(
    world: World, host: str, port: int, protocol: str, on_way: frozenset[str], seen: frozenset[str] = frozenset()
) -> list[tuple[str, PortForward]]:
    """Entries that lead to the service, also by way of another firewall's entry."""
    known = nat_table(world).publishing.get((host, port, protocol), ())
    found = [(firewall, entry) for firewall, entry in known if firewall in on_way and firewall not in seen]
    further = [
        outer
        for firewall, entry in found
        for outer in _publishing(world, firewall, entry.port, protocol, on_way, seen | {firewall})
    ]
    return sorted(found + further, key=lambda each: (each[0], each[1].port))


def _firewalls_on_way(world: World, dialer: Dialer, host: str) -> frozenset[str]:
    networks = world.networks_of(host)
    if any(network in dialer.networks for network in networks):
        return frozenset()
    ways = (firewalls_between(world, dialer.host, dialer.networks, network) for network in networks)
    return frozenset(name for way in ways for name in way or ())
