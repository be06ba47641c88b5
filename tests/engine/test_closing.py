from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orchestra.engine.closing import close_sessions, finish
from orchestra.testing import run_virtual


class Closing:
    """A session that takes its time to close."""

    def __init__(self, name: str, seconds: float, log: list[str]) -> None:
        self.name, self.seconds, self.log = name, seconds, log
        self.ended = asyncio.Event()

    def close(self) -> None:
        self.log.append(f"close {self.name}")
        asyncio.get_running_loop().call_later(self.seconds, self.ended.set)

    def abort(self) -> None:
        self.log.append(f"abort {self.name}")
        self.ended.set()

    async def wait_closed(self) -> None:
        await self.ended.wait()


def test_children_first_each_level_together() -> None:
    async def main() -> list[str]:
        log: list[str] = []
        sessions: list[tuple[int, Any]] = [
            (depth, Closing(name, 1.0, log)) for depth, name in [(1, "a"), (2, "b"), (1, "c"), (3, "d")]
        ]
        await close_sessions(sessions, 60.0)
        assert asyncio.get_running_loop().time() == 3.0
        return log

    assert run_virtual(main()) == ["close d", "close b", "close a", "close c"]


def test_what_does_not_close_in_time_is_aborted_and_leaves_time_for_the_others() -> None:
    async def main() -> list[str]:
        log: list[str] = []
        sessions: list[tuple[int, Any]] = [(2, Closing("stuck", 99.0, log)), (1, Closing("quick", 0.5, log))]
        await close_sessions(sessions, 4.0)
        assert asyncio.get_running_loop().time() <= 4.0
        return log

    assert run_virtual(main()) == ["close stuck", "abort stuck", "close quick"]


def test_bounded_work_is_finished_however_often_it_is_cancelled() -> None:
    async def main() -> None:
        done: list[float] = []

        async def work() -> None:
            await asyncio.sleep(3)
            done.append(asyncio.get_running_loop().time())

        hurried: list[float] = []
        task = asyncio.create_task(finish(work(), lambda: hurried.append(asyncio.get_running_loop().time())))
        for _ in range(2):
            await asyncio.sleep(1)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (done, hurried) == ([3.0], [1.0, 2.0])

    run_virtual(main())
