"""Resets."""

import asyncio

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
