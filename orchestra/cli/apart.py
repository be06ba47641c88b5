"""A plan is made in a process of its own, where this one is to carry it out: what reads files and plans takes time and
memory that what opens sessions can use meanwhile, and does not need to keep."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from orchestra.assembly.reading import Reading
from orchestra.cli.exits import Exit
from orchestra.cli.reading import choose_files
from orchestra.cli.starting import Refused, told
from orchestra.model.garbage import collector_off
from orchestra.model.topology import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.assembly.launch import Launch
    from orchestra.cli.console import Console
    from orchestra.cli.options import Source
    from orchestra.plugin.manager import Plugins

    Make = Callable[[Console, Plugins], Launch]
    """Makes a launch, with the plugins that the source names."""

_NEEDED = (
    "orchestra.engine.ssh.connecting",
    "orchestra.engine.ssh.session",
    "orchestra.engine.shell",
    "orchestra.cli.staying",
)
"""What opens nearly every plan, and takes as long to load as the plan to make."""


def made_apart(console: Console, source: Source, make: Make) -> tuple[Launch, Plugins]:
    """What ``make`` gives, which is called in another process where that can be; what it says, is said here. The
    source's plugins are loaded before there are two processes, of which each needs them for its part of the work.

    Raises Refused when there is no launch, and everything has been said, and UsageError for a plugin.
    """
    from orchestra.assembly.apart import NotHandedOver, can_fork, forked
    from orchestra.assembly.topology import plugins as load_plugins

    files = choose_files(source, os.environ, Path.cwd())
    plugins = load_plugins(source.plugins)
    if can_fork() and "-" not in files:  # standard input is read once
        console.flush()
        with suppress(NotHandedOver), forked(lambda: reading_of(console, lambda aside: make(aside, plugins))) as result:
            with collector_off():
                for name in _NEEDED:
                    import_module(name)
            return _launch_of(console, result()), plugins
    return make(console, plugins), plugins


def _launch_of(console: Console, reading: Reading) -> Launch:
    if reading.said:
        console.error(reading.said)
    if reading.launch is None:
        raise Refused(Exit(reading.code))
    return reading.launch


def reading_of(console: Console, make: Callable[[Console], Launch]) -> Reading:
    """What comes of it, as a value that can be moved, and in the console's manner what there is to say.

    Where what stands in the files is their whole tree, which only planning asks.
    """
    text = io.StringIO()
    aside = replace(console, err=replace(console.err, stream=text))
    made: list[Launch] = []

    def work() -> int:
        launch = make(aside)
        made.append(replace(launch, topology=replace(launch.topology, places=NOWHERE)))
        return Exit.DONE

    code = told(aside, work)
    return Reading(launch=made[0] if made else None, code=code, said=text.getvalue().rstrip("\n"))
