"""``orchestra reconnect``: now, and not when its turn comes."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from orchestra.cli import completion
from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.remove import Of
from orchestra.render.layout import counted

Subject = Annotated[
    str | None,
    typer.Argument(
        metavar="TUNNEL|SERVER",
        help="Whose sessions. Default: all.",
        show_default=False,
        autocompletion=completion.names("tunnels"),
    ),
]


def reconnect(console: Console, subject: Subject = None, of: Of = None) -> int:
    """Drop the sessions of a tunnel or to a server, and open them again at once.

    Waiting times and refusals are forgotten, also of a login or a host key: it says that what was wrong is mended.
    Connections over these sessions end.
    """
    from orchestra.control.client import Client
    from orchestra.control.instances import find

    client = Client(find(of, os.environ), console.say)
    sessions = client.reconnect(subject)
    names = f": {', '.join(sessions)}" if sessions else ""
    console.say(f"{client.place.name} opens {counted(len(sessions), 'session')} anew{names}")
    return Exit.DONE
