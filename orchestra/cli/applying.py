"""What ``reload``, ``add``, ``remove`` and ``up`` of what runs already have in common: shown first, then applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestra.cli.console import Console
from orchestra.cli.exits import Exit, exit_of_code
from orchestra.cli.options import Format
from orchestra.model.text import clean

if TYPE_CHECKING:
    from orchestra.control.client import Client
    from orchestra.control.handlers import Document

Drain = Annotated[
    str,
    typer.Option(
        "--drain",
        metavar="DURATION",
        help="What connections have whose tunnel or session goes, before they are cut: 30, 5m; 0 is for ever.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]


def apply(
    console: Console,
    client: Client,
    request: Document,
    *,
    drain: float | None,
    limit: float | None,
    output: Format = Format.TEXT,
    dry: bool = False,
) -> int:
    """Asks for a change of what runs, shows it, and has it made; returns when all of it is ready, or cannot be.

    ``drain`` and ``limit``: seconds, None for ever.
    """
    proposal = client.reload({**request, **_manner(console), "dry": True})
    if proposal["said"]:
        console.error(proposal["said"])
    if proposal["code"]:
        console.say(f"{client.place.name} goes on as it was; nothing was changed")
        return int(proposal["code"])
    _show(console, proposal, output)
    if dry or all(item["action"] == "keep" for item in proposal["changes"]):
        return Exit.DONE
    answer = client.reload({"proposal": proposal["proposal"], "drain": drain, "timeout": limit})
    if answer["code"]:
        console.error(answer["said"])
        return int(answer["code"])
    return _outcome(console, client, answer)


def _manner(console: Console) -> Document:
    return {"colour": console.err.style.colour, "quiet": console.quiet, "verbosity": console.verbosity}


def _show(console: Console, proposal: Document, output: Format) -> None:
    from orchestra.planning.disclosure import Disclosure
    from orchestra.render.changes_json import read_changes
    from orchestra.render.changes_text import changes_text
    from orchestra.render.disclosure_text import disclosure_text

    if output is Format.JSON:
        console.json({"format_version": 1, "changes": proposal["changes"]})
    else:
        console.data(changes_text(read_changes(proposal["changes"]), console.out.style))
    console.flush()
    new = [Disclosure(**each) for each in proposal["disclosures"]]
    console.say(disclosure_text(proposal["file"], new, console.err.style))


def _outcome(console: Console, client: Client, answer: Document) -> int:
    """What is not as it is to be; the exit code."""
    failures = answer["failures"]
    for failure in failures:
        _complain(console, failure)
    if not failures:
        console.say(f"{client.place.name} has been changed")
        return Exit.DONE
    if answer["late"]:
        return Exit.TIMEOUT
    codes = {exit_of_code(failure["code"]) for failure in failures if failure["code"]}
    return codes.pop() if len(codes) == 1 else Exit.FAILED


def _complain(console: Console, failure: dict[str, Any]) -> None:
    from orchestra.render.diagnostics_text import headline

    style = console.err.style
    message = f"tunnel {failure['name']}: {failure['message']}"
    lines = [headline("error", message, style, code=failure["code"])]
    if failure["stays"]:
        lines.append(f"  {style('note', 'note:')} it goes on as it was, and changes as soon as that is possible")
    if failure["suggestion"]:
        lines.append(f"  {style('note', 'help:')} {clean(failure['suggestion'])}")
    console.error("\n".join(lines))
