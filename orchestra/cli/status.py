"""``orchestra status``: what a running one is doing."""

from __future__ import annotations

import os
import time

from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.instance import Instance
from orchestra.cli.options import Format, Output


def status(console: Console, instance: Instance = None, output: Output = Format.TEXT) -> int:
    """Show the sessions and tunnels of a running orchestra; exit code 5 when it does not run."""
    from orchestra.control.client import Client, NotRunning
    from orchestra.control.instances import find

    try:
        found = Client(find(instance, os.environ)).status()
    except NotRunning as error:
        console.error(str(error))
        return Exit.NOT_RUNNING
    if output is Format.JSON:
        from orchestra.render.status_json import status_json

        console.json(status_json(found))
    else:
        from orchestra.render.status_text import status_text

        console.data(status_text(found, console.out.style, now=time.time()))
    return Exit.DONE
