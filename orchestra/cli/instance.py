"""The argument of the commands that talk to a running orchestra."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from orchestra.cli import completion

Instance: TypeAlias = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME|FILE",
        help="A running one, by name or by file. Default: the only one.",
        show_default=False,
        autocompletion=completion.running(),
    ),
]
