"""UDP through real sshd in namespaces: two hops, both directions, and what happens when a helper is not to be had."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from orchestra.session.protocols import Datagrams
from tests.acceptance.world import LABS, World, play, world

EXAMPLE = Path(__file__).parents[2] / "topologies" / "udp.yaml"
pytestmark = pytest.mark.netns
NETNS = LABS[1:]


async def exchange(sock: socket.socket, data: bytes, deadline: float = 5.0) -> bytes:
    """Sends one datagram and waits for one."""
    loop = asyncio.get_running_loop()
    sock.setblocking(False)
    sock.send(data)
    async with asyncio.timeout(deadline):
        return await loop.sock_recv(sock, 65536)


def client(up: World, tunnel: str, index: int = 0) -> socket.socket:
    """A socket of this machine, connected to where the tunnel is entered."""
    host, port = up.entrance(tunnel, index)
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((host, port))
    return sock


@pytest.mark.parametrize("kind", NETNS)
def test_datagrams_through_two_hops_and_back(kind: str) -> None:
    async def scene() -> None:
        async with world(EXAMPLE, kind) as up:
            await up.until_ready()
            for index in (0, 1):
                with client(up, "plc", index) as sock:
                    assert await exchange(sock, b"read 7") == b"plc on plc read 7"
            machine = up.lab.guest("machines")
            assert isinstance(machine, Datagrams)
            with await machine.create_datagram_connection("10.30.0.3", 5140) as sock:
                assert await exchange(sock, b"<13>hello") == b"syslog on laptop <13>hello"
            counters = up.tunnel("plc").counters
            assert (counters["flows"], counters["datagrams_out"], counters["datagrams_in"]) == (2, 2, 2)

    play(scene())
