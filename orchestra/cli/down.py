"""``orchestra down``: takes a running one down and waits until it has gone."""

from __future__ import annotations

import math
import os
from typing import Annotated

import typer

from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.instance import Instance
from orchestra.cli.options import Timeout, seconds

All = Annotated[bool, typer.Option("--all", help="All that run.")]


Drain = Annotated[
    str | None,
    typer.Option(
        "--drain", metavar="DURATION", help="What connections have to end by themselves: 30, 5m; 0 is for ever."
    ),
]


def down(
    console: Console, instance: Instance = None, all_: All = False, drain: Drain = None, timeout: Timeout = "60"
) -> int:
    """Take it down and wait until it has gone; nothing to take down is no error. With --all, what killed ones left
    goes too.

    With --drain its listeners close at once, and the connections that it carries may end before the rest goes.
    """
    from orchestra.control.claim import Claim
    from orchestra.control.client import Client, NotRunning
    from orchestra.control.instances import alive, find
    from orchestra.control.paths import places as all_places

    limit = seconds(timeout)
    patience = 0.0 if drain is None else seconds(drain) or math.inf
    deadline = limit and limit + patience
    try:
        places = alive(os.environ) if all_ else (find(instance, os.environ),)
    except NotRunning as nothing:
        console.say(str(nothing))
        return Exit.DONE
    for place in places:
        try:
            Client(place, console.say).take_down(deadline, patience)
        except TimeoutError:
            console.error(f"{place.name} is still there after {timeout}")
            return Exit.TIMEOUT
        console.say(f"{place.name} is down")
    for place in all_places(os.environ) if all_ else ():
        Claim.sweep(place)
    return Exit.DONE
