"""Streams in memory: what the suite for sessions does not reach; and commands."""

import pytest

from orchestra.session import Unsupported
from orchestra.testing import Collector, MemoryNetwork, run_virtual
from orchestra.testing.streams import HIGH_WATER


async def _accept(_peer):
    return Collector(paused=True)


def test_a_writer_waits_as_soon_as_more_is_under_way_than_may_be():
    async def main():
        network = MemoryNetwork()
        here, server = network.place("laptop"), network.place("server")
        await server.create_server(_accept, "*", 80)
        stream, client = await here.create_connection(Collector, "server", 80)
        stream.write(bytes(HIGH_WATER))
        assert client.writable.is_set()
        stream.write(b"x")
        assert not client.writable.is_set()

    run_virtual(main())


def test_a_program_answers_when_its_input_has_ended():
    async def main():
        network = MemoryNetwork()
        server = network.place("server")
        with pytest.raises(Unsupported):
            await server.create_process(Collector, "rev")
        network.programs["server", "rev"] = lambda given: (0, given[::-1], b"")
        process, output = await server.create_process(Collector, "rev")
        process.write(b"abc")
        process.write_eof()
        await output.ended.wait()
        assert (bytes(output.data), process.exit_status) == (b"cba", 0)
        process, output = await server.create_process(Collector, "no-such")
        process.write_eof()
        await output.ended.wait()
        assert (process.exit_status, process.stderr_tail()) == (127, b"sh: command not found\n")
        process, output = await server.create_process(Collector, "rev")
        process.abort()
        await output.ended.wait()
        assert process.is_closing()

    run_virtual(main())
