"""The small parts of the helper; as a process it is held by the tests of the channel."""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections.abc import Iterator

import pytest
from orchestra_plugins.udp.far import End, Far, name_of, poller, where_of
from orchestra_plugins.udp.names import LOOKUPS, QUEUED, Names
from orchestra_plugins.udp.wire import CLOSE, HEAD, WHERE, Parser, Policy

from tests.plugins.udp.rig import Lookups


def test_where_to_and_how_datagrams_wait() -> None:
    port, policy, host = where_of(HEAD, WHERE.pack(53, 250, 65536) + b"fe80::1%eth0")
    assert (port, host, policy.age, policy.room, policy.head) == (53, "fe80::1%eth0", 0.25, 65536, True)
    assert not where_of(0, WHERE.pack(53, 250, 65536) + b"\xff")[1].head


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "ECONNREFUSED"),
        (OSError(errno.EADDRINUSE, "x"), "EADDRINUSE"),
        (socket.gaierror(-2, "x"), "EUNRESOLVED"),
        (ValueError("embedded null byte"), "ValueError"),
    ],
)
def test_errors_have_names_since_numbers_differ(error: Exception, name: str) -> None:
    assert name_of(error) == name


def test_one_datagram_goes_before_it_is_looked_for_another_and_then_as_many_as_come() -> None:
    far = Far(1 << 20)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, socket.socket(sock.family, sock.type) as client:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        end = End(2, sock, Policy(), False)
        far.keep(end)

        def came(turn: int) -> list[bytes]:
            far.turn = turn
            far.receive(end)
            return [body for *_, body in Parser().feed(far.outbox.take())]

        for body in (b"1", b"2", b"3"):
            client.sendto(body, sock.getsockname())
        assert [came(5), came(6)] == [[b"1"], [b"2", b"3"]]
        for body in (b"4", b"5"):
            client.sendto(body, sock.getsockname())
        assert came(8) == [b"4"]  # something else was ready in between
    for each in far.names.bell:
        os.close(each)


@pytest.mark.parametrize("kind", ["epoll", "poll"])
def test_it_waits_for_as_long_as_it_is_told_with_whatever_the_system_has(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "poll":
        monkeypatch.delattr(select, "epoll", raising=False)
    elif not hasattr(select, "epoll"):
        pytest.skip("this system has none")
    poll, units = poller()
    assert type(poll).__name__ == kind
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        poll.register(sock, select.POLLIN)
        begun = time.monotonic()
        assert poll.poll(0.05 * units) == []
        assert 0.05 <= time.monotonic() - begun < 5


@pytest.fixture
def lookups() -> Lookups:
    return Lookups()


@pytest.fixture
def far(lookups: Lookups) -> Iterator[Far]:
    made = Far(1 << 20, Names(lookups.look, lookups.begin))
    yield made
    for flow in list(made.ends):
        made.close(flow)
    for each in made.names.bell:
        os.close(each)


def test_a_flow_that_is_closed_takes_its_lookup_along(far: Far, lookups: Lookups) -> None:
    for number in range(20 * QUEUED):
        far.close(number - QUEUED)  # what the other end evicts
        far.open(number, 0, WHERE.pack(53, 250, 65535) + b"n%d.example" % number)
    assert len(far.early) == QUEUED
    assert len(far.names.queued) <= QUEUED
    assert not far.outbox.take()  # nobody was refused
    for number in range(19 * QUEUED, 20 * QUEUED):
        far.close(number)
    far.open(2, 0, WHERE.pack(9, 250, 65535) + b"wanted.example")
    far.send(2, b"early")
    lookups.end("n0.example")
    far.learn()
    assert list(lookups.begun) == [*(f"n{number}.example" for number in range(1, LOOKUPS)), "wanted.example"]
    lookups.end("wanted.example")
    far.learn()
    assert (list(far.ends), far.early, far.kept) == ([2], {}, 0)


def test_a_flow_to_one_name_more_than_may_wait_is_refused_at_once(far: Far) -> None:
    for number in range(LOOKUPS + QUEUED + 1):
        far.open(2 * number, 0, WHERE.pack(53, 250, 65535) + b"n%d.example" % number)
    refused = Parser().feed(far.outbox.take())
    assert refused == [(CLOSE, 0, 2 * (LOOKUPS + QUEUED), b"EUSERS")]
    assert len(far.early) == LOOKUPS + QUEUED
