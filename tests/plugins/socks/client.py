"""A client of SOCKS 5 that sends datagrams (RFC 1928), as small as can be."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

from orchestra.model.address import parse_ip

DEADLINE = 20.0


def header(host: str, port: int) -> bytes:
    """What stands before a datagram."""
    literal = parse_ip(host)
    if literal is None:
        return b"\0\0\0\3" + bytes([len(host)]) + host.encode() + port.to_bytes(2)
    return b"\0\0\0" + (b"\1" if literal.version == 4 else b"\4") + literal.packed + port.to_bytes(2)


def read_header(datagram: bytes) -> tuple[str, int, bytes]:
    """Who sent it, and what."""
    assert datagram[:3] == bytes(3)
    size = {1: 4, 4: 16}[datagram[3]]
    end = 4 + size
    return str(ip_address(datagram[4:end])), int.from_bytes(datagram[end : end + 2]), datagram[end + 2 :]


class Client:
    """Its connection, its socket, and where that has to send to; ``code`` is the proxy's answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.code = -1
        self.relay = ("", 0)
        family = socket.AF_INET6 if ":" in writer.get_extra_info("sockname")[0] else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_DGRAM)
        self.sock.setblocking(False)

    @classmethod
    async def associate(cls, host: str, port: int, *, from_: tuple[str, int] = ("0.0.0.0", 0)) -> Client:
        """Asks for an association, sending from that address."""
        client = cls(*await asyncio.open_connection(host, port))
        client.writer.write(b"\5\1\0" + b"\5\3" + header(*from_)[2:])
        async with asyncio.timeout(DEADLINE):
            assert await client.reader.readexactly(2) == b"\5\0"
            _, client.code, _, kind = await client.reader.readexactly(4)
            address = await client.reader.readexactly({1: 4, 4: 16}[kind])
            client.relay = str(ip_address(address)), int.from_bytes(await client.reader.readexactly(2))
        return client

    def send(self, data: bytes) -> None:
        """A datagram as it is."""
        self.sock.sendto(data, self.relay)

    async def receive(self, deadline: float = DEADLINE) -> tuple[str, int, bytes]:
        """Who sent the next one, and what."""
        async with asyncio.timeout(deadline):
            return read_header(await asyncio.get_running_loop().sock_recv(self.sock, 65536))

    async def ask(self, host: str, port: int, data: bytes, deadline: float = DEADLINE) -> tuple[str, int, bytes]:
        """Sends one and waits for one."""
        self.send(header(host, port) + data)
        return await self.receive(deadline)

    async def ended(self) -> bool:
        """Waits for the end of its connection; whether that was an end of file."""
        async with asyncio.timeout(DEADLINE):
            try:
                return await self.reader.read() is not None
            except ConnectionResetError:
                return False

    async def close(self) -> None:
        self.sock.close()
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionResetError:
            return
