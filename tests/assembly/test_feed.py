from __future__ import annotations

import asyncio

from orchestra.assembly.feed import BACKLOG, Feed
from orchestra.model.events import Closed, Noticed, Occurrence

LAST = Occurrence(time=9.0, event=Closed())


def notice(number: int) -> Occurrence:
    return Occurrence(time=float(number), event=Noticed(host=None, message=str(number)))


def test_every_reader_gets_what_comes_after_it_subscribed_until_the_end() -> None:
    async def scene() -> tuple[list[Occurrence], list[Occurrence]]:
        feed = Feed()
        with feed.subscribed() as first:
            feed.publish(notice(1))
            with feed.subscribed() as second:
                feed.publish(notice(2))
                feed.close(LAST)
                return [event async for event in first], [event async for event in second]

    assert asyncio.run(scene()) == ([notice(1), notice(2), LAST], [notice(2), LAST])


def test_who_comes_after_the_end_gets_the_end() -> None:
    async def scene() -> list[Occurrence]:
        feed = Feed()
        feed.close(LAST)
        with feed.subscribed() as news:
            return [event async for event in news]

    assert asyncio.run(scene()) == [LAST]


def test_a_reader_that_lags_too_far_is_cut_off_and_hinders_nobody() -> None:
    async def scene() -> int:
        feed = Feed()
        with feed.subscribed() as news:
            for number in range(BACKLOG + 10):
                feed.publish(notice(number))
            return len([event async for event in news])

    assert asyncio.run(scene()) == BACKLOG
