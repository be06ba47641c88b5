"""``orchestra down``: takes a running one down and waits until it has gone."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.instance import Instance
from orchestra.cli.options import Timeout, seconds

All = Annotated[bool, typer.Option("--all", help="All that run.")]


def down(console: Console, instance: Instance = None, all_: All = False, timeout: Timeout = "60") -> int:
    """Take it down and wait until it has gone; nothing to take down is no error."""
    from orchestra.control.client import Client, NotRunning
    from orchestra.control.instances import alive, find

    limit = seconds(timeout)
    try:
        places = alive(os.environ) if all_ else (find(instance, os.environ),)
    except NotRunning as nothing:
        console.say(str(nothing))
        return Exit.DONE
    for place in places:
        try:
            Client(place, console.say).take_down(limit)
        except TimeoutError:
            console.error(f"{place.name} is still there after {timeout}")
            return Exit.TIMEOUT
        console.say(f"{place.name} is down")
    return Exit.DONE
