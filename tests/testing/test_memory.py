"""The parts of the memory network that the rules of sessions do not reach."""

import asyncio

import pytest

from orchestra.diagnostics import Code
from orchestra.session import BindRefused, DialRefused
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


def test_what_a_network_refuses_says_why():
    async def main():
        network = MemoryNetwork()
        here = network.place("laptop")
        await here.create_server(_accept, "*", 80)
        network.refused_dials["laptop", 80] = DialRefused(Code.NAME_UNRESOLVED, "no such name")
        network.refused_binds["laptop", 81] = BindRefused(Code.LISTEN_NOT_PERMITTED, "not you")
        with pytest.raises(DialRefused, match="no such name"):
            await here.create_connection(Collector, "127.0.0.1", 80)
        with pytest.raises(BindRefused, match="not you"):
            await here.create_server(_accept, "*", 81)

    run_virtual(main())


def test_each_family_has_a_loopback_of_its_own():
    async def main():
        network = MemoryNetwork({"10.0.0.2": "server"})
        server, other = network.place("server"), network.place("other")
        await server.create_server(_accept, "127.0.0.1", 80)
        for place, host in ((server, "::1"), (other, "10.0.0.2")):
            with pytest.raises(DialRefused):
                await place.create_connection(Collector, host, 80)
        await server.create_server(_accept, "::1", 80)
        await server.create_connection(Collector, "::1", 80)
        with pytest.raises(BindRefused, match="in use"):
            await server.create_server(_accept, "*", 80)

    run_virtual(main())


def test_a_stalled_session_waits_with_all_that_is_over_it():
    async def main():
        network = MemoryNetwork()
        gateway = network.place("gateway")
        inner = network.place("inner", over=gateway)
        await inner.create_server(_accept, "*", 80)
        _, got = await inner.create_connection(Collector, "127.0.0.1", 80)
        gateway.stall()
        await got.send(b"hello")
        waiting = asyncio.create_task(inner.ping())
        await asyncio.sleep(3600)
        assert (bytes(got.data), waiting.done(), inner.state) == (b"", False, "open")
        gateway.resume()
        assert await got.receive(5) == b"hello"
        await waiting

    run_virtual(main())
