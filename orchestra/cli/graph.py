"""``orchestra graph``: a picture of a topology and of what would be opened."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestra.cli.common import read_plan
from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.options import Selection, Source
from orchestra.errors import OrchestraError, UsageError

if TYPE_CHECKING:
    from orchestra.cli.common import Planned


class Drawing(StrEnum):
    """What a picture is written in."""

    SVG = "svg"
    HTML = "html"
    MERMAID = "mermaid"
    DOT = "dot"


_SUFFIXES = {".svg": "svg", ".html": "html", ".htm": "html", ".mmd": "mermaid", ".mermaid": "mermaid"} | dict.fromkeys(
    (".dot", ".gv"), "dot"
)


def graph(
    console: Console,
    source: Source,
    selection: Selection,
    output: Annotated[
        Drawing | None, typer.Option("-o", "--output", help="The form. Default: by the name of the file, else svg.")
    ] = None,
    output_file: Annotated[
        Path | None, typer.Option("-O", "--output-file", metavar="PATH", help="Write there. Default: standard output.")
    ] = None,
    bare: Annotated[bool, typer.Option("--bare", help="Only what is where, without tunnels.")] = False,
) -> int:
    """Draw what is where, and what would be opened.

    Networks, the firewalls between them, and every session and dial as a numbered arrow; what is blocked is marked
    where it is blocked. Nothing is opened.
    """
    if bare and (selection.tunnels or selection.profiles):
        raise UsageError("--bare draws no tunnels: leave it out, or -t and --profile")
    form = output or _form(output_file)
    text = _draw(form, read_plan(source, selection), bare=bare)
    if output_file is None:
        console.data(text.removesuffix("\n"))
    else:
        _write(output_file, text)
    return Exit.DONE


def _form(file: Path | None) -> Drawing:
    if file is None:
        return Drawing.SVG
    if (name := _SUFFIXES.get(file.suffix.lower())) is None:
        raise UsageError(f"{file}: its name does not say what it is to hold; write -o svg, html, mermaid or dot")
    return Drawing(name)


def _draw(form: Drawing, planned: Planned, *, bare: bool) -> str:
    from dataclasses import replace

    from orchestra.render import picture

    plan = replace(planned.plan, sessions=(), tunnels=(), diagnostics=()) if bare else planned.plan
    scene = picture.fold(picture.compose(planned.read.topology, plan))
    match form:
        case Drawing.SVG:
            return picture.svg(picture.arrange(scene))
        case Drawing.HTML:
            return picture.html(picture.arrange(scene), plan)
        case Drawing.MERMAID:
            return picture.mermaid(scene)
        case Drawing.DOT:
            return picture.dot(scene)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OrchestraError(f"cannot write {file}: {error.strerror}") from error
