"""Tasks that end with what they belong to."""

from __future__ import annotations

import asyncio
import socket

from orchestra.lab.embedded.tasks import Tasks


def test_cancelled_before_it_began_it_still_closes_its_socket() -> None:
    began = []

    async def work() -> None:
        began.append(True)

    async def scene() -> int:
        ours, theirs = socket.socketpair()
        tasks = Tasks()
        tasks.start(work(), ours)
        with theirs:
            await tasks.close()
            assert theirs.recv(1) == b""
        return ours.fileno()

    assert asyncio.run(scene()) == -1
    assert began == []


def test_closing_waits_for_those_that_take_their_time() -> None:
    ended = []

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(True)

    async def scene() -> None:
        tasks = Tasks()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            tasks.start(stubborn(), ours)
            await asyncio.sleep(0)
            await tasks.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scene())
    assert ended == [True]


def test_work_that_is_done_keeps_its_socket() -> None:
    async def scene() -> bool:
        ours, theirs = socket.socketpair()
        tasks = Tasks()
        tasks.start(asyncio.sleep(0), ours)
        await asyncio.sleep(0.001)
        await tasks.close()
        with ours, theirs:
            return ours.fileno() >= 0

    assert asyncio.run(scene())
