"""``orchestra schema``: the keys of topology files, for editors and for people."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.options import Extra


class Form(StrEnum):
    """Who reads it."""

    JSON = "json"
    MARKDOWN = "markdown"


Output = Annotated[Form, typer.Option("-o", "--output", help="JSON Schema, or a reference of every key.")]


def schema(console: Console, extra: Extra, output: Output = Form.JSON) -> int:
    """Print every key of topology files: as JSON Schema for editors, or as a reference to read.

    It has the keys of the plugins that are installed, too.
    """
    from orchestra.assembly.topology import plugins as load_plugins
    from orchestra.loading import json_schema

    found = json_schema(load_plugins(extra.plugins).vocabulary)
    if output is Form.JSON:
        console.json(found)
    else:
        from orchestra.render.reference import reference

        console.data(reference(found))
    return Exit.DONE
