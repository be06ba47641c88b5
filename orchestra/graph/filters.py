"""Packet filters: the first rule that matches decides; none matches: deny."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from orchestra.graph.addresses import Party, selects
from orchestra.graph.memo import remembered
from orchestra.model.address import SSH_PORT
from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestra.graph.world import World
    from orchestra.model.topology import Rule, Selector

NEAREST = 3
"""How many near misses are worth telling."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A connection as one filter sees it: after destination nat, before the filter's own masquerade."""

    source: Party
    destination: Party
    port: int
    protocol: str

    @property
    def version(self) -> int | None:
        """The family that its addresses are of; None when neither is known."""
        known = self.destination.address or self.source.address
        return known.version if known else None

    def __str__(self) -> str:
        return f"{self.source} to {self.destination} port {self.port}/{self.protocol}"


FilterKind: TypeAlias = Literal["rules", "inbound"]
"""What a firewall does with what passes through it, and what a host does with what is addressed to it."""
AddressKey: TypeAlias = tuple[int, int]
"""An address as its family and its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketFilter:
    """Ordered rules, of which the first that matches decides; made by :func:`packet_filter`.

    Each is filed once, by position: under the addresses it leads to where it names every one of them, else under its
    ports where it names every one of those, else among the others. So a flow meets few of many.
    """

    rules: tuple[Rule, ...]
    to_address: dict[AddressKey, list[int]]
    to_port: dict[int, list[int]]
    others: list[int]

    def candidates(self, flow: Flow) -> Iterable[Rule]:
        """The rules that may match a flow, in order. One whose destination is not known may match any."""
        address = flow.destination.address
        if address is None:
            return self.rules
        to_address = self.to_address.get((address.version, int(address)), ())
        return [self.rules[each] for each in sorted((*to_address, *self.to_port.get(flow.port, ()), *self.others))]


def packet_filter(world: World, rules: Iterable[Rule]) -> PacketFilter:
    """Files rules."""
    filed = PacketFilter(rules=tuple(rules), to_address={}, to_port={}, others=[])
    for position, rule in enumerate(filed.rules):
        addresses = [_addresses(world, each) for each in rule.destinations]
        if None not in addresses:
            for key in {key for each in addresses for key in each or ()}:
                filed.to_address.setdefault(key, []).append(position)
        elif rule.ports and all(low == high for low, high in rule.ports):
            for port in {low for low, _ in rule.ports}:
                filed.to_port.setdefault(port, []).append(position)
        else:
            filed.others.append(position)
    return filed


def _addresses(world: World, selector: Selector) -> list[AddressKey] | None:
    """The known addresses that a selector matches; None when they are too many to name."""
    if selector.kind == "host":
        return [(each.version, int(each)) for each in world.addresses.get(selector.name or "", ())]
    if selector.cidr is not None and selector.cidr.num_addresses == 1:
        return [(selector.cidr.version, int(selector.cidr.network_address))]
    return None


@remembered
def filter_of(world: World, host: str, kind: FilterKind) -> PacketFilter:
    """One of the filters of a host."""
    found = world.hosts[host]
    return packet_filter(world, found.rules if kind == "rules" else found.inbound or ())


def deciding_rule(world: World, rules: PacketFilter, flow: Flow) -> Rule | None:
    """The first rule that matches; None when none does."""
    for rule in rules.candidates(flow):
        if _protocol_matches(rule, flow) and _port_matches(rule, flow) and all(_ends_match(world, rule, flow)):
            return rule
    return None


def allowed(world: World, rules: PacketFilter, flow: Flow) -> bool:
    """Whether the filter lets it pass."""
    rule = deciding_rule(world, rules, flow)
    return rule is not None and rule.action == "allow"


@dataclass(frozen=True, slots=True)
class FieldMatch:
    """One field of a rule beside a flow: whether it matches, what the rule says there, and what the flow is."""

    name: Literal["from", "to", "port", "protocol"]
    matches: bool
    rule: str
    flow: str


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An allowing rule that did not decide; all fields match when an earlier rule denies."""

    rule: Rule
    fields: tuple[FieldMatch, ...]

    @property
    def differs(self) -> tuple[str, ...]:
        """The fields in which it differs, as they are called in the file."""
        return tuple("ports" if each.name == "port" else each.name for each in self.fields if not each.matches)


def near_misses(world: World, rules: PacketFilter, flow: Flow) -> tuple[NearMiss, ...]:
    """The allowing rules nearest to a flow that was denied: those that differ in few fields, at most two."""
    allowing = (
        (_fields(world, rule, flow).count(False), rule.index, rule) for rule in rules.rules if rule.action == "allow"
    )
    nearest = sorted((each for each in allowing if each[0] < 3), key=lambda each: each[:2])[:NEAREST]
    return tuple(NearMiss(rule, compared(world, rule, flow)) for *_, rule in nearest)


def compared(world: World, rule: Rule, flow: Flow) -> tuple[FieldMatch, ...]:
    """Every field of a rule beside the flow: from, to, port, protocol."""
    from_, to, port, protocol = _fields(world, rule, flow)
    return (
        FieldMatch("from", from_, selectors_text(rule.sources), str(flow.source)),
        FieldMatch("to", to, selectors_text(rule.destinations), str(flow.destination)),
        FieldMatch("port", port, ports_text(rule) or "any", str(flow.port)),
        FieldMatch("protocol", protocol, rule.protocol, flow.protocol),
    )


def opposite(world: World, rules: PacketFilter, flow: Flow) -> Rule | None:
    """The rule that lets the same connection, or one by ssh, pass the other way round and only that way."""
    for port in dict.fromkeys((flow.port, SSH_PORT)):
        back = Flow(flow.destination, flow.source, port, flow.protocol)
        rule = deciding_rule(world, rules, back)
        if rule is not None and rule.action == "allow" and not allowed(world, rules, replace(flow, port=port)):
            return rule
    return None


def selectors_text(selectors: tuple[Selector, ...]) -> str:
    """As written, in one line."""
    return ", ".join(each.text for each in selectors)


def ports_text(rule: Rule) -> str:
    """``22, 8000-8100``; empty: every port."""
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in rule.ports)


def _fields(world: World, rule: Rule, flow: Flow) -> tuple[bool, bool, bool, bool]:
    """Whether a rule matches by its from, to, port and protocol."""
    from_, to = _ends_match(world, rule, flow)
    return from_, to, _port_matches(rule, flow), _protocol_matches(rule, flow)


def _ends_match(world: World, rule: Rule, flow: Flow) -> Iterator[bool]:
    version = flow.version
    yield any(selects(world, each, flow.source, version) for each in rule.sources)
    yield any(selects(world, each, flow.destination, version) for each in rule.destinations)


def _port_matches(rule: Rule, flow: Flow) -> bool:
    return not rule.ports or any(low <= flow.port <= high for low, high in rule.ports)


def _protocol_matches(rule: Rule, flow: Flow) -> bool:
    return rule.protocol in ("any", flow.protocol)
