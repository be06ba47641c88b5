"""An office behind one SSH server, and asyncssh as a plain client of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncssh
import pytest

from orchestra.lab.embedded import EmbeddedLab
from orchestra.model.topology import Topology
from tests.lab.embedded.build import host, server, target, topology

PROHIBITED, CONNECT_FAILED = 1, 2


def office(**forwarding: Any) -> Topology:
    return topology(
        host("laptop", "client", {"internet": "192.0.2.7"}),
        host("gateway", on={"internet": "198.51.100.2", "office": "10.20.0.2"}, server=server(**forwarding)),
        host("desk", "target", {"office": "10.20.0.30"}, names=["desk.office"]),
        target("desk", "10.20.0.30:5900"),
        target("own", "127.0.0.1:7000", on="gateway"),
    )


@asynccontextmanager
async def login(
    lab: EmbeddedLab, name: str = "gateway", address: str = "198.51.100.2", sock: socket.socket | None = None
) -> AsyncIterator[asyncssh.SSHClientConnection]:
    settings = lab.topology.hosts[name].server
    assert settings is not None
    ssh = settings.ssh
    trusted = [asyncssh.import_public_key(ssh.host_key[0])]
    sock = sock or await lab._network.connect(lab.here.host, address, ssh.port or 22)
    async with asyncssh.connect(
        name,
        sock=sock,
        username=ssh.user,
        client_keys=list(ssh.identity),
        known_hosts=(trusted, [], []),
        config=None,
        agent_path=None,
    ) as connection:
        yield connection


async def ask(connection: asyncssh.SSHClientConnection, address: str, port: int) -> bytes:
    reader, writer = await connection.open_connection(address, port)
    writer.write_eof()
    answer: bytes = await reader.read()
    writer.close()
    return answer


async def refusal(connection: asyncssh.SSHClientConnection, address: str, port: int) -> tuple[int, str]:
    with pytest.raises(asyncssh.ChannelOpenError) as caught:
        await connection.open_connection(address, port)
    return caught.value.code, caught.value.reason


def greets(_host: str, _port: int) -> Callable[[asyncssh.SSHReader[bytes], asyncssh.SSHWriter[bytes]], None]:
    def greet(_reader: asyncssh.SSHReader[bytes], writer: asyncssh.SSHWriter[bytes]) -> None:
        writer.write(b"hello")
        writer.close()

    return greet


async def answers(connection: asyncssh.SSHClientConnection, address: str, port: int) -> bool:
    try:
        return await ask(connection, address, port) == b"hello"
    except asyncssh.ChannelOpenError:
        return False


async def dials(lab: EmbeddedLab, dialer: str, address: str, port: int) -> bool:
    try:
        sock = await lab._network.connect(dialer, address, port)
    except OSError:
        return False
    sock.close()
    await asyncio.sleep(0)
    return True
