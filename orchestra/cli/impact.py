"""``orchestra impact``: what would be lost without some hosts; nothing is opened or closed."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestra.cli.completion import HOSTS, names
from orchestra.cli.console import Console
from orchestra.cli.errors import report
from orchestra.cli.exits import Exit
from orchestra.cli.options import Format, Output, Source
from orchestra.cli.reading import read_topology


def impact(
    console: Console,
    source: Source,
    without: Annotated[
        list[str],
        typer.Option(
            "--without",
            metavar="HOST",
            help="A host that is gone; repeatable.",
            show_default=False,
            autocompletion=names(*HOSTS),
        ),
    ],
    output: Output = Format.TEXT,
) -> int:
    """Show what would be lost without some hosts, and what has another path.

    HOST is any host of the file: a server, a firewall, a client, the machine of a target. Every tunnel is planned with
    and without them, as its own client sees it. Ends with 3 when a tunnel is lost, or an expectation of the file fails.
    """
    from orchestra.planning.impact import impact as compare

    read = read_topology(source)
    with read.excerpts():
        found = compare(read.topology, without, client=read.client, vocabulary=read.plugins.vocabulary)
    if output is Format.JSON:
        from orchestra.render.impact_json import impact_json

        console.json(impact_json(found))
    else:
        from orchestra.render.impact_text import impact_text

        console.data(impact_text(found, console.out.style))
        report(found.expectations, read.sources, console, apart=True)
    return Exit.UNREACHABLE if found.loses else Exit.DONE
