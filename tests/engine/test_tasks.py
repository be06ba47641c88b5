"""What an engine does, each in a task of its own."""

from __future__ import annotations

import asyncio

from orchestra.engine.tasks import Tasks
from orchestra.testing import run_virtual


async def forever() -> None:
    await asyncio.Event().wait()


async def reluctant() -> None:
    """Takes its time to end."""
    try:
        await forever()
    finally:
        await asyncio.sleep(1)


async def at_once() -> None:
    """Ends at once."""


async def broken() -> None:
    raise KeyError("a bug")


def test_a_task_is_known_by_what_it_does_and_for_whom_until_it_ends() -> None:
    async def main() -> None:
        tasks = Tasks(list[BaseException]().append)
        tasks.start("probe", "gateway", at_once())
        tasks.start("check", "desk", forever())
        assert tasks.runs("probe", "gateway")
        assert not tasks.runs("probe", "desk")
        await asyncio.sleep(0)
        assert not tasks.runs("probe", "gateway")
        assert tasks.runs("check", "desk")
        tasks.cancel("check", "desk")
        tasks.cancel("check", "desk")
        assert not tasks.runs("check", "desk")

    run_virtual(main())


def test_what_was_cancelled_is_still_waited_for_at_the_end() -> None:
    async def main() -> None:
        tasks = Tasks(list[BaseException]().append)
        tasks.start("session", "gateway", reluctant())
        tasks.start("check", "desk", forever())
        tasks.in_background("release", forever())
        await asyncio.sleep(0)
        tasks.cancel("session", "gateway")
        left = tasks.cancel_all()
        told = sorted(task.get_name() for task in left)
        assert told == ["check desk", "release", "session gateway"]
        await asyncio.wait(left)
        assert tasks.cancel_all() == set()

    run_virtual(main())


def test_a_fault_in_one_is_told_and_an_end_is_none() -> None:
    async def main() -> None:
        faults: list[BaseException] = []
        tasks = Tasks(faults.append)
        tasks.start("session", "gateway", broken())
        tasks.in_background("release", broken())
        tasks.start("check", "desk", forever())
        tasks.start("probe", "edge", at_once())
        await asyncio.sleep(0)
        tasks.cancel("check", "desk")
        await asyncio.sleep(0.01)
        assert [type(fault) for fault in faults] == [KeyError, KeyError]

    run_virtual(main())
