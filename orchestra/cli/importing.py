"""``orchestra import``: a foreign text as a topology; nothing is opened, nothing is run."""

from __future__ import annotations

import codecs
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from orchestra.cli import completion
from orchestra.cli.console import Console
from orchestra.cli.errors import TopologyRejected, report
from orchestra.cli.exits import Exit
from orchestra.cli.options import CommandLine, Extra
from orchestra.errors import TopologyInvalid, UsageError

if TYPE_CHECKING:
    from orchestra.plugin.interfaces import Importer

Settings: TypeAlias = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="An option of the format; repeatable.",
        show_default=False,
        autocompletion=completion.settings(),
    ),
]
LARGEST = 16 << 20
"""Bytes."""
BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def import_(
    console: Console,
    extra: Extra,
    form: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT",
            help="As `orchestra plugins` lists them: importer NAME.",
            autocompletion=completion.formats("importers"),
        ),
    ],
    command: CommandLine,
    file: Annotated[
        str | None,
        typer.Argument(metavar="FILE", help="The foreign text; - is standard input. Default: the format's own file."),
    ] = None,
    settings: Settings = [],  # noqa: B006 - typer copies it
) -> int:
    """Print a foreign file, or a command line, as a topology.

    What cannot be taken over is said in comments. `orchestra import ssh -- ssh -J bastion -L 8080:web:80 ops@inner`
    reads a command; quotes of the shell are gone by then, and put back.
    """
    from orchestra.assembly.exchange import imported, importer_of
    from orchestra.assembly.topology import plugins as load_plugins
    from orchestra.loading import load
    from orchestra.loading.options import NAME, options_text

    plugins = load_plugins(extra.plugins)
    source, text = _text(importer_of(plugins, form), file, command)
    try:
        topology = imported(plugins, form, text, source=source, assignments=settings, environ=os.environ)
    except TopologyInvalid as error:
        raise TopologyRejected(error.diagnostics, {source: text, NAME: options_text(settings)}) from None
    console.data(topology.rstrip("\n"))
    loaded = load(["-"], environ=os.environ, vocabulary=plugins.vocabulary, stdin=topology)
    report(loaded.diagnostics, loaded.sources, console)
    return Exit.DONE if loaded.topology is not None else Exit.FAILED


def _text(importer: Importer, file: str | None, command: list[str]) -> tuple[str, str]:
    """What is to be read, and what it is called."""
    if command:
        if file is not None:
            raise UsageError("give a FILE, or a command after --")
        return "<command>", shlex.join(command)
    file = file or importer.spec.default
    if file is None:
        raise UsageError(f"give a FILE, or a command after --: `orchestra import {importer.spec.name} FILE`")
    try:
        data = sys.stdin.buffer.read(LARGEST + 1) if file == "-" else _read(Path(file).expanduser())
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from error
    if len(data) > LARGEST:
        raise UsageError(f"{file} is larger than {LARGEST >> 20} MiB")
    encoding = "utf-16" if data.startswith(BOMS) else "utf-8"  # what Windows exports has one
    return "<stdin>" if file == "-" else file, data.decode(encoding, "replace")


def _read(path: Path) -> bytes:
    with path.open("rb") as opened:
        return opened.read(LARGEST + 1)
