"""Judgements in words: one sentence for everything that a dial meets, with the line of the file that decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.graph.filters import NearMiss, filter_of, near_misses, opposite, ports_text, selectors_text
from orchestra.graph.memo import remembered
from orchestra.model.plan import Reason

if TYPE_CHECKING:
    from orchestra.graph.filters import FilterKind, Flow, PacketFilter
    from orchestra.graph.judge import Judgement, Step
    from orchestra.graph.world import World
    from orchestra.model.topology import Rule


def reasons(world: World, judgement: Judgement) -> tuple[Reason, ...]:
    """Why a dial passes or does not; under each filter that denies, the nearest rules and where they differ."""
    return tuple(reason for step in judgement.steps for reason in explain(world, judgement, step))


def explain(world: World, judgement: Judgement, step: Step) -> tuple[Reason, ...]:
    """One step in words."""
    said = Reason(text=_sentence(world, judgement, step), passes=step.passes, place=step.place)
    if step.passes or step.kind not in ("rules", "inbound"):
        return (said,)
    return (said, *(_hints(world, step.at, step.kind, step.flow) if step.flow else ()))


def code_of(world: World, step: Step) -> Code:
    """The code of a step that denies; FIREWALL_WRONG_DIRECTION when the firewall lets the opposite way pass."""
    if step.kind == "rules" and step.flow is not None and _opposite(world, step.at, step.flow):
        return Code.FIREWALL_WRONG_DIRECTION
    return step.code or Code.NO_ROUTE_DECLARED


def filter_at(world: World, step: Step) -> PacketFilter:
    """The filter at a step."""
    return filter_of(world, step.at, "inbound" if step.kind == "inbound" else "rules")


def rule_text(rule: Rule) -> str:
    """A rule as people call it: by name, else by what it says."""
    if rule.name:
        return f"rule {rule.name!r}"
    ports = f" port {ports_text(rule)}" if rule.ports else ""
    what = f"{rule.action} {selectors_text(rule.sources)} to {selectors_text(rule.destinations)}{ports}"
    return f"rule {rule.index + 1} ({what})"


def _sentence(world: World, judgement: Judgement, step: Step) -> str:
    texts = {
        "own": _own,
        "network": _network,
        "rules": _filter,
        "inbound": _filter,
        "nat": _nat,
        "hidden": _hidden,
        "hairpin": _hairpin,
        "assumed": _assumed,
        "stuck": _stuck,
    }
    return texts[step.kind](world, judgement, step)


def _own(_world: World, judgement: Judgement, step: Step) -> str:
    return f"{step.detail} dialed by {judgement.dialer} is {judgement.dialer}"


def _network(_world: World, judgement: Judgement, step: Step) -> str:
    if step.flow is not None and step.flow.destination.network == step.detail:
        return f"{judgement.dialer} is on {step.detail} itself"
    return f"{judgement.dialer} leaves by {step.detail}"


def _filter(_world: World, _judgement: Judgement, step: Step) -> str:
    what = f"inbound of {step.at}" if step.kind == "inbound" else step.at
    if step.rule is None:
        return f"{what} has no rule that allows {step.flow}"
    return f"{rule_text(step.rule)} of {what} {'allows' if step.passes else 'denies'} {step.flow}"


def _nat(_world: World, _judgement: Judgement, step: Step) -> str:
    if step.entry is None:
        return ""
    entry = step.entry
    return f"{step.at} hands what arrives from {entry.network} at port {entry.port} to {entry.host}:{entry.to_port}"


def _hidden(_world: World, _judgement: Judgement, step: Step) -> str:
    whom = step.flow.destination if step.flow else "it"
    return f"{step.at} masquerades what leaves by {step.detail}: from there {whom} is reached by nat only"


def _hairpin(_world: World, _judgement: Judgement, step: Step) -> str:
    source = step.flow.source.address if step.flow else None
    bears = f"{source}, an address of its own," if source else "its own address"
    return f"{step.at} sends it back to {step.detail}, which sees {bears} as the source and does not answer"


def _assumed(_world: World, judgement: Judgement, step: Step) -> str:
    if step.code is Code.ASSUMED_NAME_RESOLVES:
        return f"assumed: {judgement.dialer} resolves {step.detail} and reaches it"
    return f"assumed: {judgement.dialer} reaches {step.detail}, which nobody declared"


def _stuck(_world: World, _judgement: Judgement, step: Step) -> str:
    return step.detail


@remembered
def _opposite(world: World, host: str, flow: Flow) -> Rule | None:
    return opposite(world, filter_of(world, host, "rules"), flow)


@remembered
def _hints(world: World, host: str, kind: FilterKind, flow: Flow) -> tuple[Reason, ...]:
    """What is said under a filter that denies a flow: one path may be told several times."""
    near = tuple(_near(miss) for miss in near_misses(world, filter_of(world, host, kind), flow))
    back = _opposite(world, host, flow) if kind == "rules" else None
    if back is None:
        return near
    text = f"the opposite way passes: {rule_text(back)} of {host}"
    return (Reason(text=text, passes=False, place=back.place, hint=True), *near)


def _near(miss: NearMiss) -> Reason:
    differs = " and ".join(f"`{field}`" for field in miss.differs) or "its position, after the rule that denies"
    text = f"nearest: {rule_text(miss.rule)} differs in {differs}"
    return Reason(text=text, passes=False, place=miss.rule.place, hint=True)
