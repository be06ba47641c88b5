"""What happens to this machine."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestra.engine.core.messages import NetworkChanged
from orchestra.engine.surroundings import TICK, asleep, changes, suspends
from orchestra.testing import run_virtual
from tests.acceptance.world import needs_netns

ROOT = Path(__file__).parents[2]


def test_a_jump_between_the_clocks_is_told_once_and_small_differences_are_not() -> None:
    async def main() -> None:
        clock, told = [5.0], list[float]()
        loop = asyncio.get_running_loop()
        with suspends(lambda: told.append(loop.time()), lambda: clock[0]):
            await asyncio.sleep(10 * TICK + 0.1)
            clock[0] += 0.5
            await asyncio.sleep(TICK)
            assert told == []
            clock[0] += 3600.0
            await asyncio.sleep(5 * TICK)
            assert told == [12 * TICK]

    run_virtual(main())


def test_the_clocks_of_this_machine_do_not_come_apart_by_themselves() -> None:
    assert abs(asleep() - asleep()) < 0.1


def test_without_a_clock_that_counts_suspends_the_wall_clock_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    assert abs(asleep() - asleep()) < 0.1


def test_where_the_system_says_nothing_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "AF_NETLINK", raising=False)

    async def main() -> None:
        with changes(lambda: pytest.fail("told")):
            await asyncio.sleep(10.0)

    run_virtual(main())


SHAKEN = """
import asyncio, subprocess
from orchestra.engine.surroundings import watched

async def main():
    arrived = asyncio.Event()

    def tell(event):
        print(type(event).__name__)
        arrived.set()

    with watched(tell):
        for command in ("link set lo up", "address add 192.0.2.1/32 dev lo", "address delete 192.0.2.1/32 dev lo"):
            process = await asyncio.create_subprocess_exec("ip", *command.split())
            assert await process.wait() == 0
        async with asyncio.timeout(10):
            await arrived.wait()

asyncio.run(main())
"""


@needs_netns
@pytest.mark.netns
def test_addresses_that_come_and_go_are_told_once_for_a_swarm() -> None:
    command = ("unshare", "--net", sys.executable, "-c", SHAKEN)
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert (run.stdout.split(), run.returncode) == ([NetworkChanged.__name__], 0), run.stderr
