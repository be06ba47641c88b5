"""``orchestra export``: a plan as a foreign text; nothing is opened, nothing is run."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestra.cli import completion
from orchestra.cli.console import Console
from orchestra.cli.errors import report
from orchestra.cli.exits import exit_of_plan
from orchestra.cli.importing import Settings
from orchestra.cli.options import AllowExec, Selection, Source
from orchestra.cli.reading import read_plan


def export(
    console: Console,
    form: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT",
            help="As `orchestra plugins` lists them: exporter NAME.",
            autocompletion=completion.formats("exporters"),
        ),
    ],
    source: Source,
    selection: Selection,
    settings: Settings = [],  # noqa: B006 - typer copies it
    allow_exec: AllowExec = False,
) -> int:
    """Print the plan in another format.

    `orchestra export ssh` prints the ssh commands that would open the tunnels by hand.
    """
    from orchestra.assembly.exchange import exported

    planned = read_plan(source, selection, allow_exec=allow_exec)
    read = planned.read
    text = exported(read.plugins, form, planned.plan, read.topology, settings)
    report(planned.plan.diagnostics, read.sources, console)
    console.data(text.rstrip("\n"))
    return exit_of_plan(planned.plan)
