"""The parts of the memory network that the conformance suite does not reach."""

import asyncio

import pytest

from orchestra.diagnostics import Code
from orchestra.session import DialRefused
from orchestra.testing import Collector, MemoryNetwork, run_virtual


async def _accept(peer):
    return Collector(echo=True)


def test_a_place_is_dialed_by_name_and_echoes():
    async def main():
        network = MemoryNetwork({"10.0.0.2": "server"})
        here, server = network.place("laptop", is_here=True), network.place("server")
        listener = await server.create_server(_accept, "*", 80)
        _, got = await here.create_connection(Collector, "10.0.0.2", 80)
        await got.send(b"hello")
        assert await got.receive(5) == b"hello"
        got.stream.write_eof()
        await got.eof.wait()
        listener.close()
        with pytest.raises(DialRefused) as refused:
            await here.create_connection(Collector, "server", 80)
        assert refused.value.code == Code.CONNECT_REFUSED

    run_virtual(main())


def test_loopback_means_the_dialer():
    async def main():
        network = MemoryNetwork()
        here, server = network.place("laptop"), network.place("server")
        await server.create_server(_accept, "127.0.0.1", 80)
        with pytest.raises(DialRefused):
            await here.create_connection(Collector, "127.0.0.1", 80)
        await server.create_connection(Collector, "localhost", 80)
        with pytest.raises(DialRefused) as unknown:
            await here.create_connection(Collector, "nowhere", 80)
        assert unknown.value.code == Code.NAME_UNRESOLVED

    run_virtual(main())


def test_sessions_over_a_lost_one_are_lost():
    async def main():
        network = MemoryNetwork()
        gateway = network.place("gateway")
        inner = network.place("inner", over=gateway)
        gateway.lose()
        assert "gateway" in str(await gateway.wait_closed())
        assert "below" in str(await inner.wait_closed())

    asyncio.run(main())


def test_a_black_hole_never_answers():
    async def main():
        network = MemoryNetwork()
        here = network.place("laptop")
        network.black_holes.add(("laptop", 9))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await here.create_connection(Collector, "127.0.0.1", 9)

    run_virtual(main())
