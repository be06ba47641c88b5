"""One stay of ``up``, in this process: what it tells its log, and what ends it."""

from __future__ import annotations

import asyncio
import io

import pytest

from orchestra.assembly import topology
from orchestra.assembly.journal import journal
from orchestra.assembly.readiness import GaveUp
from orchestra.assembly.signals import Interrupts
from orchestra.cli.console import Channel, Console
from orchestra.cli.options import Selection, Source
from orchestra.cli.starting import Starting, prepare
from orchestra.cli.staying import Stay
from orchestra.errors import RuntimeFailure
from orchestra.lab.kind import LabKind
from orchestra.render.style import PLAIN
from tests.cli.instances import LAB, refusing


@pytest.fixture
def stay(home, cli):
    """``stay(text, lab=…, …)``: one stay, cancelled when it is ready if asked for; its exit code and what was said."""

    def run(text, *, lab=None, end_when_ready=False, **options):
        home.write(text)
        console = Console(Channel(io.StringIO(), PLAIN), Channel(io.StringIO(), PLAIN))
        launch = prepare(console, Source(file="office.yaml"), Selection(), Starting(lab=lab))
        place = home.place()
        place.directory.mkdir(parents=True, mode=0o700)

        async def main(entries):
            stay = Stay(console=console, launch=launch, plugins=topology.plugins(), place=place, log=entries, **options)
            task = asyncio.create_task(stay.run(Interrupts(asyncio.get_running_loop())))
            while end_when_ready and not stay.was_ready:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.01)
            if end_when_ready:
                task.cancel()
            return await task

        try:
            with journal(home.path / "log") as entries:
                code = asyncio.run(asyncio.wait_for(main(entries), 20))
            return code, console.err.stream.getvalue()
        finally:
            place.directory.rmdir()

    return run


def log(home):
    """What the log says, without the times."""
    return [line.split(" ", 1)[1] for line in (home.path / "log").read_text().splitlines()]


def test_ended_after_it_was_ready_it_has_done_its_work_and_its_log_tells_it_all(home, stay):
    code, said = stay(LAB, lab=LabKind.EMBEDDED, end_when_ready=True)
    lines = log(home)
    assert (code, said.splitlines()[-1]) == (0, "office is down")
    assert lines[0].startswith("office starts, pid ")
    assert any("tunnel db: ready" in line for line in lines)
    assert lines[-1] == "office has ended"


def test_what_is_not_ready_in_time_is_given_up_with_the_reason_in_the_log(home, stay, closed):
    with pytest.raises(GaveUp):
        stay(refusing(closed), limit=0.2)
    assert log(home)[-2:] == ["error: office is not ready after 0.2 s", "office has ended"]


def test_who_wants_to_fail_fast_is_told_the_first_failure(home, stay, closed):
    with pytest.raises(RuntimeFailure, match="refused"):
        stay(refusing(closed), fail_fast=True)
    assert log(home)[-1] == "office has ended"
