"""Rules that never decide: every packet that they match meets an earlier rule first, one or several together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.diagnostics import Code, Diagnostic
from orchestra.graph.reasons import rule_text
from orchestra.planning.lint.regions import Regions, without

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestra.graph import World
    from orchestra.model.topology import Rule
    from orchestra.planning.lint.regions import Box

NAMED = 3
"""Rules that a message names."""
FRAGMENTS = 2_000
"""Pieces of one rule that are followed. Nothing is said of a rule that earlier ones cut into more."""


def shadowed_rules(world: World) -> Iterator[Diagnostic]:
    """Every rule that can match and never decides, with those that decide in its place."""
    for host in world.hosts.values():
        for what, rules in ((host.name, host.rules), (f"inbound of {host.name}", host.inbound)):
            for rule, deciders in shadows(world, rules) if rules else ():
                yield _shadowed(what, rule, deciders)


def shadows(world: World, rules: Sequence[Rule]) -> Iterator[tuple[Rule, tuple[Rule, ...]]]:
    """The rules that never decide, each with those that decide what it matches, in their order."""
    regions = Regions(world, rules)
    covered: Box = (0, 0, 0, 0)
    for position, rule in enumerate(rules):
        packets = regions.packets(position)
        # most rules reach beyond all earlier ones together on some axis, which is quick to see
        if packets and all(not _beyond(box, covered) for box in packets):
            deciders = _deciders(packets, regions.boxes[:position])
            if deciders is not None:
                yield rule, tuple(rules[each] for each in deciders)
        covered = _joined(covered, regions.boxes[position])


def _beyond(box: Box, covered: Box) -> bool:
    return any(mine & ~theirs for mine, theirs in zip(box, covered, strict=True))


def _joined(one: Box, other: Box) -> Box:
    return one[0] | other[0], one[1] | other[1], one[2] | other[2], one[3] | other[3]


def _deciders(packets: list[Box], earlier: Sequence[Box]) -> list[int] | None:
    """The rules that come first for some packet, when there is one for every packet."""
    found: list[int] = []
    for position, taken in enumerate(earlier):
        left: list[Box] = []
        for box in packets:
            rest = without(box, taken)
            left += [box] if rest is None else rest
            if rest is not None and position not in found[-1:]:
                found.append(position)
        packets = left
        if not packets:
            return found
        if len(packets) > FRAGMENTS:
            return None
    return None


def _shadowed(what: str, rule: Rule, deciders: tuple[Rule, ...]) -> Diagnostic:
    others = [each for each in deciders if each.action != rule.action]
    named = [_with_line(each) for each in _worth_naming(deciders, others)]
    if len(deciders) > len(named):
        named.append(f"{len(deciders) - len(named)} more")
    takes = "takes" if len(deciders) == 1 else "together take"
    text = f"{rule_text(rule)} of {what} never matches: {' and '.join(named)} {takes} all of it first"
    verb = "denied" if rule.action == "allow" else "allowed"
    whole = "" if len(others) == len(deciders) else "some of "
    return Diagnostic(
        code=Code.RULE_SHADOWED,
        severity="warning" if others else "info",
        message=f"{text}, so that {whole}what it would {rule.action} is {verb}" if others else text,
        place=rule.place,
        suggestion=f"move it in front of {_with_line(others[0])}" if others else "leave it out: nothing changes",
    )


def _worth_naming(deciders: tuple[Rule, ...], others: list[Rule]) -> list[Rule]:
    """The first few, with one among them that does otherwise, if any does."""
    named = list(deciders[:NAMED])
    if others and others[0] not in named:
        named[-1] = others[0]
    return named


def _with_line(rule: Rule) -> str:
    return f"{rule_text(rule)} ({rule.place})" if rule.place else rule_text(rule)
