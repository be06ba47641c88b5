"""A receiver that keeps what it is told."""

from __future__ import annotations

import asyncio

import pytest

from orchestra.session import Stream
from orchestra.testing import MemoryNetwork, run_virtual
from orchestra.testing.collect import CHUNK, Collector, stream_of, transfer


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


class Careless(Collector):
    """Turns the bytes of every piece around."""

    def data_received(self, data: bytes, /) -> None:
        super().data_received(data[::-1])


def test_what_is_transferred_arrives_as_it_was_or_that_is_said() -> None:
    async def scene() -> None:
        near, far = Collector(), Careless()
        await pair(near, far)
        await transfer(far, near, 4 * len(CHUNK))
        assert len(near.data) == 4 * len(CHUNK)
        with pytest.raises(AssertionError, match="65536 of 65536 bytes arrived, or not as they were"):
            await transfer(near, far, len(CHUNK))
        stream_of(near).write_eof()
        with pytest.raises(AssertionError, match="0 of 65536 bytes arrived"):
            await transfer(far, far, len(CHUNK))

    run_virtual(scene())


def test_who_is_not_connected_has_no_stream() -> None:
    with pytest.raises(AssertionError, match="not connected"):
        stream_of(Collector())
