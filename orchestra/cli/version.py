"""``orchestra version``."""

from __future__ import annotations

import platform

from orchestra import __version__
from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.options import Format, Output


def version(console: Console, output: Output = Format.TEXT) -> int:
    """Show the version."""
    if output is Format.JSON:
        console.json({"format_version": 1, "version": __version__, "python": platform.python_version()})
    else:
        console.data(f"orchestra {__version__}")
    return Exit.DONE
