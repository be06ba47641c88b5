"""What ``orchestra run`` runs: found, started with the tunnels in its environment, signalled, waited for."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestra.assembly.signals import Interrupts
from orchestra.errors import OrchestraError

_ENDING = frozenset({signal.SIGTERM, signal.SIGHUP})
_BY_TERMINAL = frozenset({signal.SIGINT, signal.SIGQUIT})
"""What a terminal sends to every process of its foreground group."""


class CannotRun(OrchestraError):
    """The command cannot be run; ``found`` says whether it is there at all."""

    def __init__(self, message: str, *, found: bool) -> None:
        super().__init__(message)
        self.found = found


def find_program(name: str) -> str:
    """The program's path, by PATH as a shell does. Raises CannotRun."""
    if found := shutil.which(name):
        return found
    if "/" in name and Path(name).exists():
        raise CannotRun(f"{name} is not executable", found=True)
    raise CannotRun(f"{name}: no such command", found=False)


async def execute(command: Sequence[str], environ: Mapping[str, str], interrupts: Interrupts) -> int:
    """Runs it to its end, with our own standard streams; its exit code, or 128+N when signal N ended it.

    Signals that we get meanwhile are its own; who asks it to end twice, by SIGTERM or SIGHUP, means it: the second time
    it is killed. Raises CannotRun.
    """
    child = _Child()
    with interrupts.passed_on(child.receive):
        try:
            process = await asyncio.create_subprocess_exec(*command, env=environ)
        except OSError as error:
            raise CannotRun(
                f"{command[0]}: {error.strerror}", found=not isinstance(error, FileNotFoundError)
            ) from error
        child.started(process)
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
    return 128 - code if code < 0 else code


class _Child:
    """Passes signals on; those that come before there is a process wait for it."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._early: list[int] = []
        self._asked = 0
        """How often it was asked to end."""

    def receive(self, signum: int) -> None:
        self._asked += signum in _ENDING
        if self._process is None:
            self._early.append(signum)
        elif self._asked > 1:
            self._process.kill()
        elif not (signum in _BY_TERMINAL and _in_foreground()):  # else it has had it from the terminal
            self._process.send_signal(signum)

    def started(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        for signum in self._early:
            process.send_signal(signum)


def _in_foreground() -> bool:
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
