"""Rules that never decide, because one rule before them matches everything that they match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.diagnostics import Code, Diagnostic
from orchestra.graph.reasons import rule_text
from orchestra.model.address import IPNetwork

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.graph import World
    from orchestra.model.topology import Rule, Selector


def shadowed_rules(world: World) -> tuple[Diagnostic, ...]:
    """Every shadowed rule, with the rule in front of it. What differs in action is worth a warning, else an info."""
    return tuple(
        _shadowed(host.name, rule, earlier)
        for host in world.hosts.values()
        for rules in (host.rules, host.inbound or ())
        for rule, earlier in _pairs(world, rules)
    )


def _pairs(world: World, rules: tuple[Rule, ...]) -> Iterator[tuple[Rule, Rule]]:
    for position, rule in enumerate(rules):
        for earlier in rules[:position]:
            if _covers_rule(world, earlier, rule):
                yield rule, earlier
                break


def _shadowed(host: str, rule: Rule, earlier: Rule) -> Diagnostic:
    differs = rule.action != earlier.action
    where = f" ({earlier.place})" if earlier.place else ""
    return Diagnostic(
        code=Code.RULE_SHADOWED,
        severity="warning" if differs else "info",
        message=f"{rule_text(rule)} of {host} never decides: {rule_text(earlier)}{where} matches all that it matches",
        place=rule.place,
        suggestion="move it in front" if differs else "leave it out",
    )


def _covers_rule(world: World, wide: Rule, narrow: Rule) -> bool:
    return (
        wide.protocol in ("any", narrow.protocol)
        and _covers_ports(wide.ports, narrow.ports)
        and all(any(_covers(world, each, one) for each in wide.sources) for one in narrow.sources)
        and all(any(_covers(world, each, one) for each in wide.destinations) for one in narrow.destinations)
    )


def _covers_ports(wide: tuple[tuple[int, int], ...], narrow: tuple[tuple[int, int], ...]) -> bool:
    if not wide:
        return True
    return bool(narrow) and all(any(low <= first and last <= high for low, high in wide) for first, last in narrow)


def _covers(world: World, wide: Selector, narrow: Selector) -> bool:
    if wide.kind == "any" or (wide.kind, wide.name, wide.cidr) == (narrow.kind, narrow.name, narrow.cidr):
        return True
    outer, inner = _cidrs(world, wide), _cidrs(world, narrow)
    return bool(outer and inner) and all(any(_within(part, whole) for whole in outer) for part in inner)


def _cidrs(world: World, selector: Selector) -> tuple[IPNetwork, ...]:
    """The addresses that a selector stands for; empty when they are not all known."""
    if selector.kind == "network" and selector.name is not None and selector.name in world.topology.networks:
        return world.topology.networks[selector.name].cidrs
    return (selector.cidr,) if selector.cidr is not None else ()


def _within(inner: IPNetwork, outer: IPNetwork) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]
