"""What a topology looks like as machines and wires: which namespaces, on which segments, with which addresses.

Pure. A *machine* is a namespace: servers that are two accounts of one machine share one, and a host text that means a
declared host is that host. A *segment* is a bridge: one per network, and one for each machine that no network holds
but that somebody dials by the text in the file (``db.internal:5432``). Each network has a guest, a host nobody named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from ipaddress import IPv6Address

from orchestra.lab.credentials import machines
from orchestra.lab.netns.addresses import Pools, host_network
from orchestra.model.address import Endpoint, IPAddress, IPNetwork, is_loopback, parse_ip
from orchestra.model.frozen import dataclass
from orchestra.model.topology import Host, Target, Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One end of a wire. The kernel's ``name`` is ``eth0``, ``eth1`` … in the order of the segments' names."""

    name: str
    segment: str
    number: int
    """Unique in the lab; the hardware and link-local addresses are made of it."""
    addresses: tuple[IPAddress, ...]

    @property
    def mac(self) -> str:
        return "02:00:" + self.number.to_bytes(4, "big").hex(":")

    @property
    def link_local(self) -> IPv6Address:
        """What neighbours route through, whatever the family (RFC 5549 for IPv4)."""
        return IPv6Address(0xFE80 << 112 | self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A namespace. ``hosts`` are the entries of the file that it stands for; a guest has none."""

    name: str
    hosts: tuple[str, ...]
    interfaces: tuple[Interface, ...]
    forwards: bool = False

    @property
    def addresses(self) -> tuple[IPAddress, ...]:
        return tuple(address for interface in self.interfaces for address in interface.addresses)

    def on(self, segment: str) -> Interface | None:
        return next((interface for interface in self.interfaces if interface.segment == segment), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """All machines by name, guests too, and what the topology's names mean among them."""

    topology: Topology
    client: str
    machines: Mapping[str, Machine]
    machine_of: Mapping[str, str]
    """Host to the machine it is."""
    texts: Mapping[tuple[str, str], tuple[IPAddress, ...]]
    """(dialing machine, host text in lower case) to what an invented segment makes of it."""
    prefixes: Mapping[str, tuple[IPNetwork, ...]]
    """Segment to what is reached there: its cidrs, or every single address when it has none."""

    def of(self, host: str) -> Machine:
        """The machine of a host; KeyError when there is none of that name."""
        return self.machines[self.machine_of[host]]

    def on(self, segment: str) -> Iterator[Machine]:
        """Everyone on a segment, sorted by name."""
        return (machine for _, machine in sorted(self.machines.items()) if machine.on(segment))


def guest_name(network: str) -> str:
    """The machine that stands for an unnamed host of a network."""
    return f"someone on {network}"


def make_layout(topology: Topology, client: str) -> Layout:
    """Compiles a topology; ``client`` is added when the file does not declare it."""
    if client not in topology.hosts:
        topology = replace(topology, hosts={**topology.hosts, client: Host(name=client, kind="client")})
    draft = _Draft(topology, client)
    draft.merge_accounts()
    draft.merge_texts()
    draft.attach_networks()
    draft.invent_segments()
    return draft.finish()


@dataclass
class _Draft:
    topology: Topology
    client: str
    machine_of: dict[str, str] = field(default_factory=dict)
    wires: dict[str, dict[str, list[IPAddress]]] = field(default_factory=lambda: defaultdict(dict))
    """Machine to segment to the addresses that are declared there."""
    text_of: dict[str, str] = field(default_factory=dict)
    """Machine on an invented segment to the host text that means it."""

    def merge_accounts(self) -> None:
        self.machine_of.update((name, name) for name in self.topology.hosts)
        for accounts in machines(self.topology):
            self.machine_of.update((name, accounts[0]) for name in accounts)

    def merge_texts(self) -> None:
        """A machine that is only a text is a declared host, when that text is a name or an address of one."""
        declared = _declared_texts(self.topology)
        for name, host in sorted(self.topology.hosts.items()):
            text = host_text(self.topology, host)
            owner = declared.get(text.lower()) if text and not host.attachments else None
            if owner and self.machine_of[owner] != self.machine_of[name]:
                merged = self.machine_of[name]
                self.machine_of.update((n, self.machine_of[owner]) for n, m in self.machine_of.items() if m == merged)

    def attach_networks(self) -> None:
        for name, host in sorted(self.topology.hosts.items()):
            for attachment in host.attachments:
                addresses = self.wires[self.machine_of[name]].setdefault(attachment.network, [])
                addresses += [address for address in attachment.addresses if address not in addresses]
        for network in self.topology.networks:
            self.wires[guest_name(network)][network] = []

    def invent_segments(self) -> None:
        for name, host in sorted(self.topology.hosts.items()):
            machine, text = self.machine_of[name], host_text(self.topology, host)
            if not text or is_loopback(text) or machine != name or self._needs_no_segment(host, text):
                continue
            literal = parse_ip(text)
            segment = f"to {name}"
            self.wires[name][segment] = [literal] if literal else []
            self.text_of[name] = text.lower()
            for dialer in dialers(self.topology, self.client, host):
                self.wires[self.machine_of[dialer]].setdefault(segment, [])

    def _needs_no_segment(self, host: Host, text: str) -> bool:
        """A host on networks is dialed there, unless by a literal of its own or by a dialer without any network."""
        if not host.attachments:
            return False
        if literal := parse_ip(text):
            return any(literal in attachment.addresses for attachment in host.attachments)
        return any(self.topology.hosts[dialer].attachments for dialer in dialers(self.topology, self.client, host))

    def finish(self) -> Layout:
        for name in set(self.machine_of.values()):
            self.wires[name]  # a machine without any wire has its loopback
        addresses = self._choose_addresses()
        made: dict[str, Machine] = {}
        number = 1
        for name, wires in sorted(self.wires.items()):
            interfaces = []
            for index, segment in enumerate(sorted(wires)):
                interfaces.append(
                    Interface(name=f"eth{index}", segment=segment, number=number, addresses=addresses[name, segment])
                )
                number += 1
            hosts = tuple(sorted(host for host, machine in self.machine_of.items() if machine == name))
            forwards = any(self.topology.hosts[host].forwards for host in hosts)
            made[name] = Machine(name=name, hosts=hosts, interfaces=tuple(interfaces), forwards=forwards)
        return Layout(
            topology=self.topology,
            client=self.client,
            machines=made,
            machine_of=self.machine_of,
            texts=dict(self._texts(made)),
            prefixes=self._prefixes(made),
        )

    def _choose_addresses(self) -> dict[tuple[str, str], tuple[IPAddress, ...]]:
        """The declared addresses; where there are none, free ones of each family that the segment has."""
        declared = [a for wires in self.wires.values() for addresses in wires.values() for a in addresses]
        cidrs = [cidr for network in self.topology.networks.values() for cidr in network.cidrs]
        pools = Pools(cidrs, declared)
        return {
            (name, segment): tuple(addresses) or pools.choose(self._cidrs(segment))
            for name, wires in sorted(self.wires.items())
            for segment, addresses in sorted(wires.items())
        }

    def _cidrs(self, segment: str) -> tuple[IPNetwork, ...]:
        network = self.topology.networks.get(segment)
        return network.cidrs if network else ()

    def _texts(self, made: Mapping[str, Machine]) -> Iterator[tuple[tuple[str, str], tuple[IPAddress, ...]]]:
        for name, text in self.text_of.items():
            segment = f"to {name}"
            interface = made[name].on(segment)
            assert interface is not None  # noqa: S101 - it was wired with the text
            for machine in made.values():
                if machine.on(segment):
                    yield (machine.name, text), interface.addresses

    def _prefixes(self, made: Mapping[str, Machine]) -> dict[str, tuple[IPNetwork, ...]]:
        single: dict[str, list[IPNetwork]] = defaultdict(list)
        for machine in made.values():
            for interface in machine.interfaces:
                single[interface.segment] += map(host_network, interface.addresses)
        return {segment: self._cidrs(segment) or tuple(found) for segment, found in single.items()}


def dialers(topology: Topology, client: str, host: Host) -> tuple[str, ...]:
    """Who dials what no network holds: those it is ``behind``; else, a server, the client; a target, every server."""
    targets = [target for target in topology.targets.values() if target.host == host.name]
    behind = tuple(dict.fromkeys((*host.behind, *(name for target in targets for name in target.behind))))
    if behind or host.server:
        return behind or (client,)
    return tuple(sorted(name for name, other in topology.hosts.items() if other.server)) or (client,)


def host_text(topology: Topology, host: Host) -> str | None:
    """What the file says to dial for a host that no network need hold: ``ssh.host``, or the host of ``HOST:PORT``."""
    if host.server and host.server.ssh.host:
        return host.server.ssh.host
    if host.kind != "target" or host.attachments:
        return None
    return next((text for target in topology.targets.values() if (text := _target_text(target, host))), None)


def _target_text(target: Target, host: Host) -> str | None:
    own = target.host == host.name and isinstance(target.address, Endpoint)
    return target.address.host if own and isinstance(target.address, Endpoint) else None


def _declared_texts(topology: Topology) -> dict[str, str]:
    """Names and addresses that mean a host with networks, or a server by its ``ssh.host``, in lower case."""
    found: dict[str, str] = {}
    for name, host in sorted(topology.hosts.items()):
        for text in _own_texts(host):
            found.setdefault(text.lower().rstrip("."), name)
    return found


def _own_texts(host: Host) -> Iterable[str]:
    yield from (name.text for name in host.names)
    yield from (str(address) for attachment in host.attachments for address in attachment.addresses)
    if host.server and host.server.ssh.host:
        yield host.server.ssh.host
