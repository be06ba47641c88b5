"""Sockets of this process."""

from __future__ import annotations

import asyncio
import socket

import pytest
from orchestra_plugins.udp.near import EARLY, Near
from orchestra_plugins.udp.station import Treatment

from orchestra.diagnostics import Code
from orchestra.session import BindRefused
from orchestra.session.here import Here
from tests.plugins.udp.rig import SIZES, Party, Visited, asked_there, closed_port, play, target, until

PLAIN = Treatment()
HOSTS = pytest.mark.parametrize("host", ["127.0.0.1", "::1"])


@HOSTS
def test_every_size_arrives_whole_and_comes_back(host: str) -> None:
    async def scene() -> None:
        with target(host) as (port, _):
            near, party = Near(Here("here")), Party()
            flow = near.flow(party, host, port, PLAIN)
            for index, size in enumerate(SIZES):
                flow.send(b"x" * size)
                await party.until(lambda: len(party.got) == index + 1)  # noqa: B023
            assert [len(data) for data in party.got] == list(SIZES)
            assert flow.address == host
            flow.send(b"x" * 65508 if host == "127.0.0.1" else b"x" * 65529)
            assert party.notes == {"size": 1}
            near.close()
            flow.send(b"late")
            assert party.notes == {"size": 1, "closed": 1}

    play(scene)


def test_what_is_sent_while_a_socket_opens_is_kept_as_far_as_it_goes() -> None:
    async def scene() -> None:
        with target() as (port, heard):
            near, party = Near(Here("here")), Party()
            flow = near.flow(party, "127.0.0.1", port, PLAIN)
            for number in range(EARLY + 3):
                flow.send(b"%d" % number)
            assert party.notes == {"queue": 3}
            await party.until(lambda: len(party.got) == EARLY)
            assert [data for _, data in heard] == [b"%d" % number for number in range(EARLY)]
            near.close()

    play(scene)


def test_a_name_that_does_not_resolve_ends_the_flow() -> None:
    async def scene() -> None:
        near, party = Near(Here("here")), Party()
        near.flow(party, "no-such-host.invalid", 9, PLAIN).send(b"nowhere")
        await party.until(lambda: party.why)
        assert "does not resolve" in party.why[0]
        assert party.notes == {"unreachable": 1}

    play(scene)


def test_a_port_that_refuses_is_noted_and_the_flow_lives_on() -> None:
    async def scene() -> None:
        near, party, port = Near(Here("here")), Party(), closed_port()
        flow = near.flow(party, "127.0.0.1", port, PLAIN)
        flow.send(b"one")
        await party.until(lambda: party.notes["refused"] == 1)
        flow.send(b"two")
        await party.until(lambda: party.notes["refused"] == 2)
        assert (party.why, dict(party.notes)) == ([], {"refused": 2})
        near.close()

    play(scene)


def test_a_place_without_datagrams_says_so() -> None:
    async def connect(_host: str, _port: int) -> socket.socket:
        raise OSError

    async def scene() -> None:
        near, party = Near(Here("laptop", connect=connect)), Party()
        near.flow(party, "127.0.0.1", 9, PLAIN)
        await party.until(lambda: party.why)
        assert "laptop is in a lab that has no UDP" in party.why[0]

    play(scene)


@HOSTS
def test_peers_have_flows_of_their_own(host: str) -> None:
    async def scene() -> None:
        near, visited = Near(Here("here")), Visited()
        listening = await near.listen(visited, host, 0, PLAIN)
        with pytest.raises(BindRefused, match=r"cannot listen on .* by UDP: it is held by") as refused:
            await near.listen(Visited(), host, listening.port, PLAIN)
        assert refused.value.code is Code.LISTEN_IN_USE
        loop = asyncio.get_running_loop()
        clients = [socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) for _ in "abc"]
        for number, client in enumerate(clients):
            client.setblocking(False)
            client.connect((host, listening.port))
            client.send(b"%d" % number)
        for number, client in enumerate(clients):
            assert await asyncio.wait_for(loop.sock_recv(client, 10), 5) == b"%d" % number
        visited.peers[0][1].flow.close()
        clients[0].send(b"again")
        assert await asyncio.wait_for(loop.sock_recv(clients[0], 10), 5) == b"again"
        assert len(visited.peers) == 4
        for client in clients:
            client.close()
        near.close()
        visited.peers[1][1].flow.send(b"late")
        assert visited.peers[1][1].notes == {"closed": 1}

    play(scene)


@pytest.mark.parametrize(("wildcard", "asked"), [("0.0.0.0", "127.0.0.7"), ("::", "::1")])
def test_an_answer_comes_from_the_address_that_was_asked(wildcard: str, asked: str) -> None:
    async def scene() -> None:
        near, visited = Near(Here("here")), Visited()
        listening = await near.listen(visited, wildcard, 0, PLAIN)
        await asked_there(listening.port, asked)
        near.close()

    play(scene)


def test_what_the_kernel_drops_is_counted() -> None:
    async def scene() -> None:
        near, visited = Near(Here("here")), Visited()
        listening = await near.listen(visited, "127.0.0.1", 0, PLAIN)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", listening.port))
            for _ in range(20_000):
                client.send(b"flood")
        await until(lambda: visited.notes["kernel"] + sum(len(party.got) for _, party in visited.peers) >= 20_000)
        assert visited.notes["kernel"] > 1000
        assert len(visited.peers[0][1].got) + visited.notes["kernel"] == 20_000
        near.close()

    play(scene)
