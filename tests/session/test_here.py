"""This machine passes the suite that all sessions pass, and what only sockets do."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import asynccontextmanager

import pytest

from orchestra.diagnostics import Code
from orchestra.session import DialRefused
from orchestra.session.here import Here
from orchestra.session.protocols import Peer, Receiver
from orchestra.testing.collect import Accepting, Collector
from orchestra.testing.sessions import RULES, Arena, hold


@asynccontextmanager
async def _arena():
    session, neighbour = Here("laptop"), Here("laptop")
    yield Arena(session=session, neighbour=neighbour)
    session.abort()
    neighbour.abort()
    await asyncio.gather(session.wait_closed(), neighbour.wait_closed())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_here(rule):
    hold(rule, _arena)


@asynccontextmanager
async def _here():
    here = Here("laptop")
    yield here
    here.abort()
    await here.wait_closed()


def test_a_name_that_does_not_resolve():
    async def main():
        async with _here() as here:
            with pytest.raises(DialRefused) as refused:
                await here.create_connection(Collector, "nowhere.invalid", 80)
            assert refused.value.code == Code.NAME_UNRESOLVED
            assert "laptop dials nowhere.invalid:80" in str(refused.value)

    asyncio.run(main())


def test_all_addresses_of_a_name_are_tried():
    async def main():
        async with _here() as here:
            listener = await here.create_server(Accepting(echo=True), "127.0.0.1", 0)
            _, dialed = await here.create_connection(Collector, "localhost", listener.port)
            await dialed.send(b"x")
            assert await dialed.receive(1) == b"x"

    asyncio.run(main())


def test_dials_may_be_replaced():
    async def main():
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        dialed = []

        async def connect(host, port):
            dialed.append((host, port))
            if port == 1:
                raise ConnectionRefusedError
            return ours

        here = Here("laptop", connect=connect)
        _, receiver = await here.create_connection(Collector, "gw", 22)
        theirs.sendall(b"SSH-")
        assert await receiver.receive(4) == b"SSH-"
        with pytest.raises(DialRefused) as refused:
            await here.create_connection(Collector, "gw", 1)
        assert refused.value.code == Code.CONNECT_REFUSED
        assert dialed == [("gw", 22), ("gw", 1)]
        theirs.close()
        here.abort()
        await here.wait_closed()

    asyncio.run(main())


def test_who_receives_at_once_is_not_waited_for() -> None:
    class Prompt:
        def __init__(self) -> None:
            self.receivers = [Collector(echo=True)]

        def at_once(self, _peer: Callable[[], Peer]) -> Receiver | None:
            return self.receivers.pop() if self.receivers else None

        async def __call__(self, _peer: Peer) -> Receiver:
            raise ConnectionAbortedError("not today")

    async def main() -> None:
        here = Here("laptop")
        listener = await here.create_server(Prompt(), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        here.abort()
        await here.wait_closed()

    asyncio.run(main())
