"""``orchestra wait``: until a running one is ready, or has gone."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from orchestra.cli.console import Console
from orchestra.cli.errors import explain
from orchestra.cli.exits import Exit, exit_of_error
from orchestra.cli.instance import Instance
from orchestra.cli.options import Timeout, seconds
from orchestra.cli.starting import say_gave_up

if TYPE_CHECKING:
    from orchestra.control.client import Client


class Goal(StrEnum):
    """What is waited for."""

    READY = "ready"
    CLOSED = "closed"


For = Annotated[Goal, typer.Option("--for", help="What to wait for.")]


def wait(console: Console, instance: Instance = None, goal: For = Goal.READY, timeout: Timeout = "60") -> int:
    """Wait until every tunnel is ready, or until it has gone."""
    from orchestra.control.client import Client, NotRunning
    from orchestra.control.instances import find

    limit = seconds(timeout)
    try:
        client = Client(find(instance, os.environ), console.say)
        if goal is Goal.READY:
            return _ready(console, client, limit)
        client.wait_closed(limit)
    except NotRunning:
        if goal is Goal.READY:
            raise
    except TimeoutError:
        console.error(f"still not {goal} after {timeout}")
        return Exit.TIMEOUT
    return Exit.DONE


def _ready(console: Console, client: Client, limit: float | None) -> int:
    from orchestra.assembly.readiness import GaveUp, as_failure

    try:
        found = client.wait_ready(limit)
    except TimeoutError:
        return say_gave_up(console, GaveUp(client.status(), limit or 0.0))
    if found.ready:
        return Exit.DONE
    if found.fatal is None:
        console.error(f"{client.place.name} was taken down before it was ready")
        return Exit.FAILED
    error = as_failure(found.fatal)
    console.error(explain(error, console))
    return exit_of_error(error)
