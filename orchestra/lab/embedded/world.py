"""Every machine with its addresses and names, as the packet walk and the listeners need them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from itertools import chain

from orchestra.model.address import LOOPBACKS, IPAddress, is_loopback, parse_ip
from orchestra.model.topology import Host, Network


@dataclass(frozen=True)
class World:
    """Every host with its addresses. ``links`` are networks of the lab's own; the file's rules do not know them."""

    networks: Mapping[str, Network]
    links: Mapping[str, Network]
    hosts: Mapping[str, Host]

    def addresses(self, host: str, network: str | None = None) -> tuple[IPAddress, ...]:
        """All addresses of a host, or those on one network."""
        attachments = self.hosts[host].attachments
        return tuple(a for each in attachments if network in (None, each.network) for a in each.addresses)

    def attached(self, host: str) -> tuple[str, ...]:
        """The networks and links of a host, sorted."""
        return tuple(sorted({each.network for each in self.hosts[host].attachments}))

    def owner(self, network: str, address: IPAddress) -> str | None:
        """Who has an address on a network. Of several accounts of one machine, the first by name."""
        return self._owners.get((network, address))

    def machine(self, host: str) -> str:
        """The name that stands for a host's machine: accounts of one machine share it."""
        return self._machines.get(host, host)

    def holding(self, address: IPAddress) -> tuple[str, ...]:
        """The networks and links with the longest prefix that contains an address; else those without cidr."""
        found = [
            (cidr.prefixlen, name)
            for name, network in chain(self.networks.items(), self.links.items())
            for cidr in network.cidrs
            if address in cidr
        ]
        if not found:
            return tuple(sorted(name for name, network in self.networks.items() if not network.cidrs))
        longest = max(found)[0]
        return tuple(sorted({name for length, name in found if length == longest}))

    def lies_in(self, address: IPAddress, network: str) -> bool:
        """Whether an address lies in a network of the file, however far away it is."""
        cidrs = self.networks[network].cidrs
        if cidrs:
            return any(address in cidr for cidr in cidrs)
        return not any(address in cidr for other in self.networks.values() for cidr in other.cidrs)

    def resolve(self, dialer: str, text: str) -> tuple[IPAddress, ...]:
        """The addresses that a host text means to a dialer, in the order to try them; none: not resolved."""
        if address := parse_ip(text):
            return (address,)
        if is_loopback(text):
            return tuple(ip_address(each) for each in LOOPBACKS)
        near = self.attached(dialer)
        found: dict[IPAddress, bool] = {}
        for host, network in self._names.get(canonical(text), ()):
            if network is None or network in near:
                for each in self.hosts[host].attachments:
                    if network is None or network == each.network:
                        found.update(dict.fromkeys(each.addresses, each.network not in near))
        return tuple(sorted(found, key=lambda address: found[address]))

    @cached_property
    def _owners(self) -> dict[tuple[str, IPAddress], str]:
        return {
            (each.network, address): name
            for name, host in sorted(self.hosts.items(), reverse=True)
            for each in host.attachments
            for address in each.addresses
        }

    @cached_property
    def _machines(self) -> dict[str, str]:
        return {
            name: min(self._owners[each.network, address] for each in host.attachments for address in each.addresses)
            for name, host in self.hosts.items()
            if any(each.addresses for each in host.attachments)
        }

    @cached_property
    def _names(self) -> dict[str, list[tuple[str, str | None]]]:
        names: dict[str, list[tuple[str, str | None]]] = {}
        for name, host in sorted(self.hosts.items()):
            for each in host.names:
                names.setdefault(canonical(each.text), []).append((name, each.network))
        return names


def canonical(name: str) -> str:
    """A DNS name as it is compared: letter case and a last dot carry no meaning (RFC 4343)."""
    return name.lower().rstrip(".")
