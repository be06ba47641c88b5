"""``orchestra reload``: the files of a running one are read again, and what differs is applied."""

from __future__ import annotations

import os

from orchestra.cli.applying import Drain, DryRun, apply
from orchestra.cli.console import Console
from orchestra.cli.instance import Instance
from orchestra.cli.options import Format, Output, Timeout, seconds


def reload(
    console: Console,
    instance: Instance = None,
    dry_run: DryRun = False,
    drain: Drain = "30",
    timeout: Timeout = "60",
    output: Output = Format.TEXT,
) -> int:
    """Read the files of a running orchestra again, show what differs, and apply it.

    What is new is opened before what is old is closed, and what does not differ is left alone. A file that is wrong
    changes nothing. The files are read as they were by `up`, with its options and its environment.
    """
    from orchestra.control.client import Client
    from orchestra.control.instances import find

    limit, patience = seconds(timeout), seconds(drain)
    client = Client(find(instance, os.environ), console.say)
    return apply(console, client, {}, drain=patience, limit=limit, output=output, dry=dry_run)
