"""Stub services that prove who they are: the targets of a lab.

A stub names the target and the host that it runs on. To an HTTP request it answers a page (``GET /``), so many bytes
(``GET /bytes/N``), or the digest of what it was sent (``PUT``, ``POST``); to anything else it says its name in one
line and then echoes, until it is told the end of the stream. It waits for the first bytes, or the end of the stream,
before it speaks, because it cannot know earlier which of both is meant. Over UDP it echoes behind its name.

``python -m orchestra.lab.stub TARGET HOST ADDRESS…`` runs one by itself: it starts quickly, prints ``listening
ADDRESS`` for each socket, and ends at SIGTERM or when its standard input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from orchestra.model.address import WILDCARD, Endpoint, UnixPath, parse_address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from typing import Any

    from orchestra.model.address import Address

CHUNK = 1 << 16
"""Bytes held for one connection in each direction, about."""

_METHODS = (b"GET ", b"HEAD ", b"PUT ", b"POST ")
_HEAD_LIMIT = CHUNK
_GRACE = 0.2
"""Seconds to wait for the rest of what begins like a method, before it is taken for something to echo."""
_LINGER = 2.0
"""Seconds to wait for the end of the request after the answer."""


def identity(target: str, host: str) -> str:
    """What a stub says of itself."""
    return f"{target} on {host}"


def payload(length: int) -> Iterator[bytes]:
    """The ``length`` bytes of ``GET /bytes/LENGTH``, in chunks: no two chunks are alike, so a lost one shows."""
    filler = hashlib.shake_128(b"orchestra").digest(CHUNK - 8)
    for start in range(0, length, CHUNK):
        yield (start.to_bytes(8, "big") + filler)[: length - start]


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str) -> None:
    """One conversation with a stub called ``name``; the connection is closed at the end of it.

    A slow reader makes it wait: never more than :data:`CHUNK` bytes are queued.
    """
    writer.transport.set_write_buffer_limits(high=CHUNK)
    try:
        first = await _first_bytes(reader)
        if first.startswith(_METHODS):
            await _answer(first, reader, writer, name)
            await _linger(reader, writer)
        else:
            await _echo(first, reader, writer, name)
        writer.close()
        await writer.wait_closed()
    except OSError:  # the peer went away, which is its right
        pass
    finally:
        writer.transport.abort()


async def serve_socket(sock: socket.socket, name: str) -> None:
    """The same on a connected, non-blocking stream socket, which it owns."""
    reader, writer = await asyncio.open_connection(sock=sock, limit=CHUNK)
    await serve(reader, writer, name)


async def _first_bytes(reader: asyncio.StreamReader) -> bytes:
    first = await reader.read(CHUNK)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_GRACE):
            while _begins_a_method(first) and (more := await reader.read(CHUNK)):
                first += more
    return first


def _begins_a_method(data: bytes) -> bool:
    return bool(data) and any(len(data) < len(method) and method.startswith(data) for method in _METHODS)


async def _echo(first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str) -> None:
    data = f"{name}\n".encode() + first
    while data:
        writer.write(data)
        await writer.drain()
        data = await reader.read(CHUNK)


async def _answer(first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str) -> None:
    head = first
    while b"\r\n\r\n" not in head and len(head) < _HEAD_LIMIT and (more := await reader.read(CHUNK)):
        head += more
    head, _, body = head.partition(b"\r\n\r\n")
    request, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = request.partition(" ")
    path = rest.partition(" ")[0]
    headers = {key.strip().lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    if method in ("PUT", "POST"):
        await _digest(headers, body, reader, writer)
    elif path == "/":
        page = f"{name}\n".encode()
        writer.write(_response(200, len(page)) + (b"" if method == "HEAD" else page))
    elif path.startswith("/bytes/") and (count := path.removeprefix("/bytes/")).isdecimal():
        writer.write(_response(200, int(count), "application/octet-stream"))
        for chunk in payload(0 if method == "HEAD" else int(count)):
            writer.write(chunk)
            await writer.drain()
    else:
        writer.write(_response(404, 0))
    await writer.drain()


async def _linger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads what nobody asked for: to close before would reset the connection, and lose the answer (RFC 9112 9.6)."""
    writer.write_eof()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER):
            while await reader.read(CHUNK):
                pass


