"""The command line: one file per command, each a function that returns an exit code.

The modules here import nothing heavy at the top; a command imports what it needs when it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line (``sys.argv`` by default) and returns its exit code."""
    from orchestra.cli.app import run

    return run(argv)
