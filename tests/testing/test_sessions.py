"""The memory session passes the suite that all sessions pass."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from orchestra.testing import MemoryNetwork, run_virtual, sessions
from orchestra.testing.sessions import RULES, Arena, hold
from orchestra.testing.streams import MemoryStream


@asynccontextmanager
async def _arena():
    network = MemoryNetwork()
    session, neighbour = network.place("machine"), network.place("machine")

    async def lose():
        session.lose()

    yield Arena(session=session, neighbour=neighbour, lose=lose)
    session.close()
    neighbour.close()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_memory(rule):
    hold(rule, _arena)


def nothing(stream, *_):
    """A method that was forgotten."""


def end_cleanly(stream, _reason):
    stream._finish(None)


def end_both_ways(stream):
    stream.break_off(ConnectionResetError())


@pytest.mark.parametrize(
    ("rule", "method", "broken"),
    [
        (sessions.our_end_of_file_leaves_their_direction_open, "write_eof", end_both_ways),
        (sessions.a_paused_receiver_stops_the_peer, "pause_reading", nothing),
        (sessions.a_slow_reader_stops_its_writer_and_nobody_else, "pause_reading", nothing),
        (sessions.an_abort_is_noticed, "abort", nothing),
        (sessions.a_loss_is_no_end_of_file, "break_off", end_cleanly),
        (sessions.both_ends_of_file_end_cleanly, "feed_eof", nothing),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_a_stream_that_breaks_a_promise_is_found_out(monkeypatch, rule, method, broken):
    monkeypatch.setattr(MemoryStream, method, broken)
    with pytest.raises((AssertionError, TimeoutError)):
        hold(rule, _arena, run_virtual)


def test_a_task_that_is_left_behind_is_found_out():
    left = []

    @asynccontextmanager
    async def untidy():
        left.append(asyncio.create_task(asyncio.sleep(3600)))
        async with _arena() as arena:
            yield arena

    with pytest.raises(AssertionError):
        hold(sessions.dialing_carries_both_ways, untidy, run_virtual)
    assert left[0].cancelled()
