"""New connections per second, the round trip of one byte, and the memory of idle connections, beside ``ssh -L``.

    python bench/connections.py [--connections 1000] [--idle 500] [--rounds 3] [--hops 1]

The contenders take turns in one run on loopback, through a real sshd; a cell is the median of the rounds. A new
connection is one that was opened, answered one byte and was closed; the client is a process of its own, and its speed
without any tunnel stands in the first column.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from throughput import LOOPBACK, answers, free_port, servers, through_orchestra, through_ssh

TRIPS = 1000
ROWS = {
    "one at a time, per second": "1",
    "fifty at a time, per second": "50",
    "to the end of the answer, per second": "end",
    "round trip of one byte, µs": "trip",
}
LAST = b"."
"""What the target answers and then closes, as a service without keep-alive does."""


class Echo(asyncio.Protocol):
    """The target."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)
        if data == LAST:
            self._transport.close()


async def serve(port: int) -> None:
    """Echoes whatever comes, until it is killed."""
    server = await asyncio.get_running_loop().create_server(Echo, LOOPBACK, port, backlog=1000)
    await server.serve_forever()


# What the client measures.


async def rate(port: int, at_a_time: int, count: int) -> float:
    """New connections per second."""
    waiting = iter(range(count))

    async def work() -> None:
        for _ in waiting:
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            writer.write(b"x")
            await reader.readexactly(1)
            writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(at_a_time)))
    return count / (time.perf_counter() - begun)


def rate_to_the_end(port: int, count: int) -> float:
    """Connections per second when each is read until the target has closed it."""
    begun = time.perf_counter()
    for _ in range(count):
        with socket.create_connection((LOOPBACK, port)) as connection:
            connection.sendall(LAST)
            while connection.recv(16):
                pass
    return count / (time.perf_counter() - begun)


def round_trip(port: int) -> float:
    """Microseconds for one byte to the target and back: the median."""
    taken = []
    with socket.create_connection((LOOPBACK, port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(TRIPS):
            begun = time.perf_counter()
            connection.sendall(b"x")
            connection.recv(1)
            taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1e6


def hold(port: int, count: int) -> None:
    """Opens so many connections, says so, and keeps them until its input ends."""
    with contextlib.ExitStack() as held:
        for _ in range(count):
            connection = held.enter_context(socket.create_connection((LOOPBACK, port)))
            connection.sendall(b"x")
            connection.recv(1)
        print("ready", flush=True)
        sys.stdin.read()


def client(what: str, port: int, count: int) -> None:
    """One measurement, in this process."""
    if what == "hold":
        hold(port, count)
    elif what == "trip":
        print(round_trip(port))
    elif what == "end":
        print(rate_to_the_end(port, count))
    else:
        print(asyncio.run(rate(port, int(what), count)))


# The table.


async def ask(what: str, port: int, count: int) -> float:
    """What a client of its own measured."""
    command = [sys.executable, __file__, "--client", what, str(port), str(count)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    return float(output)


async def memory(port: int, pid: int, count: int) -> float:
    """KiB by which a process grew for each idle connection."""
    before = resident(pid)
    command = [sys.executable, __file__, "--client", "hold", str(port), str(count)]
    process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    await process.stdout.readline()
    grown = resident(pid) - before
    await process.communicate(b"")
    return grown / count


def resident(pid: int) -> int:
    """KiB of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def child(name: str) -> int:
    """The child of this process that was started last under that name."""
    found = subprocess.run(["pgrep", "-n", "-x", "-P", str(os.getpid()), name], capture_output=True, check=True)
    return int(found.stdout)


@contextlib.asynccontextmanager
async def echoing() -> AsyncIterator[int]:
    """The target's port."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(sys.executable, __file__, "--serve", str(port))
    try:
        await answers(port)
        yield port
    finally:
        process.terminate()
        await process.wait()


async def compare(folder: Path, hops: int, connections: int, idle: int, rounds: int) -> None:
    """Prints the table."""
    async with (
        servers(folder, hops) as (sshd, _),
        echoing() as target,
        through_ssh(folder, hops, target) as ssh,
        through_orchestra(folder, hops, target, sshd) as ours,
    ):
        print(f"{'':<28}  {'direct':>8}  {'ssh':>8}  {'orchestra':>9}  {'ratio':>5}")
        for name, what in ROWS.items():
            turns = [[await ask(what, port, connections) for port in (target, ssh, ours)] for _ in range(rounds)]
            direct, theirs, mine = (statistics.median(each) for each in zip(*turns, strict=True))
            print(f"{name:<28}  {direct:>8.0f}  {theirs:>8.0f}  {mine:>9.0f}  {mine / theirs:>5.2f}", flush=True)
        theirs = await memory(ssh, child("ssh"), idle)
        mine = await memory(ours, os.getpid(), idle)
        print(f"{f'KiB per idle one of {idle}':<28}  {'':>8}  {theirs:>8.1f}  {mine:>9.1f}  {mine / theirs:>5.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Connections beside ssh, on loopback.")
    parser.add_argument("--connections", type=int, default=1000, help="per cell")
    parser.add_argument("--idle", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hops", type=int, default=1)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--client", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve))
    elif options.client:
        what, port, count = options.client
        client(what, int(port), int(count))
    else:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(compare(Path(folder), options.hops, options.connections, options.idle, options.rounds))


if __name__ == "__main__":
    main()
