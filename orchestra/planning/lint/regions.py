"""What packet-filter rules match, as sets of packets: what is said of a rule is true of every packet, not of samples.

A packet has a source, a destination, a port and a protocol. Each axis is cut wherever a rule of the list begins or
ends to match, so that no rule tells two packets of one piece apart. A set of pieces is the bits of an integer, and
what a rule matches is the product of four such sets.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, TypeAlias

from orchestra.graph import Party
from orchestra.graph.addresses import selects
from orchestra.graph.memo import remembered

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestra.graph import World
    from orchestra.model.address import IPNetwork
    from orchestra.model.topology import Rule, Selector

Box: TypeAlias = tuple[int, int, int, int]
"""A product of sets: sources, destinations, ports, protocols."""
Span: TypeAlias = tuple[int, int]
"""Numbers from the first up to, and without, the second."""

PORTS = 65536
PROTOCOLS = {"tcp": 1, "udp": 2, "any": 3}
WIDTHS = {4: 32, 6: 128}


class Regions:
    """The packets that each rule of one filter matches."""

    def __init__(self, world: World, rules: Sequence[Rule]) -> None:
        selectors = dict.fromkeys(each for rule in rules for each in (*rule.sources, *rule.destinations))
        ports = _cuts(PORTS, ((low, high + 1) for rule in rules for low, high in rule.ports))
        axes: list[_Addresses] = []
        for version in WIDTHS:
            axes.append(_Addresses(world, version, tuple(selectors), first=axes[-1].end if axes else 0))
        self._families = tuple(axis.everything for axis in axes)
        masks = {each: _union(axis.matched(each) for axis in axes) for each in selectors}
        self.boxes: tuple[Box, ...] = tuple(
            (
                _union(masks[each] for each in rule.sources),
                _union(masks[each] for each in rule.destinations),
                _union(_bits(ports, (low, high + 1)) for low, high in rule.ports or ((0, PORTS - 1),)),
                PROTOCOLS[rule.protocol],
            )
            for rule in rules
        )
        """By position. A packet's two addresses are of one family, which a box alone does not tell: see `packets`."""

    def packets(self, position: int) -> list[Box]:
        """What one rule matches, a box for each family; empty when it can match nothing at all."""
        sources, destinations, ports, protocols = self.boxes[position]
        return [
            (sources & family, destinations & family, ports, protocols)
            for family in self._families
            if sources & family and destinations & family
        ]


def without(box: Box, taken: Box) -> list[Box] | None:
    """What is left of a box when another takes its part; None when they have nothing in common."""
    if not all(mine & other for mine, other in zip(box, taken, strict=True)):
        return None
    left: list[Box] = []
    for axis, (mine, other) in enumerate(zip(box, taken, strict=True)):
        if mine & ~other:
            left.append(_with(box, axis, mine & ~other))
        box = _with(box, axis, mine & other)
    return left


def _with(box: Box, axis: int, bits: int) -> Box:
    changed = list(box)
    changed[axis] = bits
    return changed[0], changed[1], changed[2], changed[3]


