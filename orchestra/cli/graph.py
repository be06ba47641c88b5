"""``orchestra graph``: a picture of a topology and of what would be opened."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.options import Selection, Source
from orchestra.cli.reading import read_plan, read_topology
from orchestra.errors import OrchestraError, UsageError

if TYPE_CHECKING:
    from orchestra.model.plan import Plan
    from orchestra.render.picture import Scene


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
    explain: Annotated[
        tuple[str, str] | None,
        typer.Option("--explain", metavar="FROM TO", help="Whether FROM can reach TO, as `explain` answers it."),
    ] = None,
) -> int:
    """Draw what is where, and what would be opened.

    Networks, the firewalls between them, and every session and dial as a numbered arrow; what is blocked is marked
    where it is blocked. Nothing is opened.
    """
    if bool(bare) + bool(explain) + bool(selection.tunnels or selection.profiles) > 1:
        raise UsageError("--bare, --explain and a choice of tunnels exclude each other")
    form = output or _form(output_file)
    if explain is not None:
        scene, plan = _answer(source, *explain)
    else:
        scene, plan = _tunnels(source, selection, bare=bare)
    text = _draw(form, scene, plan)
    if output_file is None:
        console.data(text.removesuffix("\n"))
        if console.out.is_terminal and form in (Drawing.SVG, Drawing.HTML):
            console.say(f"to look at it, write it to a file: -O {plan.topology}.{form}")
    else:
        _write(output_file, text)
    return Exit.DONE


def _form(file: Path | None) -> Drawing:
    if file is None:
        return Drawing.SVG
    if (name := _SUFFIXES.get(file.suffix.lower())) is None:
        raise UsageError(f"{file}: its name does not say what it is to hold; write -o svg, html, mermaid or dot")
    return Drawing(name)


def _tunnels(source: Source, selection: Selection, *, bare: bool) -> tuple[Scene, Plan]:
    from orchestra.render.picture import compose

    planned = read_plan(source, selection)
    plan = replace(planned.plan, sessions=(), tunnels=(), diagnostics=()) if bare else planned.plan
    return compose(planned.read.topology, plan), plan


def _answer(source: Source, from_: str, to: str) -> tuple[Scene, Plan]:
    from orchestra.planning import explain
    from orchestra.render.picture import compose_answer

    read = read_topology(source)
    with read.excerpts():
        answer = explain(read.topology, from_, to, client=read.client, vocabulary=read.plugins.vocabulary)
    return compose_answer(read.topology, answer)


def _draw(form: Drawing, scene: Scene, plan: Plan) -> str:
    from orchestra.render import picture

    folded = picture.fold(scene)
    match form:
        case Drawing.SVG:
            return picture.svg(picture.arrange(folded))
        case Drawing.HTML:
            return picture.html(picture.arrange(folded), plan)
        case Drawing.MERMAID:
            return picture.mermaid(folded)
        case Drawing.DOT:
            return picture.dot(folded)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OrchestraError(f"cannot write {file}: {error.strerror}") from error
