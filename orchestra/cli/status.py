"""``orchestra status``: what a running one is doing, now or on and on."""

from __future__ import annotations

import json
import os
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.instance import Instance
from orchestra.errors import OrchestraError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.control.client import Client
    from orchestra.model.status import Status

_TICK = 0.5
"""Seconds between two pictures."""


class StatusForm(StrEnum):
    """How a status is printed."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"


Output = Annotated[StatusForm, typer.Option("-o", "--output", help="The form of the result; jsonl: an object a line.")]
Watch = Annotated[bool, typer.Option("-w", "--watch", help="Go on until it ends: a picture, or a line per change.")]
Url = Annotated[bool, typer.Option("--url", help="Only the address of its page (up --http), for one browser, once.")]


def status(
    console: Console,
    instance: Instance = None,
    output: Output = StatusForm.TEXT,
    watch: Watch = False,
    url: Url = False,
) -> int:
    """Show the sessions and tunnels of a running orchestra; exit code 5 when it does not run."""
    from orchestra.control.client import Client, NotRunning
    from orchestra.control.instances import find

    if watch and output is StatusForm.JSON:
        raise UsageError("--watch prints many objects: say -o jsonl")
    try:
        client = Client(find(instance, os.environ), console.say)
        if url:
            return _url(console, client)
        found = client.status()
    except NotRunning as error:
        console.error(str(error))
        return Exit.NOT_RUNNING
    if not watch:
        console.data(_printed(console, found, output))
        return Exit.DONE
    if output is StatusForm.JSONL:
        return _changes(console, client, found)
    return _picture(console, client) if console.out.is_terminal else _lines(console, client)


def _printed(console: Console, found: Status, output: StatusForm) -> str:
    if output is StatusForm.TEXT:
        from orchestra.render.status_text import status_text

        return status_text(found, console.out.style, now=time.time())
    from orchestra.render.status_json import status_json

    return json.dumps(status_json(found), indent=2 if output is StatusForm.JSON else None)


def _url(console: Console, client: Client) -> int:
    invitation = client.invitation()
    if invitation is None:
        raise OrchestraError(f"{client.place.name} has no page: it was brought up without --http")
    console.data(invitation)
    return Exit.DONE


def _lines(console: Console, client: Client) -> int:
    from orchestra.cli.events import Form, follow

    return follow(console, client, Form.TEXT)


def _changes(console: Console, client: Client, found: Status) -> int:
    """The whole status, once for every change of something in it but its counters."""
    from orchestra.cli.events import broke_off
    from orchestra.control.client import NotRunning
    from orchestra.model.events import Closed

    shown = None
    console.end_with_reader()
    try:
        for told in client.events():
            if isinstance(told.event, Closed):
                return Exit.DONE
            found = client.status()
            if (now := _gist(found)) != shown:
                shown = now
                console.data(_printed(console, found, StatusForm.JSONL))
                console.flush()
    except NotRunning:
        return Exit.DONE  # it went between an event and the question
    return broke_off(console, client)


def _gist(found: Status) -> object:
    sessions = [(each.id, each.state, each.error and each.error.message) for each in found.sessions]
    tunnels = [(each.name, each.state, each.listen, each.error and each.error.message) for each in found.tunnels]
    return found.state, sessions, tunnels


def _picture(console: Console, client: Client) -> int:
    """Drawn again and again, as long as it runs."""
    from rich.console import Console as Terminal
    from rich.live import Live

    from orchestra.render.progress import live_view

    style = console.out.style
    terminal = Terminal(file=console.out.stream, no_color=not style.colour)
    with Live(console=terminal, auto_refresh=False, screen=False) as live:
        for found in _again(client):
            live.update(live_view(found, style, now=time.time()), refresh=True)
    console.say(f"{client.place.name} is down")
    return Exit.DONE


def _again(client: Client) -> Iterator[Status]:
    from orchestra.control.client import NotRunning

    try:
        while True:
            yield client.status()
            time.sleep(_TICK)
    except NotRunning:
        return
