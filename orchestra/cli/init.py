"""``orchestra init``: a commented first file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.errors import OrchestraError, UsageError


def init(
    console: Console,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where to write it; - is standard output.")] = (
        "orchestra.yaml"
    ),
) -> int:
    """Write a commented first topology.

    A file that exists is left as it is.
    """
    from orchestra.loading import TEMPLATE

    if file == "-":
        console.data(TEMPLATE.rstrip("\n"))
        return Exit.DONE
    try:
        with Path(file).open("x", encoding="utf-8") as stream:
            stream.write(TEMPLATE)
    except FileExistsError:
        raise UsageError(f"{file} exists; it is left as it is") from None
    except OSError as exc:
        raise OrchestraError(f"cannot write {file}: {exc.strerror}") from exc
    console.say(f"wrote {file}\nedit it, then look at what would happen: orchestra plan {file}")
    return Exit.DONE
