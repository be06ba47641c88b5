"""``orchestra remove``: one tunnel less, while the others go on."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from orchestra.cli import completion
from orchestra.cli.applying import Drain, DryRun, apply
from orchestra.cli.console import Console
from orchestra.cli.options import Format, Output, Timeout, seconds

Name = Annotated[str, typer.Argument(metavar="TUNNEL", help="The tunnel.", autocompletion=completion.names("tunnels"))]
Of = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME|FILE", help="The running one. Default: the only one.", show_default=False),
]


def remove(
    console: Console,
    name: Name,
    of: Of = None,
    dry_run: DryRun = False,
    drain: Drain = "30",
    timeout: Timeout = "60",
    output: Output = Format.TEXT,
) -> int:
    """Take one tunnel out of a running orchestra.

    It accepts nothing more; connections that it carries may end by themselves. A tunnel that is in the file comes back
    with the next reload.
    """
    from orchestra.control.client import Client
    from orchestra.control.instances import find

    limit, patience = seconds(timeout), seconds(drain)
    client = Client(find(of, os.environ), console.say)
    return apply(console, client, {"remove": name}, drain=patience, limit=limit, output=output, dry=dry_run)
