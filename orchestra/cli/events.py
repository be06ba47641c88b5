"""``orchestra events``: what is true of a running one, then what happens, until it goes."""

from __future__ import annotations

import json
import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.instance import Instance
from orchestra.render.layout import timestamp

if TYPE_CHECKING:
    from orchestra.control.client import Client
    from orchestra.model.events import Occurrence
    from orchestra.render.progress import ProgressLines


class Form(StrEnum):
    """How each event is printed."""

    TEXT = "text"
    JSONL = "jsonl"


Output = Annotated[Form, typer.Option("-o", "--output", help="Lines for people, or a JSON object each.")]


def events(console: Console, instance: Instance = None, output: Output = Form.TEXT) -> int:
    """Show what a running orchestra is doing, then what happens, until it is taken down."""
    from orchestra.control.client import Client
    from orchestra.control.instances import find

    return follow(console, Client(find(instance, os.environ), console.say), output)


def follow(console: Console, client: Client, output: Form) -> int:
    """Prints them until it goes."""
    from orchestra.control.codec import encode_event
    from orchestra.model.events import Closed
    from orchestra.render.progress import ProgressLines

    lines = ProgressLines(console.out.style)
    console.end_with_reader()
    for told in client.events():
        console.data(json.dumps(encode_event(told)) if output is Form.JSONL else _line(told, lines))
        console.flush()
        if isinstance(told.event, Closed):
            return Exit.DONE
    return broke_off(console, client)


def broke_off(console: Console, client: Client) -> int:
    """Says that the events ended before it did."""
    console.error(
        f"the events of {client.place.name} broke off: it was killed, or they came faster than they were read"
    )
    return Exit.FAILED


def _line(told: Occurrence, lines: ProgressLines) -> str:
    """Empty for what says nothing new."""
    line = lines.line(told.event, now=told.time)
    return f"{timestamp(told.time)} {line}" if line else ""
