"""Packet filters: the first rule that matches decides; none matches: deny."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from orchestra.graph.addresses import Party, selects
from orchestra.model.address import SSH_PORT
from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def deciding_rule(world: World, rules: Iterable[Rule], flow: Flow) -> Rule | None:
    """The first rule that matches; None when none does."""
    for rule in rules:
        if (
            _protocol_matches(rule, flow)
            and _port_matches(rule, flow)
            and any(selects(world, each, flow.source, flow.version) for each in rule.sources)
            and any(selects(world, each, flow.destination, flow.version) for each in rule.destinations)
        ):
            return rule
    return None


def allowed(world: World, rules: Iterable[Rule], flow: Flow) -> bool:
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


def near_misses(world: World, rules: Iterable[Rule], flow: Flow) -> tuple[NearMiss, ...]:
    """The allowing rules nearest to a flow that was denied: those that differ in few fields, at most two."""
    missed = [NearMiss(rule, compared(world, rule, flow)) for rule in rules if rule.action == "allow"]
    missed = [miss for miss in missed if len(miss.differs) < 3]
    return tuple(sorted(missed, key=lambda miss: (len(miss.differs), miss.rule.index))[:NEAREST])


def compared(world: World, rule: Rule, flow: Flow) -> tuple[FieldMatch, ...]:
    """Every field of a rule beside the flow: from, to, port, protocol."""
    sources, destinations = selectors_text(rule.sources), selectors_text(rule.destinations)
    from_ = any(selects(world, each, flow.source, flow.version) for each in rule.sources)
    to = any(selects(world, each, flow.destination, flow.version) for each in rule.destinations)
    return (
        FieldMatch("from", from_, sources, str(flow.source)),
        FieldMatch("to", to, destinations, str(flow.destination)),
        FieldMatch("port", _port_matches(rule, flow), ports_text(rule) or "any", str(flow.port)),
        FieldMatch("protocol", _protocol_matches(rule, flow), rule.protocol, flow.protocol),
    )


def opposite(world: World, rules: tuple[Rule, ...], flow: Flow) -> Rule | None:
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


def _port_matches(rule: Rule, flow: Flow) -> bool:
    return not rule.ports or any(low <= flow.port <= high for low, high in rule.ports)


def _protocol_matches(rule: Rule, flow: Flow) -> bool:
    return rule.protocol in ("any", flow.protocol)
