"""Resets, and what is left of a stream after one."""

import asyncio
import socket
import struct

from orchestra.session.here import Here
from orchestra.testing import Collector
from orchestra.testing.conformance import Accepting


def test_a_refused_connection_is_reset():
    async def main():
        async with asyncio.timeout(5):
            here = Here("laptop")
            listener = await here.create_server(Accepting(refuse=True), "127.0.0.1", 0)
            _, dialed = await here.create_connection(Collector, "127.0.0.1", listener.port)
            await dialed.ended.wait()
            assert isinstance(dialed.error, ConnectionResetError)
            here.abort()
            await here.wait_closed()

    asyncio.run(main())


def test_a_stream_that_was_reset_may_still_be_ended_and_tells_by_what_it_reads():
    async def main():
        async with asyncio.timeout(5):
            here = Here("laptop")
            with socket.create_server(("127.0.0.1", 0)) as listening:
                stream, dialed = await here.create_connection(Collector, *listening.getsockname())
                accepted, _ = listening.accept()
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            accepted.close()  # on loopback the reset is there when this returns, and the loop has not read it yet
            stream.write_eof()
            await dialed.ended.wait()
            assert isinstance(dialed.error, ConnectionResetError)
            here.close()
            await here.wait_closed()

    asyncio.run(main())


def test_a_stream_that_ended_writing_sends_what_came_before_and_nothing_after():
    async def main():
        async with asyncio.timeout(5):
            here, accept = Here("laptop"), Accepting()
            listener = await here.create_server(accept, "127.0.0.1", 0)
            stream, _ = await here.create_connection(Collector, "127.0.0.1", listener.port)
            stream.write(b"before")
            stream.write_eof()
            stream.write(b"after")
            stream.write_eof()
            accepted = await accept.collectors.get()
            await accepted.eof.wait()
            assert bytes(accepted.data) == b"before"
            here.abort()
            await here.wait_closed()

    asyncio.run(main())
