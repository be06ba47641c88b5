"""The options of ``up``, remembered by what it started, and used whenever its files are read again."""

from __future__ import annotations

import io
import os
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from orchestra.cli.apart import reading_of
from orchestra.cli.console import Channel, Console
from orchestra.cli.options import Selection, Source
from orchestra.cli.reading import Edits, choose_files
from orchestra.cli.starting import Starting, prepare
from orchestra.errors import UsageError
from orchestra.lab.kind import LabKind
from orchestra.render.style import Style

if TYPE_CHECKING:
    from orchestra.assembly.launch import Launch
    from orchestra.assembly.reading import Read, Reading, Wish
    from orchestra.control.handlers import Document


def reader(source: Source, selection: Selection, starting: Starting, name: str) -> Read:
    """Reads what these options name, again and again; what there is to say about it becomes text."""
    files = list(choose_files(source, os.environ, Path.cwd()))
    first = _document(replace(source, file=None, files=files), selection, starting)

    return partial(_read, first, name)


def read_apart(read: Read) -> Read:
    """The same, in a process of its own: what reads would stay in this one for good, and what runs would stand still
    while it does so."""

    def apart(wish: Wish) -> Reading:
        from orchestra.assembly.apart import NotHandedOver, spawned

        try:
            return spawned(partial(read, wish))
        except NotHandedOver:
            return read(wish)

    return apart


def options(source: Source, selection: Selection, starting: Starting) -> Document:
    """The options as a document, which means the same in another directory."""
    files = choose_files(source, os.environ, Path.cwd())
    absolute = [file if file == "-" else os.path.abspath(file) for file in files]  # noqa: PTH100 - keeps symbolic links
    return _document(replace(source, file=None, files=absolute), selection, starting)


def _document(source: Source, selection: Selection, starting: Starting) -> Document:
    return {"source": asdict(source), "selection": asdict(selection), "starting": asdict(starting)}


def _read(first: Document, name: str, wish: Wish) -> Reading:
    given = wish.options or first
    source, selection = Source(**given["source"]), Selection(**given["selection"])
    starting = Starting(**given["starting"])
    starting = replace(starting, lab=starting.lab and LabKind(starting.lab))
    edits = Edits(additions=wish.additions, without=wish.without)

    def make(console: Console) -> Launch:
        if "-" in source.files:
            raise UsageError("the topology came from standard input, which cannot be read again")
        return prepare(console, source, selection, starting, name=name, edits=edits)

    none = Channel(io.StringIO(), Style(wish.colour))
    return reading_of(Console(none, none, wish.quiet, wish.verbosity), make)
