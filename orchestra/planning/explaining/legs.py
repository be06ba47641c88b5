"""Attempts as legs of an explanation: one check for everything that a dial meets, with the rules that come near."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.graph import code_of, explain, filter_at, near_misses, opposite, rule_text
from orchestra.graph.filters import compared
from orchestra.planning.dials import as_dial, missing_rule
from orchestra.planning.explaining.explanation import Check, Leg, NearRule
from orchestra.planning.problems import SUGGESTIONS

if TYPE_CHECKING:
    from typing import Literal

    from orchestra.graph import Flow, Judgement, Step
    from orchestra.model.topology import Rule
    from orchestra.planning.context import Context
    from orchestra.planning.dials import Attempt
    from orchestra.planning.problems import Problem


def leg(context: Context, kind: Literal["ssh", "dial", "use"], made: Attempt) -> Leg:
    """A dial with everything that it meets: the way of its packets first, then what server and file say."""
    steps = made.judgement.steps if made.judgement else ()
    on_way = tuple(_check(context, made.judgement, step) for step in steps if made.judgement)
    told = {check.text for check in on_way}
    further = tuple(_of_problem(problem) for problem in made.further if problem.text not in told)
    return Leg(kind=kind, dial=as_dial(context, made), checks=(*on_way, *further))


def _of_problem(problem: Problem) -> Check:
    return Check(
        kind="sshd" if problem.missing is not None else "topology",
        at=problem.at,
        passes=False,
        text=problem.text,
        place=problem.place,
        code=problem.code,
        missing=problem.missing,
        suggestion=problem.suggestion or SUGGESTIONS.get(problem.code),
    )


def _check(context: Context, judgement: Judgement, step: Step) -> Check:
    world = context.world
    said = explain(world, judgement, step)[0]
    rule = rule_text(step.rule) if step.rule else None
    if step.passes:
        code = step.code if step.kind == "assumed" else None
        return Check(kind=step.kind, at=step.at, passes=True, text=said.text, place=step.place, code=code, rule=rule)
    code = code_of(world, step)
    near, back = _compared(context, step) if step.permission and step.flow else ((), None)
    return Check(
        kind=step.kind,
        at=step.at,
        passes=False,
        text=said.text,
        place=step.place,
        code=code,
        rule=rule,
        near=near,
        opposite=back,
        missing=missing_rule(context, step),
        suggestion=SUGGESTIONS.get(code),
    )


def _compared(context: Context, step: Step) -> tuple[tuple[NearRule, ...], NearRule | None]:
    flow, rules = step.flow, filter_at(context.world, step)
    if flow is None:
        return (), None
    near = tuple(
        NearRule(rule=rule_text(miss.rule), fields=miss.fields, place=miss.rule.place)
        for miss in near_misses(context.world, rules, flow)
    )
    back = opposite(context.world, rules, flow) if step.kind == "rules" else None
    return near, _near(context, back, flow) if back else None


def _near(context: Context, rule: Rule, flow: Flow) -> NearRule:
    return NearRule(rule=rule_text(rule), fields=compared(context.world, rule, flow), place=rule.place)
