"""Which file is read when none is named, and what standard input is called."""

from __future__ import annotations

from pathlib import Path

FILE_NAMES = ("orchestra.yaml", "orchestra.yml")
STDIN = "-"
"""Among files to read."""
STDIN_NAME = "<stdin>"
"""As the file of a place."""


def find_file(start: str | Path) -> Path | None:
    """``orchestra.yaml`` in a directory or the nearest of its parents that has one."""
    directory = Path(start).absolute()
    for folder in (directory, *directory.parents):
        for name in FILE_NAMES:
            if (folder / name).is_file():
                return folder / name
    return None
