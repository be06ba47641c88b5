"""The client of the UDP part, beside echoes that do not do what they should."""

from __future__ import annotations

import math
import select
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from bench import datagrams
from bench.datagrams import Client, trips, way_of

SIZE = 300


@pytest.fixture
def echo(request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of an echo of datagrams that does this to each of them; an empty one ends it."""
    change: Callable[[bytes], bytes] = request.param
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((datagrams.LOOPBACK, 0))

        def serve() -> None:
            while True:
                data, peer = sock.recvfrom(65536)
                if not data:
                    return
                sock.sendto(change(data), peer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield sock.getsockname()[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", sock.getsockname())
        thread.join()


@pytest.mark.parametrize("echo", [lambda data: data], indirect=True)
def test_what_came_back_as_it_was_sent_is_timed(echo: int) -> None:
    (latency,) = trips([way_of(f"{echo}/udp")], SIZE)
    assert 0 < latency < 1e6


@pytest.mark.parametrize(
    "echo", [lambda data: data[:-1] + b"!", lambda data: data[:-1], lambda data: data * 2], indirect=True
)
def test_what_was_spoiled_cut_or_glued_is_lost(echo: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "PATIENCE", 0.02)
    client = Client(way_of(f"{echo}/udp"), SIZE)
    with client.sock:
        client.send(7)
        assert client.receive() is None
        assert math.isnan(client.latency(10))
        assert client.loss(1000, 0.01) == 1


def test_a_stream_that_comes_in_parts_is_read_to_the_end_of_what_was_sent() -> None:
    with socket.create_server((datagrams.LOOPBACK, 0)) as listener:
        client = Client(way_of(f"{listener.getsockname()[1]}/tcp"), SIZE)
        peer, _ = listener.accept()
        with client.sock, peer:
            client.send(7)
            sent = peer.recv(SIZE, socket.MSG_WAITALL)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer.sendall(sent[:100])

            def rest() -> None:
                while select.select([client.sock], [], [], 0)[0]:
                    pass  # the first part has not been read yet
                peer.sendall(sent[100:])

            thread = threading.Thread(target=rest)
            thread.start()
            assert client.receive() == 7
            thread.join()