class _Addresses:
    """The addresses of one family in pieces, two bits each: the part that networks with a cidr hold, and the rest,
    which is that of the networks without. After them a bit for each host that is named and whose address is not known.
    """

    def __init__(self, world: World, version: int, selectors: Sequence[Selector], first: int) -> None:
        self._world, self._version, self._first = world, version, first
        self._cuts = _cuts(1 << WIDTHS[version], (span for each in selectors for span in self._spans(each)))
        held = [_parts(world, version, span) for span in zip(self._cuts, self._cuts[1:], strict=False)]
        self._exists = sum(bits << 2 * piece for piece, bits in enumerate(held))
        self._unheld = self._exists & sum(2 << 2 * piece for piece in range(len(held)))
        self._unknown = _unknown_parties(world, version, selectors)
        self.end = first + 2 * len(held) + len(self._unknown)
        self.everything = (self._exists | (1 << self.end - first) - (1 << 2 * len(held))) << first

    def matched(self, selector: Selector) -> int:
        """The pieces that one ``from`` or ``to`` matches."""
        if selector.kind == "any":
            return self.everything
        pieces = _union(_bits(self._cuts, span, 2) for span in self._spans(selector)) & self._exists
        if selector.kind == "network" and selector.name in self._world.open_networks:
            pieces = self._unheld
        for number, party in enumerate(self._unknown, 2 * (len(self._cuts) - 1)):
            pieces |= selects(self._world, selector, party, self._version) << number
        return pieces << self._first

    def _spans(self, selector: Selector) -> list[Span]:
        """The addresses that a selector names."""
        world, version = self._world, self._version
        if selector.kind == "host":
            known = world.addresses.get(selector.name or "", frozenset())
            return [(int(each), int(each) + 1) for each in known if each.version == version]
        return [(int(each[0]), int(each[-1]) + 1) for each in cidrs_of(world, selector) if each.version == version]


def cidrs_of(world: World, selector: Selector) -> tuple[IPNetwork, ...]:
    """What a CIDR, or a network, stands for; empty for every other selector and for a network without cidr."""
    if selector.kind == "network" and selector.name is not None and selector.name in world.topology.networks:
        return world.topology.networks[selector.name].cidrs
    return (selector.cidr,) if selector.cidr is not None else ()


def _unknown_parties(world: World, version: int, selectors: Iterable[Selector]) -> list[Party]:
    """The named hosts as what is known of them where the file gives no address of this family."""
    parties: dict[Party, None] = {}
    for name in dict.fromkeys(each.name for each in selectors if each.kind == "host"):
        networks = world.networks_of(name)
        found = [Party(name, network, None) for network, known in networks.items() if not known]
        parties.update(dict.fromkeys(found if networks else [Party(name, None, None)]))
    return [each for each in parties if _may_be(world, each.network, version)]


def _may_be(world: World, network: str | None, version: int) -> bool:
    """Whether an address on a network may be of a family."""
    cidrs = world.topology.networks[network].cidrs if network is not None else ()
    return not cidrs or any(cidr.version == version for cidr in cidrs)


def _parts(world: World, version: int, span: Span) -> int:
    """Which parts a piece has: 1, addresses that a network with a cidr holds; 2, others."""
    starts, ends = _held_spans(world, version)
    nearest = bisect_right(starts, span[0]) - 1
    if nearest >= 0 and ends[nearest] >= span[1]:
        return 1
    inside = (nearest >= 0 and ends[nearest] > span[0]) or bisect_left(starts, span[1]) > nearest + 1
    return 3 if inside else 2


def is_held(world: World, cidr: IPNetwork) -> bool:
    """Whether networks with a cidr hold every address of it."""
    return _parts(world, cidr.version, (int(cidr[0]), int(cidr[-1]) + 1)) == 1


@remembered
def _held_spans(world: World, version: int) -> tuple[list[int], list[int]]:
    """The addresses of all networks with a cidr, as spans in order that do not touch: their starts and their ends."""
    cidrs = [each for network in world.topology.networks.values() for each in network.cidrs]
    starts: list[int] = []
    ends: list[int] = []
    for start, end in sorted((int(each[0]), int(each[-1]) + 1) for each in cidrs if each.version == version):
        if not ends or start > ends[-1]:
            starts.append(start)
            ends.append(end)
        else:
            ends[-1] = max(ends[-1], end)
    return starts, ends


def _cuts(end: int, spans: Iterable[Span]) -> list[int]:
    return sorted({0, end}.union(*spans))


def _bits(cuts: Sequence[int], span: Span, width: int = 1) -> int:
    """The pieces between two cuts."""
    first, last = bisect_left(cuts, span[0]) * width, bisect_left(cuts, span[1]) * width
    return (1 << last) - (1 << first)


def _union(sets: Iterable[int]) -> int:
    found = 0
    for each in sets:
        found |= each
    return found
