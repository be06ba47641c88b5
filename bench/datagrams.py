"""The two ends of the UDP part, each in a process of its own: an echo of datagrams and of streams, and the client.

python bench/datagrams.py serve PORT
python bench/datagrams.py rates SIZE OTHERS PORT/udp SECONDS
python bench/datagrams.py trips SIZE OTHERS PORT/udp|tcp...

So many others are heard once before, at the last of the ports, and then keep silent.
"""

from __future__ import annotations

import contextlib
import json
import math
import random
import select
import socket
import statistics
import sys
import time
from collections.abc import Iterator

LOOPBACK = "127.0.0.1"
UNDER_WAY = (1, 8, 64)
PATIENCE = 0.2
"""Seconds after which a datagram is lost."""
TURNS, TRIPS = 12, 60
"""How often each way has its turn, and how many round trips are timed in one. In so short a time a processor hardly
changes its pace, and the scheduler seldom moves anybody; so all ways meet the same."""
Way = tuple[int, socket.SocketKind]
"""A port, and what is sent there."""
LOST = 3
"""Datagrams whose loss ends a turn."""


def serve(port: int) -> None:
    """Echoes datagrams, and streams."""
    poll, datagrams = select.poll(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    datagrams.bind((LOOPBACK, port))
    listener = socket.create_server((LOOPBACK, port))
    streams: dict[int, socket.socket] = {}
    poll.register(datagrams, select.POLLIN)
    poll.register(listener, select.POLLIN)
    while True:
        for number, _ in poll.poll():
            if number == datagrams.fileno():
                data, peer = datagrams.recvfrom(65536)
                datagrams.sendto(data, peer)
            elif number == listener.fileno():
                stream, _ = listener.accept()
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                streams[stream.fileno()] = stream
                poll.register(stream, select.POLLIN)
            elif data := streams[number].recv(65536):
                streams[number].sendall(data)
            else:
                poll.unregister(number)
                streams.pop(number).close()


class Client:
    """Numbered datagrams of one size, or a stream of as many bytes."""

    def __init__(self, way: Way, size: int) -> None:
        port, kind = way
        self.sock = socket.socket(socket.AF_INET, kind)
        if kind == socket.SOCK_DGRAM:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.sock.connect((LOOPBACK, port))
        self.sock.settimeout(PATIENCE)
        self.kind, self.size = kind, size
        self.filler = (bytes(range(256)) * (size // 256 + 1))[8:size]

    def send(self, number: int) -> None:
        with contextlib.suppress(OSError):
            self.sock.send(number.to_bytes(8, "big") + self.filler)

    def receive(self) -> int | None:
        """The number of one that came back as it was sent; None when none did in time."""
        end = time.perf_counter() + PATIENCE
        while time.perf_counter() < end:
            with contextlib.suppress(OSError):
                data = self.read()
                if data[8:] == self.filler:
                    return int.from_bytes(data[:8], "big")
        return None

    def read(self) -> bytes:
        """A datagram, or as much of a stream."""
        data = self.sock.recv(65536)
        while self.kind == socket.SOCK_STREAM and data and len(data) < self.size:
            data += self.sock.recv(self.size - len(data))
        return data

    def rate(self, seconds: float, under_way: int) -> float:
        """Echoes per second, with so many under way; what does not come back in time is lost, and others follow."""
        got = sent = waiting = 0
        begun = time.perf_counter()
        while time.perf_counter() - begun < seconds:
            while waiting < under_way:
                self.send(sent)
                sent, waiting = sent + 1, waiting + 1
            if self.receive() is None:
                waiting = 0
            else:
                got, waiting = got + 1, max(0, waiting - 1)  # one that was given up may come yet
        return got / (time.perf_counter() - begun)

    def loss(self, rate: float, seconds: float) -> float:
        """The share that is lost of those that are sent at a rate."""
        self.sock.setblocking(False)
        total, sent, got = max(1, int(rate * seconds)), 0, set[int]()
        begun = time.perf_counter()
        while (now := time.perf_counter() - begun) < seconds + PATIENCE and len(got) < total:
            while sent < min(total, int(now * rate) + 1):
                self.send(sent)
                sent += 1
            ready, _, _ = select.select([self.sock], [], [], min(0.001, 0.5 / rate))
            with contextlib.suppress(OSError):
                while ready:
                    data = self.sock.recv(65536)
                    if data[8:] == self.filler:
                        got.add(int.from_bytes(data[:8], "big"))
        self.sock.settimeout(PATIENCE)
        return 1 - len(got) / max(1, sent)

    def latency(self, count: int) -> float:
        """The median of that many, in microseconds; NaN if too many are lost."""
        times: list[float] = []
        for number in range(count):
            if number - len(times) > LOST:
                return float("nan")
            begun = time.perf_counter()
            self.send(number)
            while (got := self.receive()) not in (number, None):
                pass  # an echo that came too late for the one before
            if got is not None:
                times.append(time.perf_counter() - begun)
        return statistics.median(times) * 1e6


@contextlib.contextmanager
def beside(others: int, way: Way, size: int) -> Iterator[None]:
    """So many clients that have had an answer."""
    with contextlib.ExitStack() as stack:
        for number in range(others):
            client = Client(way, size)
            stack.enter_context(client.sock)
            client.send(number)
            if client.receive() is None:
                raise TimeoutError(f"client {number} got no answer")
        yield


def rates(way: Way, size: int, seconds: float) -> dict[str, float]:
    """What one contender carries, and what it loses of half of that."""
    client = Client(way, size)
    client.latency(TRIPS)
    rate = max(client.rate(seconds / len(UNDER_WAY), each) for each in UNDER_WAY)
    time.sleep(PATIENCE)
    while client.receive() is not None:
        pass
    return {"rate": rate, "loss": client.loss(max(1.0, rate / 2), seconds)}


def trips(ways: list[Way], size: int) -> list[float]:
    """The latency of each way: the median of its turns, whose order is another each time; NaN if it loses too many."""
    with contextlib.ExitStack() as stack:
        clients = [Client(way, size) for way in ways]
        for client in clients:
            stack.enter_context(client.sock)
            client.latency(TRIPS)  # the first find a path, and wake whoever sleeps
        found: list[list[float]] = [[] for _ in ways]
        for _ in range(TURNS):
            for client, turns in random.sample(list(zip(clients, found, strict=True)), len(ways)):
                turns.append(client.latency(TRIPS))
    return [float("nan") if any(map(math.isnan, turns)) else statistics.median(turns) for turns in found]


def way_of(text: str) -> Way:
    """``PORT/udp`` or ``PORT/tcp``."""
    port, protocol = text.split("/")
    return int(port), socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM


def main(what: str, *arguments: str) -> None:
    """One of the three commands."""
    if what == "serve":
        serve(int(arguments[0]))
        return
    size, others, *rest = arguments
    if what == "rates":
        way, seconds = way_of(rest[0]), float(rest[1])
        with beside(int(others), way, int(size)):
            print(json.dumps(rates(way, int(size), seconds)))
    else:
        ways = [way_of(text) for text in rest]
        with beside(int(others), ways[-1], int(size)):
            print(json.dumps(trips(ways, int(size))))


if __name__ == "__main__":
    main(*sys.argv[1:])
