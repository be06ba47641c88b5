"""The two ends of the UDP part, each in a process of its own: an echo of datagrams and of streams, and the client.

python bench/datagrams.py serve PORT
python bench/datagrams.py ask PORT SIZE SECONDS udp|tcp OTHERS
python bench/datagrams.py trips SIZE PORT/udp|tcp...
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import statistics
import sys
import time

LOOPBACK = "127.0.0.1"
UNDER_WAY = (1, 8, 64)
PATIENCE = 0.2
"""Seconds after which a datagram is lost."""
TIMED = 1000
"""Datagrams whose way there and back is timed; the scheduler takes some hundred to find out who talks to whom."""
TURNS, TRIPS = 24, 60
"""Where several ways are compared: how often each has its turn, and what is timed in one. In so short a time no
processor changes its pace, and the scheduler moves nobody."""
LOST = 20
"""Datagrams whose loss ends the measuring of latency."""


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

    def __init__(self, port: int, size: int, kind: socket.SocketKind) -> None:
        self.sock = socket.socket(socket.AF_INET, kind)
        if kind == socket.SOCK_DGRAM:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.sock.connect((LOOPBACK, port))
        self.sock.settimeout(PATIENCE)
        self.filler = bytes(size - 8)

    def send(self, number: int) -> None:
        with contextlib.suppress(OSError):
            self.sock.send(number.to_bytes(8, "big") + self.filler)

    def receive(self) -> int | None:
        """The number of one that came back as it was sent; None when none did in time."""
        end = time.perf_counter() + PATIENCE
        while time.perf_counter() < end:
            try:
                data = self.sock.recv(65536)
            except OSError:
                continue
            if len(data) == len(self.filler) + 8:
                return int.from_bytes(data[:8], "big")
        return None

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
                got, waiting = got + 1, waiting - 1
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
                    if len(data) == len(self.filler) + 8:
                        got.add(int.from_bytes(data[:8], "big"))
        self.sock.settimeout(PATIENCE)
        return 1 - len(got) / max(1, sent)

    def latency(self, count: int) -> float:
        """The median of that many, in microseconds."""
        times: list[float] = []
        for number in range(count):
            if number - len(times) > LOST:
                break
            begun = time.perf_counter()
            self.send(number)
            while (got := self.receive()) not in (number, None):
                pass  # an echo that came too late for the one before
            if got is not None:
                times.append(time.perf_counter() - begun)
        return statistics.median(times) * 1e6 if len(times) >= count - LOST else float("nan")


def ask(port: int, size: int, seconds: float, kind: socket.SocketKind, others: int) -> dict[str, float]:
    """All three figures of one contender, beside so many clients that were heard once; a stream has a latency only."""
    crowd = [Client(port, size, kind) for _ in range(others)]
    for number, each in enumerate(crowd):
        each.send(number)
        if each.receive() is None:
            raise TimeoutError(f"client {number} got no answer")
    client = Client(port, size, kind)
    for number in range(1 << 32, (1 << 32) + 10):  # the first find a path, and wake whoever sleeps
        client.send(number)
        client.receive()
    found = {"latency": client.latency(TIMED)}
    if kind == socket.SOCK_DGRAM:
        found["rate"] = max(client.rate(seconds / len(UNDER_WAY), each) for each in UNDER_WAY)
        time.sleep(PATIENCE)
        while client.receive() is not None:
            pass
        found["loss"] = client.loss(max(1.0, found["rate"] / 2), seconds)
    return found


def trips(size: int, ways: list[tuple[int, socket.SocketKind]]) -> list[float]:
    """The latency of each way, all of them by turns; the median of the turns' medians."""
    clients = [Client(port, size, kind) for port, kind in ways]
    for client in clients:
        client.latency(LOST)
    found = [[client.latency(TRIPS) for client in clients] for _ in range(TURNS)]
    return [statistics.median(times) for times in zip(*found, strict=True)]


def kind_of(protocol: str) -> socket.SocketKind:
    """``udp`` or ``tcp``."""
    return socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    if what == "serve":
        serve(int(arguments[0]))
    elif what == "ask":
        port, size, seconds, protocol, others = arguments
        print(json.dumps(ask(int(port), int(size), float(seconds), kind_of(protocol), int(others))))
    else:
        size, *named = arguments
        ways = [way.split("/") for way in named]
        print(json.dumps(trips(int(size), [(int(port), kind_of(protocol)) for port, protocol in ways])))
