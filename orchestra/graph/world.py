"""A compiled topology: the graph and the indexes that the dial verdict needs. Immutable but for its memo."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from orchestra.model.frozen import dataclass
from orchestra.model.garbage import collector_off
from orchestra.model.topology import Attachment, Host

if TYPE_CHECKING:
    from orchestra.model.address import IPAddress
    from orchestra.model.topology import Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Indexes over one topology. Made by :func:`compile_world`.

    ``here`` is the client; when the file declares no such host it is a machine of which nothing is known but that it
    is on the networks without cidr ("the internet").
    """

    topology: Topology
    here: str
    hosts: dict[str, Host]
    forwards: bool
    """Whether anything does: networks are joined by what :mod:`orchestra.graph.build` makes of them."""
    attached: dict[str, dict[str, tuple[IPAddress, ...]]]
    """Host to network to its addresses there; sorted by network."""
    addresses: dict[str, frozenset[IPAddress]]
    """Host to all of its addresses."""
    located: dict[tuple[str, IPAddress], tuple[str, ...]]
    """Network and address to the hosts there: one, or several accounts of one machine."""
    prefixes: tuple[tuple[int, int, dict[int, tuple[str, ...]]], ...]
    """Version, shift and the networks by leading bits; longest prefixes first."""
    open_networks: tuple[str, ...]
    """Networks without cidr."""
    names: dict[str, tuple[tuple[str, str | None], ...]]
    """Lower-case DNS name to hosts, each with the network whose hosts resolve it (None: everybody)."""
    machines: dict[str, str]
    """Host to the name that stands for its machine: accounts of one machine share it."""
    memo: dict[tuple[object, ...], Any] = field(default_factory=dict, compare=False, repr=False)
    """Answers, by the function that gave them and what it was asked about: :func:`orchestra.graph.memo.remembered`."""

    def same_machine(self, one: str | None, other: str | None) -> bool:
        """Whether both names are one machine; unknown machines are never the same."""
        return one is not None and other is not None and self.machine(one) == self.machine(other)

    def machine(self, host: str) -> str:
        """The name that stands for a host's machine."""
        return self.machines.get(host, host)

    def networks_of(self, host: str | None) -> dict[str, tuple[IPAddress, ...]]:
        """The networks that a host is attached to, with its addresses there."""
        return self.attached.get(host, {}) if host is not None else {}


@collector_off()
def compile_world(topology: Topology, here: str) -> World:
    """Compiles a topology as seen from one client."""
    hosts = dict(sorted(topology.hosts.items()))
    open_networks = tuple(sorted(name for name, network in topology.networks.items() if not network.cidrs))
    if here not in hosts:
        unknown = tuple(Attachment(network=name) for name in open_networks)
        hosts[here] = Host(name=here, kind="client", attachments=unknown)
    attached = {name: _attachments(topology, host) for name, host in hosts.items()}
    located = _located(attached)
    return World(
        topology=topology,
        here=here,
        hosts=hosts,
        forwards=any(host.forwards for host in hosts.values()),
        attached=attached,
        addresses={name: frozenset(a for each in nets.values() for a in each) for name, nets in attached.items()},
        located=located,
        prefixes=_prefixes(topology),
        open_networks=open_networks,
        names=_names(hosts),
        machines=_machines(hosts, located),
    )


def _attachments(topology: Topology, host: Host) -> dict[str, tuple[IPAddress, ...]]:
    found: dict[str, tuple[IPAddress, ...]] = {}
    for attachment in sorted(host.attachments, key=lambda a: a.network):
        if attachment.network in topology.networks:
            found[attachment.network] = found.get(attachment.network, ()) + attachment.addresses
    return found


def _located(attached: dict[str, dict[str, tuple[IPAddress, ...]]]) -> dict[tuple[str, IPAddress], tuple[str, ...]]:
    found: dict[tuple[str, IPAddress], tuple[str, ...]] = {}
    for host, networks in attached.items():
        for network, addresses in networks.items():
            for address in addresses:
                key = (network, address)
                found[key] = (*found.get(key, ()), host)
    return found


def _prefixes(topology: Topology) -> tuple[tuple[int, int, dict[int, tuple[str, ...]]], ...]:
    tables: dict[tuple[int, int], dict[int, tuple[str, ...]]] = {}
    for name in sorted(topology.networks):
        for cidr in topology.networks[name].cidrs:
            shift = cidr.max_prefixlen - cidr.prefixlen
            table = tables.setdefault((cidr.version, shift), {})
            bits = int(cidr.network_address) >> shift
            table[bits] = (*table.get(bits, ()), name)
    return tuple((version, shift, table) for (version, shift), table in sorted(tables.items()))


def _names(hosts: dict[str, Host]) -> dict[str, tuple[tuple[str, str | None], ...]]:
    found: dict[str, tuple[tuple[str, str | None], ...]] = {}
    for host in hosts.values():
        for name in host.names:
            key = canonical(name.text)
            found[key] = (*found.get(key, ()), (host.name, name.network))
    return found


def _machines(hosts: dict[str, Host], located: dict[tuple[str, IPAddress], tuple[str, ...]]) -> dict[str, str]:
    """Servers that share an address are accounts of one machine."""
    machines: dict[str, str] = {}
    for sharing in located.values():
        accounts = [name for name in sharing if hosts[name].server is not None]
        if len(accounts) > 1:
            first = min(machines.get(name, name) for name in accounts)
            machines.update(dict.fromkeys(accounts, first))
    return machines


def canonical(name: str) -> str:
    """A DNS name as it is compared: letter case and a last dot carry no meaning (RFC 4343)."""
    return name.lower().rstrip(".")
