"""Frames in any pieces, and the queues of an outbox on a clock of the tests' own."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orchestra_plugins.udp.wire import DATA, OPEN, OVERHEAD, ROOM, WRAP, Outbox, Parser, Policy, frame

PLAIN = Policy(age=0.25, room=4 * (100 + OVERHEAD))
FRAMES = st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, WRAP), st.binary(max_size=70)))


@given(FRAMES, st.lists(st.integers(1, 30), min_size=1))
def test_frames_survive_any_cut(frames: list[tuple[int, int, int, bytes]], cuts: list[int]) -> None:
    stream = b"".join(frame(kind, flow, body, flags) for kind, flags, flow, body in frames)
    parser, found, at = Parser(), [], 0
    while at < len(stream):
        step = cuts[at % len(cuts)]
        found += parser.feed(stream[at : at + step])
        at += step
    assert found == frames
    assert parser.received == len(stream)


@pytest.mark.parametrize("size", [0, 1, 65507, 65535])
def test_every_size_that_udp_has(size: int) -> None:
    body = random.Random(size).randbytes(size)  # noqa: S311
    assert Parser().feed(frame(DATA, 7, body)) == [(DATA, 0, 7, body)]


def sent(outbox: Outbox) -> list[tuple[int, bytes]]:
    return [(flow, body) for _, _, flow, body in Parser().feed(outbox.take())]


def test_what_fits_goes_at_once_and_the_rest_when_it_is_acknowledged() -> None:
    outbox = Outbox(window=2 * 108)
    for number in range(4):
        outbox.datagram(2, bytes([number]) * 100, PLAIN, now=0.0)
    assert [body[0] for _, body in sent(outbox)] == [0, 1]
    outbox.release(0.1)
    assert sent(outbox) == []
    outbox.acknowledge(108)
    outbox.release(0.1)
    assert [body[0] for _, body in sent(outbox)] == [2]
    outbox.acknowledge(3 * 108)
    outbox.release(0.1)
    assert [body[0] for _, body in sent(outbox)] == [3]
    assert (len(outbox.queues), outbox.dropped) == (0, {})


def test_acknowledgements_wrap_round() -> None:
    outbox = Outbox(window=1000)
    for _ in range(3):
        outbox._sent = (outbox._sent | WRAP) - 50
        outbox.acknowledge(outbox._sent & WRAP)
        outbox.datagram(2, b"x" * 100, PLAIN, 0.0)
        assert sent(outbox) == [(2, b"x" * 100)]
        outbox.acknowledge(outbox._sent & WRAP)


@pytest.mark.parametrize(("head", "left"), [(False, [0, 1, 2, 3]), (True, [6, 7, 8, 9])])
def test_a_full_queue_drops_whole_datagrams(head: bool, left: list[int]) -> None:
    outbox = Outbox(window=0)
    for number in range(10):
        outbox.datagram(2, bytes([number]) * 100, Policy(1.0, PLAIN.room, head), 0.0)
    outbox.window = 10_000
    outbox.release(0.0)
    assert [body[0] for _, body in sent(outbox)] == left
    assert outbox.dropped == {(2, "queue"): 6}


def test_what_waits_too_long_is_dropped_and_the_next_end_is_known() -> None:
    outbox = Outbox(window=0)
    outbox.datagram(2, b"early", PLAIN, 0.0)
    outbox.datagram(2, b"late", PLAIN, 0.2)
    outbox.datagram(4, b"other", PLAIN, 0.1)
    assert outbox.expire(0.0) == pytest.approx(0.25)
    assert outbox.expire(0.3) == pytest.approx(0.35)
    assert outbox.dropped == {(2, "age"): 1}
    outbox.window = 1000
    outbox.release(0.4)
    assert sent(outbox) == [(2, b"late")]
    assert outbox.dropped == {(2, "age"): 1, (4, "age"): 1}
    assert outbox.expire(9.0) is None


def test_flows_are_served_by_turns() -> None:
    outbox = Outbox(window=0)
    for _ in range(3):
        outbox.datagram(2, b"greedy", PLAIN, 0.0)
    outbox.datagram(4, b"modest", PLAIN, 0.0)
    outbox.window = 1000
    outbox.release(0.0)
    assert [flow for flow, _ in sent(outbox)] == [2, 4, 2, 2]


def test_a_stream_that_is_full_holds_datagrams_back_and_nothing_else() -> None:
    outbox = Outbox(window=1000)
    outbox.paused = True
    outbox.datagram(2, b"later", PLAIN, 0.0)
    outbox.control(frame(OPEN, 4))
    assert [flow for flow, _ in sent(outbox)] == [4]
    outbox.paused = False
    outbox.release(0.0)
    assert sent(outbox) == [(2, b"later")]


def test_a_flow_that_ends_takes_what_waits_with_it() -> None:
    outbox = Outbox(window=0)
    for flow in (2, 2, 4):
        outbox.datagram(flow, b"x", PLAIN, 0.0)
    outbox.forget(2)
    assert (len(outbox.queues), outbox.dropped) == (1, {(2, "closed"): 2})


def test_all_queues_together_are_bounded() -> None:
    outbox, wide = Outbox(window=0), Policy(1.0, ROOM)
    for flow in range(2, 400, 2):
        outbox.datagram(flow, b"x" * 60_000, wide, 0.0)
    assert outbox._held <= ROOM
    assert sum(outbox.dropped.values()) > 0


@given(st.integers(0, 1 << 32), st.integers(100, 3000))
def test_nothing_is_lost_that_is_not_counted(seed: int, window: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    outbox, there, now, given_, arrived = Outbox(window), Parser(), 0.0, 0, 0
    for _ in range(200):
        now += chance.random() / 20
        for _ in range(chance.randrange(4)):
            policy = Policy(chance.random(), chance.randrange(100, 3000), chance.random() < 0.5)
            outbox.datagram(chance.randrange(3), b"x" * chance.randrange(300), policy, now)
            given_ += 1
        outbox.release(now)
        arrived += len(there.feed(outbox.take()))
        if chance.random() < 0.3:
            outbox.acknowledge(there.received & WRAP)
    for flow in range(3):
        outbox.forget(flow)
    arrived += len(there.feed(outbox.take()))
    assert given_ == arrived + sum(outbox.dropped.values())
    assert outbox._held == 0


def test_garbage_is_parsed_without_harm() -> None:
    chance = random.Random(7)  # noqa: S311
    for _ in range(300):
        parser = Parser()
        for _ in range(5):
            assert all(len(body) <= 65535 for *_, body in parser.feed(chance.randbytes(chance.randrange(300))))
