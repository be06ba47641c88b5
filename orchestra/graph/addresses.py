"""Whom an address means: loopback only the dialer, else the network with the longest prefix, seen from the dialer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.graph.routes import firewalls_between
from orchestra.graph.world import canonical
from orchestra.model.address import is_loopback, parse_ip
from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from orchestra.graph.world import World
    from orchestra.model.address import IPAddress, IPNetwork
    from orchestra.model.topology import Selector


@dataclass(frozen=True, slots=True)
class Dialer:
    """Who dials: a host, or (``host`` None) an unnamed host of one network."""

    host: str | None
    networks: tuple[str, ...]

    def __str__(self) -> str:
        return self.host or f"a host of {self.networks[0]}"


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a flow. What is not known is None: an address that the file leaves out, a host nobody declared."""

    host: str | None
    network: str | None
    address: IPAddress | None

    def __str__(self) -> str:
        if self.host is None:
            return str(self.address) if self.address else f"a host of {self.network}"
        return f"{self.host} ({self.address})" if self.address else self.host


@dataclass(frozen=True, slots=True)
class Meaning:
    """Whom a text means to a dialer: the parties to try in order, or why nobody.

    ``assumed``: nobody declared it, so that it is believed to exist. ``itself``: the dialer.
    """

    parties: tuple[Party, ...] = ()
    itself: bool = False
    assumed: Code | None = None
    code: Code | None = None
    networks: tuple[str, ...] = ()
    """With ``code``: the networks that compete for the address, or the hosts that compete for the name."""


def dialer_at(world: World, host: str) -> Dialer:
    """A declared host as a dialer."""
    return Dialer(host, tuple(world.networks_of(host)))


def guest_of(network: str) -> Dialer:
    """An unnamed host of a network as a dialer."""
    return Dialer(None, (network,))


def networks_holding(world: World, address: IPAddress) -> tuple[str, ...]:
    """The networks with the longest prefix that contains it; else those without cidr; sorted."""
    number = int(address)
    for version, shift, table in world.prefixes:
        if version == address.version and (names := table.get(number >> shift)):
            return names
    return world.open_networks


def lies_in(world: World, party: Party, network: str, version: int | None = None) -> bool:
    """Whether a party's address lies in a network, however far away it is.

    An address that is not known lies in its own network, and in those that contain the whole of it: of the part that
    is of the flow's family, when that (``version``) is known.
    """
    if party.address is not None:
        cidrs = world.topology.networks[network].cidrs
        if cidrs:
            return any(party.address in cidr for cidr in cidrs)
        return network in networks_holding(world, party.address)
    if party.network is None or party.network == network:
        return party.network == network
    outer = world.topology.networks[network].cidrs
    if not world.topology.networks[party.network].cidrs:
        return not outer
    inner = _may_be_in(world, party.network, version)
    return bool(inner) and all(any(_within(part, whole) for whole in outer) for part in inner)


def selects(world: World, selector: Selector, party: Party, version: int | None = None) -> bool:
    """Whether one ``from`` or ``to`` of a rule matches a party in a flow of a family (4, 6; None: not known)."""
    if selector.kind == "any":
        return True
    if selector.kind == "network":
        return selector.name is not None and lies_in(world, party, selector.name, version)
    if selector.kind == "host":
        if party.address is not None:
            return party.address in world.addresses.get(selector.name or "", ())
        return world.same_machine(party.host, selector.name)
    if selector.cidr is None:
        return False
    if party.address is not None:
        return party.address in selector.cidr
    cidrs = _may_be_in(world, party.network, version) if party.network else ()
    return bool(cidrs) and all(_within(part, selector.cidr) for part in cidrs)


def _may_be_in(world: World, network: str, version: int | None) -> tuple[IPNetwork, ...]:
    """Where an address of a family may be that is only known to be on a network."""
    return tuple(cidr for cidr in world.topology.networks[network].cidrs if version in (None, cidr.version))


def _within(inner: object, outer: object) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[attr-defined,no-any-return]


def meaning(world: World, dialer: Dialer, text: str, meant: str | None = None) -> Meaning:
    """Whom the host text means to the dialer.

    ``meant`` is whom the file intends with it: it decides between accounts of one machine, and whom a name that
    nobody declared stands for.
    """
    if is_loopback(text):
        return _itself(dialer)
    address = parse_ip(text)
    return _of_name(world, dialer, text, meant) if address is None else _of_address(world, dialer, address, meant)


def _itself(dialer: Dialer, address: IPAddress | None = None) -> Meaning:
    return Meaning(parties=(Party(dialer.host, None, address),), itself=True)


def _of_address(world: World, dialer: Dialer, address: IPAddress, meant: str | None) -> Meaning:
    if dialer.host is not None and address in world.addresses[dialer.host]:
        return _itself(dialer, address)
    networks = networks_holding(world, address)
    if not networks:
        return Meaning(parties=(Party(meant, None, address),), assumed=Code.ASSUMED_REACHABLE)
    if len(networks) > 1:
        own = tuple(name for name in networks if name in dialer.networks)
        if len(own) != 1:
            return Meaning(code=Code.AMBIGUOUS_ADDRESS, networks=networks)
        networks = own
    hosts = world.located.get((networks[0], address), ())
    host = meant if meant in hosts else hosts[0] if hosts else None
    return Meaning(parties=(Party(host, networks[0], address),), assumed=None if hosts else Code.ASSUMED_REACHABLE)


def _of_name(world: World, dialer: Dialer, text: str, meant: str | None) -> Meaning:
    bearers = {
        host for host, network in world.names.get(canonical(text), ()) if network is None or network in dialer.networks
    }
    if len({world.machine(host) for host in bearers}) > 1:
        return Meaning(code=Code.AMBIGUOUS_ADDRESS, networks=tuple(sorted(bearers)))
    host = meant if meant in bearers or not bearers else min(bearers)
    assumed = None if bearers else Code.ASSUMED_NAME_RESOLVES
    if host is None or not world.networks_of(host):
        itself = world.same_machine(host, dialer.host)
        return Meaning(parties=(Party(host, None, None),), itself=itself, assumed=assumed or Code.ASSUMED_REACHABLE)
    if world.same_machine(host, dialer.host):
        return Meaning(parties=(Party(host, None, None),), itself=True, assumed=assumed)
    return Meaning(parties=seen_from(world, dialer, host), assumed=assumed)


def seen_from(world: World, dialer: Dialer, host: str) -> tuple[Party, ...]:
    """The addresses of a host as a dialer sees them: on its own networks first, then behind few firewalls, by name.

    Empty when no way leads to any of them. An attachment without address is one party whose address is unknown.
    """
    found: list[tuple[int, str, tuple[IPAddress, ...]]] = []
    for network, addresses in world.networks_of(host).items():
        way = firewalls_between(world, dialer.host, dialer.networks, network)
        if way is not None:
            found.append((len(way), network, addresses))
    found.sort(key=lambda each: each[:2])
    return tuple(Party(host, network, address) for _, network, each in found for address in each or (None,))
