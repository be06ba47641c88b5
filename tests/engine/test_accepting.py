"""Connections that a kind serves itself: known while they live, and ended alone by what the kind does wrong."""

from __future__ import annotations

import asyncio
from typing import Any

from orchestra.engine.accepting import Tracked
from orchestra.session.here import Here
from orchestra.testing import Collector


class Faulty(Collector):
    """Does not stand what it reads."""

    def data_received(self, data: bytes, /) -> None:
        raise ValueError(data.decode())


def serving(receiver: Any, scene: Any) -> tuple[set[Tracked], list[Exception]]:
    """A connection that is tracked while the scene plays at its other end; who lives after it, and what failed."""
    live: set[Tracked] = set()
    failed: list[Exception] = []

    async def main() -> None:
        here = Here("laptop")

        async def accept(peer: Any) -> Tracked:
            return Tracked(receiver, live, failed.append)

        listener = await here.create_server(accept, "127.0.0.1", 0)
        _, dialed = await here.create_connection(Collector, "127.0.0.1", listener.port)
        async with asyncio.timeout(10):
            await scene(dialed, live)
        here.abort()
        await here.wait_closed()

    asyncio.run(main())
    return live, failed


def test_it_hands_everything_on_and_is_known_while_it_lives() -> None:
    receiver = Collector(echo=True)

    async def scene(dialed: Collector, live: set[Tracked]) -> None:
        await dialed.send(b"hello")
        assert await dialed.receive(5) == b"hello"
        assert len(live) == 1
        assert dialed.stream
        dialed.stream.close()
        await receiver.eof.wait()

    assert serving(receiver, scene) == (set(), [])
    assert receiver.calls == ["made", "eof", "lost"]


def test_a_fault_of_the_kind_ends_that_connection_and_is_told() -> None:
    async def scene(dialed: Collector, live: set[Tracked]) -> None:
        await dialed.send(b"poison")
        await dialed.ended.wait()
        assert isinstance(dialed.error, ConnectionResetError)

    live, (fault,) = serving(Faulty(), scene)
    assert (live, str(fault)) == (set(), "poison")


def test_it_can_be_ended_from_outside_also_after_its_end() -> None:
    async def scene(dialed: Collector, live: set[Tracked]) -> None:
        await dialed.send(b"x")
        while not live:  # noqa: ASYNC110 - the other end has no event
            await asyncio.sleep(0.001)
        (tracked,) = live
        tracked.abort()
        await dialed.ended.wait()
        tracked.abort()

    receiver = Collector()
    assert serving(receiver, scene) == (set(), [])
    assert receiver.calls[-1] == "lost"
