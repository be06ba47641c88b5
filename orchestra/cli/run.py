"""``orchestra run``: a private instance, a command with its tunnels in the environment, and down again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orchestra.cli.console import Console
from orchestra.cli.errors import explain
from orchestra.cli.exits import Exit
from orchestra.cli.options import CommandLine, Selection, Source, Timeout, seconds
from orchestra.cli.starting import Starting, disclose, prepare, told
from orchestra.errors import UsageError

if TYPE_CHECKING:
    from orchestra.assembly.launch import Launch
    from orchestra.assembly.signals import Interrupts
    from orchestra.plugin.manager import Plugins


def run(
    console: Console,
    source: Source,
    selection: Selection,
    starting: Starting,
    command: CommandLine,
    timeout: Timeout = "60",
) -> int:
    """Open the tunnels, run a command with their addresses in its environment, and take them down."""
    limit = seconds(timeout)
    if not command:
        raise UsageError("there is no command: write it after --, as in `orchestra run FILE -- psql`")
    return told(
        console,
        lambda: _run(console, source, selection, starting, command, limit),
        failed=Exit.ORCHESTRA_FAILED,
    )


def _run(
    console: Console,
    source: Source,
    selection: Selection,
    starting: Starting,
    command: list[str],
    limit: float | None,
) -> int:
    from orchestra.assembly import loop
    from orchestra.assembly.command import CannotRun, find_program
    from orchestra.assembly.signals import interruptible
    from orchestra.cli.apart import made_apart

    try:
        find_program(command[0])  # before anything is opened

        def make(console: Console, plugins: Plugins) -> Launch:
            return prepare(console, source, selection, starting, plugins=plugins, free_ports=True, environment=True)

        launch, plugins = made_apart(console, source, make)
        disclose(console, launch.topology, launch.disclosures)

        async def work(interrupts: Interrupts) -> int:
            return await _beside(console, launch, plugins, command, limit, starting.fail_fast, interrupts)

        return loop.run(interruptible(work))
    except CannotRun as error:
        console.error(explain(error, console))
        return Exit.NOT_EXECUTABLE if error.found else Exit.NOT_FOUND


async def _beside(
    console: Console,
    launch: Launch,
    plugins: Plugins,
    command: list[str],
    limit: float | None,
    fail_fast: bool,
    interrupts: Interrupts,
) -> int:
    from orchestra.assembly.command import execute
    from orchestra.assembly.launch import launched
    from orchestra.assembly.readiness import make_ready
    from orchestra.cli.asking import asker
    from orchestra.cli.progress import Progress

    progress = Progress(console)
    async with launched(launch, plugins, observers=(progress,), ask=asker(progress)) as running:
        with progress:
            await make_ready(running, timeout=limit, fail_fast=fail_fast)
        return await execute(command, {**os.environ, **running.variables()}, interrupts)
