"""Packet filters: the first rule that matches decides; none matches: deny."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orchestra.graph.addresses import Party, selects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.graph.world import World
    from orchestra.model.topology import Rule

SSH_PORT = 22
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
class NearMiss:
    """An allowing rule that does not match, and the fields in which it differs: few first."""

    rule: Rule
    differs: tuple[str, ...]


def near_misses(world: World, rules: Iterable[Rule], flow: Flow) -> tuple[NearMiss, ...]:
    """The allowing rules nearest to a flow that was denied."""
    missed = [
        NearMiss(rule, differs) for rule in rules if rule.action == "allow" if (differs := _differs(world, rule, flow))
    ]
    missed = [miss for miss in missed if len(miss.differs) < 3]
    return tuple(sorted(missed, key=lambda miss: (len(miss.differs), miss.rule.index))[:NEAREST])


def opposite(world: World, rules: tuple[Rule, ...], flow: Flow) -> Rule | None:
    """The rule that lets the same connection, or one by ssh, pass the other way round and only that way."""
    for port in dict.fromkeys((flow.port, SSH_PORT)):
        back = Flow(flow.destination, flow.source, port, flow.protocol)
        rule = deciding_rule(world, rules, back)
        if rule is not None and rule.action == "allow" and not allowed(world, rules, replace(flow, port=port)):
            return rule
    return None


def _differs(world: World, rule: Rule, flow: Flow) -> tuple[str, ...]:
    matches = {
        "from": any(selects(world, each, flow.source, flow.version) for each in rule.sources),
        "to": any(selects(world, each, flow.destination, flow.version) for each in rule.destinations),
        "ports": _port_matches(rule, flow),
        "protocol": _protocol_matches(rule, flow),
    }
    return tuple(name for name, same in matches.items() if not same)


def _port_matches(rule: Rule, flow: Flow) -> bool:
    return not rule.ports or any(low <= flow.port <= high for low, high in rule.ports)


def _protocol_matches(rule: Rule, flow: Flow) -> bool:
    return rule.protocol in ("any", flow.protocol)
