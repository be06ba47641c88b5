"""Much data, through a tunnel to the stub that stands for a target (:mod:`orchestra.lab.stub`), and its digest."""

from __future__ import annotations

import asyncio
import hashlib
import socket

from orchestra.lab.stub import payload
from tests.acceptance.world import World

_PIECE = 1 << 20


async def download(up: World, tunnel: str, size: int) -> tuple[str, int]:
    """The digest and length of what ``GET /bytes/N`` gave, headers left out."""
    reader, writer = await asyncio.open_connection(*up.entrance(tunnel))
    writer.write(f"GET /bytes/{size} HTTP/1.0\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    seen, length = hashlib.sha256(), 0
    while chunk := await reader.read(_PIECE):
        seen.update(chunk)
        length += len(chunk)
    writer.close()
    return seen.hexdigest(), length


async def upload(up: World, tunnel: str, size: int) -> bytes:
    """What the target says of what it was sent: digest and length."""
    reader, writer = await asyncio.open_connection(*up.entrance(tunnel))
    writer.write(_put(size))
    for chunk in payload(size):
        writer.write(chunk)
        await writer.drain()
    answer = await reader.read()
    writer.close()
    return answer


def talk_first(up: World, tunnel: str, size: int) -> socket.socket:
    """A client that connects and sends all of an upload, so little that the kernel keeps it, within the loop's turn."""
    client = socket.create_connection(up.entrance(tunnel))
    client.sendall(_put(size) + b"".join(payload(size)))
    return client


async def answer_to(client: socket.socket) -> bytes:
    """What the target says to that."""
    reader, writer = await asyncio.open_connection(sock=client)
    answer = await reader.read()
    writer.close()
    return answer


def _put(size: int) -> bytes:
    return f"PUT /x HTTP/1.0\r\nContent-Length: {size}\r\n\r\n".encode()


def expected(size: int) -> str:
    """The digest of so many bytes."""
    seen = hashlib.sha256()
    for chunk in payload(size):
        seen.update(chunk)
    return seen.hexdigest()
