"""``orchestra plan``: what would be opened, and why; nothing is."""

from __future__ import annotations

from orchestra.cli.console import Console
from orchestra.cli.errors import TopologyRejected, report
from orchestra.cli.exits import exit_of_plan
from orchestra.cli.explain import tell_unmet, unmet_of
from orchestra.cli.options import AllowExec, Alternatives, Format, Output, Selection, Source
from orchestra.cli.reading import read_plan, with_diagnostics


def plan(
    console: Console,
    source: Source,
    selection: Selection,
    output: Output = Format.TEXT,
    alternatives: Alternatives = 3,
    allow_exec: AllowExec = False,
) -> int:
    """Show what would be opened, and why.

    For every tunnel its path: who dials which address, and whom that address means there. Nothing is opened.
    """
    try:
        planned = read_plan(source, selection, allow_exec=allow_exec, alternatives=alternatives)
    except TopologyRejected as rejected:
        if output is Format.JSON:
            from orchestra.render.plan_json import rejection_json

            console.json(rejection_json(rejected.diagnostics))
        raise
    read = planned.read
    unmet = unmet_of(read.topology, read.client, read.plugins, source)
    answer = with_diagnostics(planned.plan, tuple(each.diagnostic for each in unmet))
    if output is Format.JSON:
        from orchestra.render.plan_json import plan_json

        console.json(plan_json(answer))
    else:
        from orchestra.render.plan_text import plan_text

        console.data(plan_text(answer, console.out.style, origins=console.verbosity > 0))
        report(answer.diagnostics, read.sources, console, apart=True)
        tell_unmet(unmet, console)
    return exit_of_plan(answer)
