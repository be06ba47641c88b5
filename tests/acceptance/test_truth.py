"""What is promised about bytes: they arrive bit for bit, slow readers hurt nobody, and a cut is never an end."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from orchestra.session.here import Here
from orchestra.testing.collect import Collector
from tests.acceptance.transfers import answer_to, download, expected, talk_first, upload
from tests.acceptance.world import LABS, World, play, world

THREE_HOPS = Path(__file__).parents[2] / "topologies" / "three-hops.yaml"
MEGABYTE = 1 << 20
SIZE = 200 * MEGABYTE
LITTLE = 32 * 1024


@pytest.mark.timeout(180)
@pytest.mark.netns
@pytest.mark.parametrize("kind", LABS[1:])
def test_200_megabytes_through_three_hops_both_ways_while_another_client_reads_nothing(kind: str) -> None:
    async def scene() -> None:
        async with world(THREE_HOPS, kind) as up:
            await up.until_ready()
            async with idle_download(up):
                assert await download(up, "console", SIZE) == (expected(SIZE), SIZE)
                answer = await upload(up, "console", SIZE)
                assert expected(SIZE).encode() in answer
                assert str(SIZE).encode() in answer

    play(scene())


@pytest.mark.netns
@pytest.mark.parametrize("kind", LABS[1:])
def test_many_who_connect_at_once_and_talk_first_are_each_heard_whole(kind: str) -> None:
    async def scene() -> None:
        async with world(THREE_HOPS, kind) as up:
            await up.until_ready()
            digest = expected(LITTLE).encode()
            for _ in range(5):
                talking = [talk_first(up, "console", LITTLE) for _ in range(12)]  # before any of them is accepted
                answers = [await answer_to(each) for each in talking]
                assert [digest in answer for answer in answers] == [True] * 12

    play(scene())


class idle_download:  # noqa: N801 - reads like a function
    """A client that asks for a lot and reads nothing."""

    def __init__(self, up: World) -> None:
        self._up = up

    async def __aenter__(self) -> None:
        self._reader = Collector(paused=True)
        stream, _ = await Here("outside").create_connection(lambda: self._reader, *self._up.entrance("console"))
        stream.write(f"GET /bytes/{SIZE} HTTP/1.0\r\n\r\n".encode())

    async def __aexit__(self, *_: object) -> None:
        assert self._reader.stream
        assert not self._reader.data
        self._reader.stream.abort()


@pytest.mark.parametrize("kind", LABS)
@pytest.mark.parametrize("victim", ["bastion", "plant-gate"])
def test_a_session_cut_in_the_middle_of_a_download_ends_in_a_reset(kind: str, victim: str) -> None:
    async def scene() -> None:
        async with world(THREE_HOPS, kind) as up:
            await up.until_ready()
            reader, writer = await asyncio.open_connection(*up.entrance("console"))
            writer.write(f"GET /bytes/{SIZE} HTTP/1.0\r\n\r\n".encode())
            await reader.readexactly(MEGABYTE)
            await up.lab.stop_server(victim)
            with pytest.raises(ConnectionResetError):
                await reader.read(-1)
            writer.transport.abort()

    play(scene())


@pytest.mark.parametrize("kind", LABS)
def test_half_close_passes_in_each_direction_by_itself(kind: str) -> None:
    async def scene() -> None:
        async with world(THREE_HOPS, kind) as up:
            await up.until_ready()
            reader, writer = await asyncio.open_connection(*up.entrance("console"))
            writer.write(b"over")
            writer.write_eof()
            assert await reader.read() == b"console on console\nover"
            writer.close()

    play(scene())


@pytest.mark.parametrize("kind", LABS)
def test_a_tunnel_comes_back_by_itself_and_its_port_is_never_given_up(kind: str) -> None:
    async def scene() -> None:
        async with world(THREE_HOPS, kind) as up:
            await up.until_ready()
            await up.lab.stop_server("jump")
            await up.until(lambda: up.tunnel("console").state == "degraded")
            with socket.create_connection(up.entrance("console")):
                assert up.session("plant-gate").error is None  # a child is not blamed for its parent
            error = up.session("jump").error
            assert error
            assert error.host == "jump"
            await up.lab.start_server("jump")
            await up.until_ready()
            assert (await download(up, "console", MEGABYTE))[1] == MEGABYTE

    play(scene())
