"""``orchestra schema``: the JSON Schema of topology files, for editors."""

from __future__ import annotations

from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.options import Extra


def schema(console: Console, extra: Extra) -> int:
    """Print the JSON Schema of topology files, for editors.

    It has the keys of the plugins that are installed, too.
    """
    from orchestra.assembly.topology import plugins as load_plugins
    from orchestra.loading import json_schema

    console.json(json_schema(load_plugins(extra.plugins).vocabulary))
    return Exit.DONE
