from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from orchestra.assembly.command import CannotRun, execute, find_program
from orchestra.assembly.signals import Interrupts, interruptible


def run(program: str, *arguments: str, **environ: str) -> int:
    async def work(interrupts: Interrupts) -> int:
        return await execute([sys.executable, "-c", program, *arguments], {**os.environ, **environ}, interrupts)

    return asyncio.run(interruptible(work))


def test_its_exit_code_is_its_own() -> None:
    assert run("raise SystemExit(7)") == 7


def test_what_a_signal_ended_ends_as_in_a_shell() -> None:
    assert run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)") == 128 + signal.SIGKILL


def test_it_has_the_environment_that_it_is_given() -> None:
    assert run("import os; raise SystemExit(int(os.environ['PORT']))", PORT="42") == 42


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP])
def test_signals_are_passed_on(signum: int) -> None:
    program = (
        "import os, signal, sys\n"
        "signal.signal(int(sys.argv[1]), lambda number, _: sys.exit(50 + number))\n"
        "os.kill(os.getppid(), int(sys.argv[1]))\nsignal.pause()\n"
    )
    assert run(program, str(int(signum))) == 50 + signum


@pytest.mark.parametrize(("mode", "found"), [(None, False), (0o644, True)])
def test_what_cannot_be_run(tmp_path: Path, mode: int | None, found: bool) -> None:
    program = tmp_path / "program"
    if mode is not None:
        program.touch(mode)
    with pytest.raises(CannotRun) as caught:
        find_program(str(program))
    assert caught.value.found is found


def test_a_file_that_is_no_program_is_found_but_cannot_be_run(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\0no program")
    program.chmod(0o755)

    async def work(interrupts: Interrupts) -> int:
        return await execute([str(program)], os.environ, interrupts)

    with pytest.raises(CannotRun) as caught:
        asyncio.run(interruptible(work))
    assert caught.value.found


def test_a_program_is_found_by_its_name() -> None:
    assert Path(find_program("sh")).is_absolute()
    with pytest.raises(CannotRun, match="no such command"):
        find_program("no-such-command-anywhere")
