"""Targets say what their scripts have, when they have heard what those wait for."""

import asyncio

import pytest

from orchestra.testing import Collector, MemoryNetwork, run_virtual
from orchestra.testing.targets import Cut, Paced, Script, after


async def _connected(target):
    network = MemoryNetwork()
    here, server = network.place("laptop"), network.place("server")

    async def accept(_peer):
        return target

    await server.create_server(accept, "*", 80)
    _, client = await here.create_connection(Collector, "server", 80)
    return client


def test_a_script_waits_for_what_it_has_to_hear():
    async def main():
        client = await _connected(Script(b"ready\n", after(b"hello.*\n", b"welcome\n"), b"what next\n"))
        assert await client.receive(6) == b"ready\n"
        await client.send(b"hello")
        await asyncio.sleep(1)
        assert bytes(client.data) == b"ready\n"
        await client.send(b" there\n")
        assert await client.receive(24) == b"ready\nwelcome\nwhat next\n"
        client.stream.write_eof()
        await client.eof.wait()

    run_virtual(main())


@pytest.mark.parametrize(("delay", "size", "due"), [(0.5, None, 0.5), (0.1, 1, 0.6)])
def test_what_a_paced_one_says_takes_its_time(delay, size, due):
    async def main():
        client = await _connected(Paced(Script(b"ready\n"), delay=delay, size=size))
        began = asyncio.get_running_loop().time()
        assert await client.receive(6) == b"ready\n"
        assert asyncio.get_running_loop().time() - began == pytest.approx(due, abs=0.01)

    run_virtual(main())


@pytest.mark.parametrize(("said", "heard"), [(b"ready\n", b"r"), (b"r", b"")])
def test_one_that_is_cut_says_no_more_than_a_byte(said, heard):
    async def main():
        client = await _connected(Cut(Script(said, said)))
        await asyncio.sleep(1)
        assert bytes(client.data) == heard
        assert not client.ended.is_set()

    run_virtual(main())
