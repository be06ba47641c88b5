"""The command line: one file per command, each a function that returns an exit code.

The modules here import nothing heavy at the top; a command imports what it needs when it runs.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line (``sys.argv`` by default) and returns its exit code."""
    for name in ("stdin", "stdout", "stderr"):  # closed by whoever started us: as ssh does, so that no file of ours
        if getattr(sys, name) is None:  # takes the number of one
            found = os.open(os.devnull, os.O_WRONLY)
            if name != "stdin":
                setattr(sys, name, os.fdopen(found, "w"))

    if argv is None:  # the program itself, which is made of what stays: see `orchestra.model.garbage.settled`
        gc.disable()

    from orchestra.cli.app import run

    try:
        return run(argv)
    finally:
        if argv is None:  # the interpreter's end would look through all of it for garbage, more than once
            gc.freeze()
