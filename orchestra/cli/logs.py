"""``orchestra logs``: what a running one, or one that ran, had to say."""

from __future__ import annotations

import os
import time
from contextlib import closing, suppress
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
        with suppress(FileNotFoundError), closing(_Reader(path)) as reader:
            reader.show(console)
            if follow:
                console.end_with_reader()
            while follow and _lives(place, path):
                time.sleep(_POLL)
                reader.show(console)
            reader.show(console)
            return Exit.DONE
    finally:
        console.flush()
    console.error(f"{place.name} has no log at {path}")
    return Exit.FAILED


class _Reader:
    """Reads a log from its oldest line on, from file to file as they are set aside. Raises FileNotFoundError."""

    def __init__(self, path: Path) -> None:
        from orchestra.assembly.journal import segments

        self._path = path
        self._file = _open((segments(path) or [path])[0])

    def show(self, console: Console) -> None:
        """What was not read yet."""
        _show(console, self._file)
        while (newer := self._newer()) is not None:
            _show(console, self._file)  # what came before it was set aside
            self._file.close()
            self._file = newer
            _show(console, self._file)

    def close(self) -> None:
        self._file.close()

    def _newer(self) -> TextIO | None:
        """The file that was begun after this one; the oldest that is there, when this one is gone already."""
        from orchestra.assembly.journal import segments

        own, files = os.fstat(self._file.fileno()), []
        for path in segments(self._path):
            with suppress(FileNotFoundError):  # it was set aside just now
                files.append(_open(path))
        same = [os.path.samestat(own, os.fstat(file.fileno())) for file in files]
        following = same.index(True) + 1 if True in same else 0
        for index, file in enumerate(files):
            if index != following:
                file.close()
        return files[following] if following < len(files) else None


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


def _open(path: Path) -> TextIO:
    return path.open(encoding="utf-8", errors="replace")


def _show(console: Console, file: TextIO) -> None:
    if text := file.read():
        console.out.stream.write(text)
        console.out.stream.flush()
