"""What clocks do: rows 34 and 35 of docs/faults.md."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from orchestra.engine.core.messages import NetworkChanged, Resumed
from tests.faults.field import TWO_HOPS, field, long, take
from tests.faults.leaks import play
from tests.lab.netns.labs import needs_namespaces

pytestmark = needs_namespaces

DAY = 86_400.0


def test_fault_34_after_a_suspend_nobody_waits_for_the_next_attempt() -> None:
    async def scene() -> None:
        async with field() as up:
            await up.until_ready()
            await up.lab.stop_server("gateway")
            await up.until(lambda: up.session("gateway").error is not None and up.error("gateway").attempts >= 4)
            await up.lab.start_server("gateway")
            up.eyes.tell(Resumed())
            assert await up.until_back() < 1

    play(scene())


@long
@pytest.mark.parametrize("event", [Resumed(), NetworkChanged()], ids=["suspend", "network"])
def test_fault_34_what_died_meanwhile_is_noticed_sooner_than_by_its_silence(event: Resumed | NetworkChanged) -> None:
    usual = TWO_HOPS.replace("keepalive: 1s", "keepalive: 15s").replace("keepalive: 1500ms", "keepalive: 20s")

    async def scene() -> None:
        async with field(usual) as up:
            await up.until_ready()
            await up.drop("gateway")
            up.eyes.tell(event)
            assert await up.until_lost("gateway") < 7
            assert up.session("inner").error is None
            await up.mend("gateway")
            await up.until_back()

    play(scene())


@pytest.mark.parametrize("jump", [DAY, pytest.param(-DAY, marks=long)])
def test_fault_35_when_the_clock_on_the_wall_jumps_nothing_moves(jump: float) -> None:
    skew = [0.0]

    async def scene() -> None:
        async with field(wall=lambda: time.time() + skew[0]) as up:
            await up.until_ready()
            skew[0] = jump
            await up.stays_quiet(1.5)  # longer than the first hop may be silent
            assert await up.get(1000) == take(1000)
            await up.lab.stop_server("inner")
            await up.until_lost("inner")
            await up.until(lambda: up.error("inner").next_retry is not None)
            error = up.error("inner")
            assert abs(error.since - time.time() - jump) < 10  # told by the clock that people see
            assert error.next_retry
            assert 0 <= error.next_retry - error.since < 10
            await up.lab.start_server("inner")
            await up.until_back()

    play(scene())


WALL = {
    "engine/shell.py": "statuses are for people",
    "engine/ssh/credentials.py": "whether a certificate of ours is valid",
    "engine/ssh/trust.py": "whether a certificate of a server's is valid",
    "engine/surroundings.py": "where the system has no clock that counts suspends",
}
"""Modules below the command line that ask the clock on the wall, and what for."""


def test_fault_35_nothing_else_asks_the_clock_on_the_wall() -> None:
    root = Path(__file__).parents[2] / "orchestra"
    asking = {
        str(path.relative_to(root))
        for folder in ("engine", "session")
        for path in (root / folder).rglob("*.py")
        if re.search(r"\btime\.time\b|\bdatetime\.now\b", path.read_text("utf-8"))
    }
    assert asking == WALL.keys()
