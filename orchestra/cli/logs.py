"""``orchestra logs``: what a running one, or one that ran, had to say."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.instance import Instance

if TYPE_CHECKING:
    from orchestra.control.paths import Place

_POLL = 0.2
"""Seconds."""

Follow = Annotated[bool, typer.Option("-f", "--follow", help="Go on until it ends.")]


def logs(console: Console, instance: Instance = None, follow: Follow = False) -> int:
    """Show the log of a running orchestra, or of one that ran."""
    from orchestra.control.paths import log_file

    place = _place(instance)
    path = log_file(place.name, os.environ)
    try:
        file = path.open(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        console.error(f"{place.name} has no log at {path}")
        return Exit.FAILED
    with file:
        _show(console, file)
        while follow and _lives(place, path):
            time.sleep(_POLL)
            _show(console, file)
        _show(console, file)
    return Exit.DONE


def _place(instance: str | None) -> Place:
    from orchestra.control.client import NotRunning
    from orchestra.control.instances import find
    from orchestra.control.paths import log_file, place_of
    from orchestra.errors import UsageError

    try:
        return find(instance, os.environ)
    except NotRunning:
        if instance is None:
            raise
        try:
            ended = place_of(instance, os.environ)
            known = log_file(instance, os.environ).exists()
        except UsageError:
            known = False
        if not known:
            raise
        return ended


def _lives(place: Place, path: Path) -> bool:
    from orchestra.control.claim import is_held

    return is_held(place) and path.exists()


def _show(console: Console, file: TextIO) -> None:
    if text := file.read():
        console.out.stream.write(text)
        console.out.stream.flush()
