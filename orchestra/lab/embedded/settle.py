"""The topology as a world: what a file may leave out, the lab has to have.

A client whose address is unknown is given one; a host without networks is put on a *link*, a segment of its own with
those who are meant to dial it. What is written is never changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import ip_network
from itertools import chain

from orchestra.lab.embedded.world import World, canonical
from orchestra.model.address import Endpoint, IPAddress, IPNetwork, is_loopback, parse_ip
from orchestra.model.topology import Attachment, DnsName, Host, Network, Target, Topology

POOLS = (ip_network("198.18.0.0/15"), ip_network("2001:2::/48"))
"""Benchmarking addresses (RFC 2544, RFC 5180): for hosts on a network without cidr, and on links."""


def guest_name(network: str) -> str:
    """The name of the unnamed host that the lab has on every network."""
    return f"a host of {network}"


def _guest(network: str) -> Host:
    return Host(name=guest_name(network), kind="target", attachments=(Attachment(network=network),))


def settle(topology: Topology, client: str) -> World:
    """Gives every host of the topology, and the client, addresses and those who can dial it."""
    return _Settler(topology, client).settle()


class _Settler:
    def __init__(self, topology: Topology, client: str) -> None:
        self._topology = topology
        self._client = client
        self._hosts = dict(sorted(topology.hosts.items()))
        if client not in self._hosts:
            open_networks = sorted(name for name, network in topology.networks.items() if not network.cidrs)
            attachments = tuple(Attachment(network=name) for name in open_networks)
            self._hosts[client] = Host(name=client, kind="client", attachments=attachments)
        self._hosts.update((guest_name(name), _guest(name)) for name in sorted(topology.networks))
        self._links: dict[str, Network] = {}
        self._declared: set[IPAddress] = set()
        self._targets: dict[str, list[Target]] = {}
        for target in topology.targets.values():
            self._targets.setdefault(target.host, []).append(target)
        self._taken = {address for host in self._hosts.values() for a in host.attachments for address in a.addresses}
        self._taken.update(address for name in self._hosts for address in self._literals(name))
        self._cidrs = [cidr for network in topology.networks.values() for cidr in network.cidrs]
        self._pools = tuple(self._free_in(pool, nested=self._cidrs) for pool in POOLS)

    def settle(self) -> World:
        for name, host in self._hosts.items():
            attachments = tuple(a if a.addresses else self._with_addresses(name, a) for a in host.attachments)
            self._hosts[name] = replace(host, attachments=attachments)
        self._declared = {address for host in self._hosts.values() for a in host.attachments for address in a.addresses}
        for name in sorted(self._topology.hosts):
            self._link(name)
        for name in self._topology.hosts:
            self._name(name)
        return World(networks=self._topology.networks, links=self._links, hosts=self._hosts)

    def _with_addresses(self, name: str, attachment: Attachment) -> Attachment:
        """The address that the file writes elsewhere (``ssh.host``, a target's address), else a free one."""
        cidrs = self._topology.networks[attachment.network].cidrs
        written = tuple(
            literal
            for literal in self._literals(name)
            if (any(literal in cidr for cidr in cidrs) if cidrs else not any(literal in each for each in self._cidrs))
        )
        return replace(attachment, addresses=written or tuple(self._free_on(cidrs)))

    def _free_on(self, cidrs: tuple[IPNetwork, ...]) -> Iterator[IPAddress]:
        if not cidrs:
            yield from (next(pool) for pool in self._pools)
        for version in (4, 6):
            for cidr in (each for each in cidrs if each.version == version):
                nested = [each for each in self._cidrs if each.version == version and each.prefixlen > cidr.prefixlen]
                if (address := next(self._free_in(cidr, nested), None)) is not None:
                    yield address
                    break

    def _free_in(self, cidr: IPNetwork, nested: Iterable[IPNetwork]) -> Iterator[IPAddress]:
        """Unused addresses of a cidr, from its end, where people seldom put anything."""
        avoid = [each for each in nested if each.version == cidr.version]
        last = min(int(cidr.broadcast_address) - 1, int(cidr.network_address) + 0xFFFE)
        for number in range(last, int(cidr.network_address), -1):
            address = type(cidr.network_address)(number)
            if address not in self._taken and not any(address in each for each in avoid):
                self._taken.add(address)
                yield address

    def _literals(self, name: str) -> tuple[IPAddress, ...]:
        """Addresses that the file writes for a host elsewhere than at its networks."""
        found = (parse_ip(text) for text in self._texts(name))
        return tuple(dict.fromkeys(each for each in found if each is not None))

    def _texts(self, name: str) -> Iterator[str]:
        """Host texts that mean this machine to whoever dials it."""
        host = self._hosts[name]
        if host.server and host.server.ssh.host:
            yield host.server.ssh.host
        for target in self._targets.get(name, ()):
            address = target.address
            if isinstance(address, Endpoint) and address.host not in (None, "*") and not is_loopback(address.host):
                yield address.host

    def _link(self, name: str) -> None:
        """Puts a host that no network of the file leads to together with those who dial it."""
        host = self._hosts[name]
        own = (each for each in host.attachments if each.network not in self._links)
        known = tuple(address for each in own for address in each.addresses)
        hidden = known if self._behind(name) else ()
        written = tuple(literal for literal in self._literals(name) if literal not in self._declared)
        if not (hidden or written or not known) or name == self._client:
            return
        link = f"link to {name}"
        addresses = hidden + written or (next(self._pools[0]),)
        cidrs = tuple(ip_network((address, address.max_prefixlen)) for address in addresses)
        self._links[link] = Network(name=link, cidrs=cidrs)
        self._attach(name, link, addresses)
        for dialer in self._dialers(name):
            self._attach(dialer, link, tuple(next(self._pools[v == 6]) for v in {a.version for a in addresses}))

    def _behind(self, name: str) -> tuple[str, ...]:
        own = (target.behind for target in self._targets.get(name, ()) if target.name == name)
        return tuple(dict.fromkeys((*self._hosts[name].behind, *chain.from_iterable(own))))

    def _dialers(self, name: str) -> list[str]:
        """Who reaches a host that is on no network: those it is behind; else a server is dialed by anybody, the
        machine of a target by servers only."""
        if behind := self._behind(name):
            return [each for each in behind if each != name]
        servers = [each for each, host in self._hosts.items() if host.server and each != name]
        if self._hosts[name].kind == "target":
            return servers
        return sorted({*servers, *(each for each, host in self._hosts.items() if host.kind == "client")} - {name})

    def _attach(self, name: str, network: str, addresses: tuple[IPAddress, ...]) -> None:
        host = self._hosts[name]
        attachments = (*host.attachments, Attachment(network=network, addresses=addresses))
        self._hosts[name] = replace(host, attachments=attachments)

    def _name(self, name: str) -> None:
        """What the file dials it by is a name of it too, on its link or, when it has none, everywhere."""
        host = self._hosts[name]
        link = f"link to {name}" if f"link to {name}" in self._links else None
        known = {canonical(each.text) for each in host.names}
        texts = [text for text in self._texts(name) if parse_ip(text) is None and canonical(text) not in known]
        names = tuple(DnsName(text=text, network=link) for text in dict.fromkeys(texts))
        self._hosts[name] = replace(host, names=host.names + names)
