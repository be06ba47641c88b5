"""Flows and listeners at helpers that run on this machine."""

from __future__ import annotations

import asyncio
import socket

import pytest
from orchestra_plugins.udp.helper import Tier
from orchestra_plugins.udp.station import Treatment

from orchestra.diagnostics import Code
from orchestra.session import BindRefused
from tests.plugins.udp.rig import SIZES, Party, Visited, asked_there, closed_port, helper, play, target, tiers, until

PLAIN = Treatment()


@tiers
def test_a_flow_that_is_closed_takes_nothing_more_and_counts_it(tier: Tier) -> None:
    async def scene() -> None:
        with target() as (port, heard):
            async with helper(tier) as channel:
                party = Party()
                flow = channel.flow(party, "127.0.0.1", port, PLAIN)
                flow.send(b"one")
                await party.until(lambda: party.got == [b"one"])
                flow.send(b"two")
                flow.close()
                flow.close()
                flow.send(b"three")
                await until(lambda: [data for _, data in heard] == [b"one", b"two"])
                assert (party.got, party.why, party.notes["closed"]) == ([b"one"], [], 1)

    play(scene)


@tiers
def test_a_port_that_refuses_is_noted_and_the_flow_lives_on(tier: Tier) -> None:
    async def scene() -> None:
        async with helper(tier) as channel:
            party, port = Party(), closed_port()
            flow = channel.flow(party, "127.0.0.1", port, PLAIN)
            flow.send(b"one")
            await party.until(lambda: party.notes["refused"] == 1)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
                late.bind(("127.0.0.1", port))
                late.setblocking(False)
                flow.send(b"two")
                assert await asyncio.wait_for(asyncio.get_running_loop().sock_recv(late, 100), 5) == b"two"
            assert (party.why, dict(party.notes)) == ([], {"refused": 1})

    play(scene)


@tiers
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_listener_there_has_a_flow_for_each_peer(tier: Tier, host: str) -> None:
    async def scene() -> None:
        async with helper(tier) as channel:
            visited = Visited()
            listening = await channel.listen(visited, host, 0, PLAIN)
            with pytest.raises(BindRefused) as refused:
                await channel.listen(Visited(), host, listening.port, PLAIN)
            assert (refused.value.code, refused.value.host) == (Code.LISTEN_IN_USE, "far")
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            clients = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(50)]
            loop = asyncio.get_running_loop()
            try:
                for number, client in enumerate(clients):
                    client.setblocking(False)
                    client.connect((host, listening.port))
                    client.send(b"from %d" % number)
                for number, client in enumerate(clients):
                    assert await asyncio.wait_for(loop.sock_recv(client, 100), 10) == b"from %d" % number
                    for size in SIZES if number == 0 else ():
                        client.send(b"y" * size)
                        assert await asyncio.wait_for(loop.sock_recv(client, 65536), 10) == b"y" * size
                ports = [client.getsockname()[1] for client in clients]
                assert [peer.port for peer, _ in visited.peers] == ports
                assert {peer.host for peer, _ in visited.peers} == {host}
            finally:
                for client in clients:
                    client.close()
            port = listening.port
            listening.close()
            again = await channel.listen(visited, host, port, PLAIN)
            assert again.port == port

    play(scene)


@tiers
def test_an_address_that_is_not_there_cannot_be_bound(tier: Tier) -> None:
    async def scene() -> None:
        async with helper(tier) as channel:
            with pytest.raises(BindRefused, match=r"far cannot listen on 192\.0\.2\.1:9 by UDP: it does not have"):
                await channel.listen(Visited(), "192.0.2.1", 9, PLAIN)
            with pytest.raises(BindRefused):
                await channel.listen(Visited(), "no\0literal", 9, PLAIN)

    play(scene)


@pytest.mark.parametrize(("wildcard", "asked"), [("0.0.0.0", "127.0.0.7"), ("::", "::1")])
@tiers
def test_a_wildcard_answers_from_what_was_asked_or_is_refused(tier: Tier, wildcard: str, asked: str) -> None:
    async def scene() -> None:
        async with helper(tier) as channel:
            visited = Visited()
            if tier.name == "perl":
                with pytest.raises(BindRefused, match="Perl cannot answer from the address") as refused:
                    await channel.listen(visited, wildcard, 0, PLAIN)
                assert "install python3" in (refused.value.suggestion or "")
                return
            listening = await channel.listen(visited, wildcard, 0, PLAIN)
            await asked_there(listening.port, asked)

    play(scene)
