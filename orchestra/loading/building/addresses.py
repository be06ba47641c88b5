"""Addresses against networks, and against one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestra.diagnostics import Code, KeyPath
from orchestra.loading.building.scope import Scope
from orchestra.model.address import IPAddress
from orchestra.model.topology import Host, Network

_SECTIONS = {"client": "clients", "firewall": "firewalls", "server": "servers", "target": "targets"}


def check_addresses(scope: Scope, networks: Mapping[str, Network], hosts: Mapping[str, Host]) -> None:
    """Reports ADDRESS_OUTSIDE_NETWORK and DUPLICATE_ADDRESS."""
    prefixes = _Prefixes(networks)
    owners: dict[tuple[str, IPAddress], list[Host]] = {}
    for host, network, address, path in _addresses(hosts):
        declared = networks.get(network)
        if declared is not None and (reason := _outside(declared, address, prefixes)):
            scope.error(Code.ADDRESS_OUTSIDE_NETWORK, f"{address} {reason}", path, _inside(declared))
        others = owners.setdefault((network, address), [])
        clash = next((other for other in others if not _two_accounts(host, other)), None)
        if clash is not None:
            scope.error(
                Code.DUPLICATE_ADDRESS,
                f"{address} on {network!r} is {clash.name}'s already ({clash.place})"
                if clash is not host
                else f"{address} stands here twice",
                path,
                _apart(host, clash),
            )
        others.append(host)


def _addresses(hosts: Mapping[str, Host]) -> Iterator[tuple[Host, str, IPAddress, KeyPath]]:
    for host in hosts.values():
        for attachment in host.attachments:
            for index, address in enumerate(attachment.addresses):
                path = (_SECTIONS[host.kind], host.name, "networks", attachment.network, index)
                yield host, attachment.network, address, path


class _Prefixes:
    """Finds the network that holds an address, by the lengths of prefixes that there are."""

    def __init__(self, networks: Mapping[str, Network]) -> None:
        self.found: dict[tuple[int, int], dict[int, str]] = {}
        for network in networks.values():
            for cidr in network.cidrs:
                shift = cidr.max_prefixlen - cidr.prefixlen
                self.found.setdefault((cidr.version, shift), {})[int(cidr.network_address) >> shift] = network.name

    def holder(self, address: IPAddress) -> str | None:
        number = int(address)
        for (version, shift), names in self.found.items():
            if version == address.version and (name := names.get(number >> shift)):
                return name
        return None


def _outside(network: Network, address: IPAddress, prefixes: _Prefixes) -> str | None:
    if not network.cidrs:
        holder = prefixes.holder(address)
        return f"belongs to the network {holder!r}, not to {network.name!r}" if holder else None
    if any(address in cidr for cidr in network.cidrs):
        return None
    return f"is outside the network {network.name!r}"


def _inside(network: Network) -> str:
    cidrs = ", ".join(map(str, network.cidrs))
    return f"{network.name} is {cidrs}" if cidrs else f"{network.name} has every address that no other network contains"


def _two_accounts(host: Host, other: Host) -> bool:
    """Whether both are servers, of different users: two accounts of one machine."""
    if host.kind != "server" or other.kind != "server" or host.server is None or other.server is None:
        return False
    users = {host.server.ssh.user, other.server.ssh.user}
    return len(users) == 2 and None not in users


def _apart(host: Host, other: Host) -> str:
    if host is other:
        return "remove one of them"
    if host.kind == "target" or other.kind == "target":
        target, machine = (host, other) if host.kind == "target" else (other, host)
        return f"if {target.name} runs on {machine.name}, write `host: {machine.name}` in place of its networks"
    if host.kind == other.kind == "server":
        return "two accounts of one machine have different `ssh.user`"
    return "an address belongs to one host"
