"""A program that says by its exit status whether it is content."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from orchestra_plugins.checks.command import MOST, CommandCheck

from orchestra.errors import RuntimeFailure
from orchestra.model.topology import CheckRef, CommandRef
from orchestra.session.here import Here
from orchestra.testing.checks import Dialing
from tests.engine.sockets import settled


def ran(*argv: str, allowed: bool = True, timeout: float | None = None) -> RuntimeFailure | None:
    """What the check says of that program."""
    options = {"run": CommandRef(argv=argv, allowed=allowed)}
    context = Dialing(Here("laptop"), CheckRef(type="command", options=options, timeout=timeout))

    async def scene() -> RuntimeFailure | None:
        try:
            await CommandCheck().run(context)
        except RuntimeFailure as failure:
            return failure
        return None

    return asyncio.run(scene())


def test_a_program_that_is_content_proves_the_tunnel_which_is_in_its_environment() -> None:
    code = "import os; assert (os.environ['ORCHESTRA_DESK_PORT'], bool(os.environ['PATH'])) == ('4000', True)"
    assert ran(sys.executable, "-c", code) is None


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("false",), "desk: `false` ended with 1"),
        (("sh", "-c", "echo one; echo two >&2; exit 3"), "ended with 3: two"),
        (("sh", "-c", "kill -9 $$"), "was ended by signal 9"),
        (("sh", "-c", "printf '\\033[2J'; exit 1"), "ended with 1: ·[2J"),
        (("no-such-program", "-x"), "`no-such-program -x` cannot be run: No such file or directory"),
        (("/",), "cannot be run: Permission denied"),
        (("a\0b",), "cannot be run: embedded null byte"),
    ],
)
def test_what_went_wrong_is_said(argv: tuple[str, ...], said: str) -> None:
    failure = ran(*argv)
    assert failure is not None
    assert said in str(failure)
    assert str(failure).isprintable()


def test_a_file_does_not_allow_itself() -> None:
    failure = ran("true", allowed=False)
    assert failure is not None
    assert "was not run" in str(failure)
    assert "--allow-exec" in str(failure.suggestion)


def test_one_that_does_not_end_is_ended_with_all_that_it_started(tmp_path) -> None:
    note = tmp_path / "pid"
    failure = ran("sh", "-c", f"sleep 600 & echo $! > {note}; wait", timeout=0.3)
    assert failure is not None
    assert "did not end within 0.3 seconds" in str(failure)
    status = Path(f"/proc/{note.read_text().strip()}/status")
    asyncio.run(settled(lambda: not status.exists() or "State:\tZ" in status.read_text()))


def test_of_what_it_prints_the_end_is_kept() -> None:
    failure = ran("sh", "-c", f"head -c {50 * MOST} /dev/zero; echo; echo the end; exit 1")
    assert failure is not None
    assert str(failure).endswith("ended with 1: the end")
