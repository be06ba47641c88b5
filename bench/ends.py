"""The two ends of what is measured, each in a process of its own: the target, and the client.

    python bench/ends.py serve ADDRESS BULK ECHO
    python bench/ends.py bulk PORT up|down STREAMS SECONDS
    python bench/ends.py rate PORT AT_A_TIME COUNT
    python bench/ends.py trip PORT COUNT
    python bench/ends.py beside PORT COUNT BULK up|down
    python bench/ends.py hold PORT COUNT

A client prints JSON. Both need nothing but the standard library and start quickly.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import socket
import statistics
import struct
import sys
import threading
import time

ORDER = struct.Struct("!cQ")
"""Take (``U``) or send (``D``) so many bytes."""
BLOCK = bytes(256 * 1024)
FIRST = 1 << 20
"""Bytes with which a client begins to find out how many fill the time."""
ENDLESS = 1 << 50
"""Bytes of a transfer that ends with its connection."""
SAID = 600
"""Bytes that a client says at once when it is connected."""
WARM = 0.3
"""Seconds of it before anything is measured beside it."""
HERE = "127.0.0.1"


# The target.


class Echo(asyncio.Protocol):
    """Sends back whatever comes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


async def serve(address: str, bulk: int, echo: int) -> None:
    """Both services at that address, and at loopback, where servers find them."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    loop = asyncio.get_running_loop()
    for each in {address, HERE}:
        listener = socket.create_server((each, bulk), backlog=100)
        threading.Thread(target=_serve_bulk, args=(listener,), daemon=True).start()
        await loop.create_server(Echo, each, echo, backlog=1000)
    await asyncio.Event().wait()


def _serve_bulk(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_obey, args=(connection,), daemon=True).start()


def _obey(connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while len(order := connection.recv(ORDER.size, socket.MSG_WAITALL)) == ORDER.size:
            direction, size = ORDER.unpack(order)
            if direction == b"U":
                _take(connection, size)
                connection.sendall(b"k")
            else:
                _give(connection, size)


def _give(connection: socket.socket, size: int) -> None:
    while size > 0:
        connection.sendall(BLOCK[:size])
        size -= len(BLOCK)


def _take(connection: socket.socket, size: int) -> None:
    buffer = bytearray(1 << 20)
    while size > 0:
        if not (got := connection.recv_into(buffer, min(size, len(buffer)))):
            raise ConnectionError("the stream ended early")
        size -= got


# The client.


def bulk(port: int, direction: str, streams: int, seconds: float, address: str = HERE) -> float:
    """MB/s of all streams together, once a transfer has lasted so long; those before it, one at least, warm up."""
    with contextlib.ExitStack() as held:
        connections = [held.enter_context(_connect(port, address)) for _ in range(streams)]
        size, warm = FIRST, False
        while True:
            taken = _together(connections, direction, size // streams)
            if warm and taken >= seconds:
                return size / taken / 1e6
            size, warm = int(size * min(8.0, max(2.0, 1.3 * seconds / taken))), True


def _together(connections: list[socket.socket], direction: str, size: int) -> float:
    """Seconds that it took to move so many bytes over each."""
    threads = [threading.Thread(target=_transfer, args=(each, direction, size)) for each in connections]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begun


def _transfer(connection: socket.socket, direction: str, size: int) -> None:
    try:
        if direction == "up":
            connection.sendall(ORDER.pack(b"U", size))
            _give(connection, size)
            _take(connection, 1)
        else:
            connection.sendall(ORDER.pack(b"D", size))
            _take(connection, size)
    except OSError as failed:
        print(f"a transfer through {connection} failed: {failed}", file=sys.stderr, flush=True)
        os._exit(1)  # the others may wait for ever


def _connect(port: int, address: str = HERE) -> socket.socket:
    connection = socket.create_connection((address, port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


async def rate(port: int, at_a_time: int, count: int) -> float:
    """Connections per second that were opened, answered what was said, each something else, and were closed."""
    waiting, said = iter(range(count)), os.urandom(SAID + count)

    async def work() -> None:
        for number in waiting:
            reader, writer = await asyncio.open_connection(HERE, port)
            with contextlib.closing(writer):
                writer.write(said[number : number + SAID])
                if await reader.readexactly(SAID) != said[number : number + SAID]:
                    raise ConnectionError(f"connection {number + 1} of {count} was answered what it had not said")

    begun = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(at_a_time)))
    return count / (time.perf_counter() - begun)


def trip(port: int, count: int) -> dict[str, float]:
    """Microseconds for one byte to the target and back: the median, and what one in a hundred exceeds."""
    taken = []
    with _connect(port) as connection:
        for _ in range(count):
            begun = time.perf_counter()
            connection.sendall(b"x")
            connection.recv(1)
            taken.append((time.perf_counter() - begun) * 1e6)
    return {"median": statistics.median(taken), "p99": statistics.quantiles(taken, n=100)[98]}


def beside(port: int, count: int, bulk: int, direction: str) -> dict[str, float]:
    """The same while another connection, to that other port, carries as much as it can; and the MB/s of that."""
    with _connect(bulk) as busy:
        moved = 0

        def fill() -> None:
            nonlocal moved
            buffer = bytearray(len(BLOCK))
            with contextlib.suppress(OSError):  # it is ended when the trips are over
                busy.sendall(ORDER.pack(direction[0].upper().encode(), ENDLESS))
                while size := busy.send(BLOCK) if direction == "up" else busy.recv_into(buffer):
                    moved += size

        filling = threading.Thread(target=fill)
        filling.start()
        time.sleep(WARM)
        before, begun = moved, time.perf_counter()
        found = trip(port, count)
        speed = (moved - before) / (time.perf_counter() - begun) / 1e6
        busy.shutdown(socket.SHUT_RDWR)
        filling.join()
    return found | {"bulk": speed}


def hold(port: int, count: int) -> None:
    """Opens so many connections, each proven by a byte, says so, and keeps them until its input ends."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with contextlib.ExitStack() as held:
        for number in range(count):
            connection = held.enter_context(_connect(port))
            connection.sendall(b"x")
            try:
                answer = connection.recv(1)
            except ConnectionError:
                answer = b""
            if not answer:
                raise SystemExit(f"connection {number + 1} of {count} was ended")
        print("true", flush=True)
        sys.stdin.read()


def main(what: str, *arguments: str) -> None:
    """One end."""
    if what == "serve":
        asyncio.run(serve(arguments[0], int(arguments[1]), int(arguments[2])))
    elif what == "bulk":
        port, direction, streams, seconds, *address = arguments
        print(bulk(int(port), direction, int(streams), float(seconds), *address))
    elif what == "rate":
        print(asyncio.run(rate(*map(int, arguments))))
    elif what == "trip":
        print(json.dumps(trip(*map(int, arguments))))
    elif what == "beside":
        port, count, other, direction = arguments
        print(json.dumps(beside(int(port), int(count), int(other), direction)))
    else:
        hold(*map(int, arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
