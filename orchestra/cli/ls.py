"""``orchestra ls``: what runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.cli.console import Console
from orchestra.cli.exits import Exit
from orchestra.cli.options import Format, Output
from orchestra.model.text import clean

if TYPE_CHECKING:
    from orchestra.model.status import Status


def ls(console: Console, output: Output = Format.TEXT) -> int:
    """List the orchestras of this user that run."""
    from orchestra.control.client import running

    found = running(os.environ)
    if output is Format.JSON:
        console.json({"format_version": 1, "orchestras": [_document(status) for status in found]})
        return Exit.DONE
    if not found:
        console.say("no orchestra is running")
    width = max((len(status.name) for status in found), default=0)
    for status in found:
        name = console.out.style("name", status.name) + " " * (width - len(status.name))
        console.data(f"{name}  {status.state:8}  pid {status.pid:<7}  {clean(status.file, 1000)}")
    return Exit.DONE


def _document(status: Status) -> dict[str, object]:
    keys = ("name", "topology", "state", "pid", "version", "file")
    return {key: getattr(status, key) for key in keys}