async def _digest(
    headers: dict[str, str], body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    length = headers.get("content-length", "")
    if not length.isdecimal():
        writer.write(_response(411, 0))
        return
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    digest, received = hashlib.sha256(), 0
    async for data in _body(body, int(length), reader):
        digest.update(data)
        received += len(data)
    answer = f"{digest.hexdigest()} {received}\n".encode()
    writer.write(_response(200 if received == int(length) else 400, len(answer)) + answer)


async def _body(start: bytes, length: int, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    data, left = start[:length], length
    while data:
        yield data
        left -= len(data)
        data = await reader.read(min(CHUNK, left)) if left else b""


def _response(status: int, length: int, kind: str = "text/plain; charset=utf-8") -> bytes:
    reason = {200: "OK", 400: "Bad Request", 404: "Not Found", 411: "Length Required"}[status]
    return (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    ).encode()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, name: str) -> None:
        self._prefix = f"{name} ".encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

        self._congested = False

    def pause_writing(self) -> None:
        self._congested = True

    def resume_writing(self) -> None:
        self._congested = False

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if not self._congested:  # a full queue drops, as the network does
            self._transport.sendto(self._prefix + data, addr)


def bind(address: Address, kind: socket.SocketKind = socket.SOCK_STREAM) -> list[socket.socket]:
    """The sockets for one address: ``*``, no host and ``localhost`` are every family that this machine has.

    Raises OSError when not one can be bound.
    """
    if isinstance(address, UnixPath):
        sock = socket.socket(socket.AF_UNIX, kind)
        sock.bind(address.path)
        return [sock]
    host = None if address.host in (None, WILDCARD) else address.host
    flags = socket.AI_PASSIVE if host is None else 0
    sockets: list[socket.socket] = []
    failure: OSError | None = None
    for family, type_, proto, _, where in socket.getaddrinfo(host, address.port, type=kind, flags=flags):
        sock = socket.socket(family, type_, proto)
        try:
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(where)
        except OSError as error:
            sock.close()
            failure = error
        else:
            sockets.append(sock)
    if not sockets:
        raise failure or OSError(f"nothing to bind for {address}")
    return sockets


async def run(target: str, host: str, addresses: Sequence[Address], protocol: str = "tcp") -> None:
    """Serves until SIGTERM, or until standard input closes (where that can be noticed)."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, done.set)
    _at_end_of_stdin(done.set)
    name = identity(target, host)
    for address in addresses:
        for sock in bind(address, socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM):
            where = sock.getsockname()
            if protocol == "udp":
                await loop.create_datagram_endpoint(lambda: _Datagrams(name), sock=sock)
            elif isinstance(address, UnixPath):
                await asyncio.start_unix_server(lambda r, w: serve(r, w, name), sock=sock, limit=CHUNK)
            else:
                await asyncio.start_server(lambda r, w: serve(r, w, name), sock=sock, limit=CHUNK)
            print("listening", address if isinstance(address, UnixPath) else Endpoint(*where[:2]), flush=True)
    await done.wait()
    _unlink(addresses)


def _at_end_of_stdin(call: Callable[[], None]) -> None:
    fd = sys.stdin.fileno()

    def readable() -> None:
        if not os.read(fd, CHUNK):
            call()

    with contextlib.suppress(OSError):  # /dev/null and plain files have no end that one could wait for
        asyncio.get_running_loop().add_reader(fd, readable)


def _unlink(addresses: Sequence[Address]) -> None:
    for address in addresses:
        if isinstance(address, UnixPath):
            Path(address.path).unlink(missing_ok=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m orchestra.lab.stub", description="A stub service.")
    parser.add_argument("target")
    parser.add_argument("host")
    parser.add_argument("addresses", metavar="ADDRESS", nargs="+", type=lambda t: parse_address(t, listening=True))
    parser.add_argument("--protocol", choices=("tcp", "udp"), default="tcp")
    options = parser.parse_args(arguments)
    try:
        asyncio.run(run(options.target, options.host, options.addresses, options.protocol))
    except OSError as error:
        print(f"stub of {options.target} on {options.host}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
