"""Addresses for hosts whose own are unknown: free ones, that collide with nothing in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network

from orchestra.model.address import IPAddress, IPNetwork

_IPV4_POOLS = ("198.18.0.0/15", "203.0.113.0/24", "192.0.2.0/24", "100.64.0.0/10", "240.0.0.0/8")
"""Benchmarking (RFC 2544), documentation (RFC 5737), shared (RFC 6598), reserved: the first that the file leaves."""
_IPV6_POOLS = ("2001:2::/48", "2001:db8:ffff:ffff::/64", "fd6f:7263:6865::/48")


class Pools:
    """Hands out addresses, each once: of a network's own ranges from their upper end, else of a range of the lab's."""

    def __init__(self, cidrs: Sequence[IPNetwork], declared: Iterable[IPAddress]) -> None:
        self._used = set(declared)
        self._free = tuple(_first_clear(pools, cidrs) for pools in (_IPV4_POOLS, _IPV6_POOLS))
        self._walks: dict[IPNetwork, Iterator[IPAddress]] = {}

    def choose(self, cidrs: Sequence[IPNetwork]) -> tuple[IPAddress, ...]:
        """One of each family that the ranges have, of both for none; fewer where a range is used up."""
        ranges = {cidr.version: cidr for cidr in reversed(cidrs)} if cidrs else {n.version: n for n in self._free}
        chosen = (self._next(range_) for _, range_ in sorted(ranges.items()))
        return tuple(address for address in chosen if address is not None)

    def _next(self, range_: IPNetwork) -> IPAddress | None:
        walk = self._walks.setdefault(range_, _downwards(range_))
        for address in walk:
            if address not in self._used:
                self._used.add(address)
                return address
        return None


def host_network(address: IPAddress) -> IPNetwork:
    """The network that holds just this address."""
    return IPv4Network(address) if address.version == 4 else IPv6Network(address)


def _first_clear(pools: Sequence[str], cidrs: Sequence[IPNetwork]) -> IPNetwork:
    networks = [ip_network(pool) for pool in pools]
    for network in networks:
        if not any(network.version == cidr.version and network.overlaps(cidr) for cidr in cidrs):
            return network
    return networks[-1]


def _downwards(range_: IPNetwork) -> Iterator[IPAddress]:
    """From the upper end; without the broadcast and the network address where there are such."""
    spare = 1 if range_.num_addresses > 2 else 0
    for offset in range(range_.num_addresses - 1 - spare, spare - 1, -1):
        yield range_[offset]
