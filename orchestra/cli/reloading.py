"""The options of ``up``, remembered by what it started, and used whenever its files are read again."""

from __future__ import annotations

import io
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchestra.assembly.reloading import Reading, Wish
from orchestra.cli.console import Channel, Console
from orchestra.cli.exits import Exit
from orchestra.cli.options import Selection, Source
from orchestra.cli.reading import Edits, choose_files
from orchestra.cli.starting import Starting, prepare, told
from orchestra.lab.kind import LabKind
from orchestra.render.style import Style

if TYPE_CHECKING:
    from orchestra.assembly.launch import Launch
    from orchestra.assembly.reloading import Read
    from orchestra.control.handlers import Document


def reader(source: Source, selection: Selection, starting: Starting, name: str) -> Read:
    """Reads what these options name, again and again; what there is to say about it becomes text."""
    files = list(choose_files(source, os.environ, Path.cwd()))
    first = _document(replace(source, file=None, files=files), selection, starting)

    def read(wish: Wish) -> Reading:
        text = io.StringIO()
        made: list[Launch] = []
        errors = Channel(text, Style(wish.colour))
        console = Console(Channel(io.StringIO(), Style()), errors, wish.quiet, wish.verbosity)
        code = told(console, lambda: _read(console, wish.options or first, wish, name, made))
        return Reading(launch=made[0] if made else None, code=code, said=text.getvalue().rstrip("\n"))

    return read


def options(source: Source, selection: Selection, starting: Starting) -> Document:
    """The options as a document, which means the same in another directory."""
    files = choose_files(source, os.environ, Path.cwd())
    absolute = [file if file == "-" else os.path.abspath(file) for file in files]  # noqa: PTH100 - keeps symbolic links
    return _document(replace(source, file=None, files=absolute), selection, starting)


def _document(source: Source, selection: Selection, starting: Starting) -> Document:
    return {"source": asdict(source), "selection": asdict(selection), "starting": asdict(starting)}


def _read(console: Console, given: Document, wish: Wish, name: str, made: list[Launch]) -> int:
    source = Source(**given["source"])
    if "-" in source.files:
        console.error("the topology came from standard input, which cannot be read again")
        return Exit.USAGE
    selection, starting = Selection(**given["selection"]), Starting(**given["starting"])
    starting = replace(starting, lab=starting.lab and LabKind(starting.lab))
    edits = Edits(additions=wish.additions, without=wish.without)
    made.append(prepare(console, source, selection, starting, name=name, edits=edits))
    return Exit.DONE
