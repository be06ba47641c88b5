"""A receiver that keeps what it is told."""

from __future__ import annotations

import asyncio

from orchestra.session import Stream
from orchestra.testing import Collector, MemoryNetwork, run_virtual


async def pair(near: Collector, far: Collector) -> tuple[Stream, Stream]:
    place = MemoryNetwork().place("machine")

    async def accept(_peer: object) -> Collector:
        return far

    await place.create_server(accept, "127.0.0.1", 80)
    await place.create_connection(lambda: near, "127.0.0.1", 80)
    assert near.stream is not None
    assert far.stream is not None
    return near.stream, far.stream


def test_receive_waits_for_so_much_or_for_an_end() -> None:
    async def scene() -> None:
        near, far = Collector(), Collector()
        ours, theirs = await pair(near, far)
        waiting = asyncio.create_task(near.receive(6))
        theirs.write(b"abc")
        await asyncio.sleep(1)
        assert not waiting.done()
        theirs.write(b"defg")
        assert await waiting == b"abcdefg"
        theirs.write_eof()
        assert await near.receive(100) == b"abcdefg"
        assert near.calls == ["made", "eof"]
        ours.close()
        await near.ended.wait()
        assert near.error is None

    run_virtual(scene())


def test_an_echo_says_what_it_hears_and_ends_when_it_does() -> None:
    async def scene() -> None:
        near, far = Collector(), Collector(echo=True)
        ours, _ = await pair(near, far)
        await near.send(b"hello")
        assert await near.receive(5) == b"hello"
        ours.write_eof()
        await near.eof.wait()
        assert bytes(far.data) == b"hello"

    run_virtual(scene())


def test_sending_waits_as_long_as_the_stream_is_full() -> None:
    async def scene() -> None:
        near, far = Collector(), Collector(paused=True)
        _, theirs = await pair(near, far)
        await near.send(bytes(1 << 20))
        assert near.calls[-1] == "pause"
        second = asyncio.create_task(near.send(b"x"))
        await asyncio.sleep(60)
        assert not second.done()
        theirs.resume_reading()
        await second
        assert near.calls[-1] == "resume"
        assert len(await far.receive((1 << 20) + 1)) == (1 << 20) + 1

    run_virtual(scene())


def test_a_broken_stream_is_an_end_with_its_error() -> None:
    async def scene() -> None:
        near, far = Collector(), Collector()
        _, theirs = await pair(near, far)
        waiting = asyncio.create_task(near.receive(1))
        theirs.abort()
        assert await waiting == b""
        assert isinstance(near.error, ConnectionResetError)
        await near.send(b"into the void")
        assert near.calls == ["made", "lost"]

    run_virtual(scene())
