from __future__ import annotations

import asyncio
import os
import selectors
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from orchestra.assembly import loop
from orchestra.assembly.loop import LONGEST_LULL, LULL, EagerSelector, Ready, run

LONG = 600.0
"""Seconds: longer than any test."""
HERE, THERE = 0, 1


class Clock:
    """Goes on by so many seconds whenever it is asked."""

    step = now = 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


class Sides:
    """Two connections of which one end each is watched: bytes come from here or from there."""

    def __init__(self, selector: EagerSelector, stack: ExitStack) -> None:
        self.selector = selector
        self._peers: list[socket.socket] = []
        self._watched: list[socket.socket] = []
        for _ in (HERE, THERE):
            watched, peer = (stack.enter_context(closing(end)) for end in socket.socketpair())
            selector.register(watched, selectors.EVENT_READ)
            self._peers.append(peer)
            self._watched.append(watched)

    def comes(self, side: int) -> None:
        """A byte comes from that side, and is taken."""
        self._peers[side].send(b"x")
        ((key, events),) = self.selector.select()
        assert (key.fileobj, events) == (self._watched[side], selectors.EVENT_READ)
        assert self._watched[side].recv(2) == b"x"

    def fits(self, side: int) -> None:
        """It can be written to that side, which somebody waited for."""
        self.selector.modify(self._watched[side], selectors.EVENT_WRITE)
        ((_, events),) = self.selector.select()
        assert events == selectors.EVENT_WRITE
        self.selector.modify(self._watched[side], selectors.EVENT_READ)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sides(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Sides]:
    with ExitStack() as stack:
        selector = EagerSelector(getattr(request, "param", LONG), clock)
        yield Sides(stack.enter_context(closing(selector)), stack)


def test_it_polls_while_two_sides_talk(sides: Sides) -> None:
    sides.comes(HERE)
    sides.comes(THERE)
    for side in (HERE, THERE, HERE):
        sides.comes(side)
        assert sides.selector.eager


def test_a_stream_from_one_side_gathers_in_sleeps(sides: Sides) -> None:
    for side in (THERE, HERE, HERE, HERE):
        sides.comes(side)
    assert not sides.selector.eager
    sides.comes(THERE)
    sides.comes(HERE)
    assert sides.selector.eager


def test_that_the_other_side_can_take_more_is_no_answer(sides: Sides) -> None:
    for _ in range(2):
        sides.comes(HERE)
        sides.fits(THERE)
        assert not sides.selector.eager


def test_one_of_many_is_no_talk(sides: Sides) -> None:
    with closing(socket.socket(type=socket.SOCK_DGRAM)) as third:
        third.bind(("127.0.0.1", 0))
        sides.selector.register(third, selectors.EVENT_READ)
        for _ in range(2):
            sides.comes(HERE)
            sides.comes(THERE)
            third.sendto(b"x", third.getsockname())
            assert [key.fileobj for key, _ in sides.selector.select()] == [third]
            assert third.recv(2) == b"x"
            assert not sides.selector.eager


def test_it_polls_for_a_side_that_answered_soon_and_sleeps_for_one_that_did_not(sides: Sides, clock: Clock) -> None:
    polled = {HERE: False, THERE: False}
    for side in (HERE, THERE) * 3:
        polled[side] = sides.selector.eager
        clock.step = 2 * LONG if side == THERE else 0.0
        sides.comes(side)
    assert polled == {HERE: True, THERE: False}
    clock.step = 0.0
    sides.comes(HERE)
    sides.comes(THERE)  # soon, for once
    sides.comes(HERE)
    assert sides.selector.eager


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """For how long it slept, each time; 0 is a look whether something came."""
    asked: list[float] = []
    select = selectors.DefaultSelector.select

    def recorded(self: selectors.DefaultSelector, timeout: float | None = None) -> Ready:
        asked.append(LONG if timeout is None else timeout)
        return select(self, 0)

    monkeypatch.setattr(selectors.DefaultSelector, "select", recorded)
    return asked


@pytest.mark.parametrize("eager", [False, True])
def test_no_wait_is_longer_than_it_was_told(sides: Sides, clock: Clock, slept: list[float], eager: bool) -> None:
    clock.step = 0.0001
    sides.selector.eager = eager
    assert sides.selector.select(0.001) == []
    assert sides.selector.select(0) == []
    assert sides.selector.select(-1) == []
    assert not sides.selector.eager
    assert clock.now < 0.002
    assert (slept.count(0.0) > 5) == eager  # it polled all the time
    assert max(slept) < 0.001


@pytest.mark.parametrize("sides", [0.0005], indirect=True)
def test_polling_gives_way_and_when_it_was_in_vain_there_is_none_for_a_while(
    sides: Sides, clock: Clock, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []
    monkeypatch.setattr(loop, "_give_way", lambda: given.append(clock.now))
    clock.step = 0.0001

    def polls(timeout: float) -> int:
        given.clear()
        sides.selector.eager = True
        assert sides.selector.select(timeout) == []
        return len(given)

    assert polls(0.0003) > 0  # as long as it was told
    assert polls(0.002) > 2
    assert 0.001 < slept[-1] < 0.0015  # for what was left
    assert polls(0.002) == 0
    clock.now += LULL
    assert polls(0.002) > 2


@pytest.mark.parametrize("sides", [0.0005], indirect=True)
def test_each_time_in_vain_it_pauses_for_longer_and_for_less_when_it_was_not(sides: Sides, clock: Clock) -> None:
    def pause() -> float:
        """Until it polls again, after once more in vain."""
        clock.step = 0.00001
        sides.selector.eager = True
        assert sides.selector.select(0.001) == []
        return sides.selector._again - clock.now

    first = [pause()]
    for _ in range(8):
        clock.now = sides.selector._again
        first.append(pause())
    assert first[:4] == pytest.approx([LULL, 2 * LULL, 4 * LULL, 8 * LULL], abs=LULL / 10)
    assert first[-2:] == pytest.approx([LONGEST_LULL] * 2, abs=LULL / 10)
    for _ in range(2):
        clock.now, clock.step = sides.selector._again, 0.0
        sides.selector.eager = True
        sides.comes(HERE)
    assert pause() == pytest.approx(LONGEST_LULL / 4, abs=LULL / 10)


async def kind_of_selector() -> str:
    loop = asyncio.get_running_loop()
    return type(loop._selector).__name__  # type: ignore[attr-defined]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process to processors")
@pytest.mark.skipif(len(getattr(os, "sched_getaffinity", lambda _: ())(0)) < 2, reason="one processor")
def test_a_loop_polls_where_another_processor_can_answer_meanwhile() -> None:
    assert run(kind_of_selector()) == "EagerSelector"
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert run(kind_of_selector()) != "EagerSelector"
    finally:
        os.sched_setaffinity(0, allowed)


def test_what_the_work_returns_and_raises_comes_out() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    async def fails() -> None:
        raise LookupError("nothing")

    assert run(work()) == 7
    with pytest.raises(LookupError, match="nothing"):
        run(fails())


def test_programs_can_be_started_in_it() -> None:
    async def work() -> int | None:
        program = await asyncio.create_subprocess_exec(sys.executable, "-c", "raise SystemExit(3)")
        return await program.wait()

    assert run(work()) == 3
