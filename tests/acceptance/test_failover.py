"""Two bastions of real sshd into one network: what connections see when the one that they take breaks."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from orchestra.engine.core import failover
from orchestra.model.events import PathChanged
from tests.acceptance.test_udp import client, exchange, insist
from tests.acceptance.world import needs_netns, play
from tests.faults.field import Field, field, take

pytestmark = [pytest.mark.netns, needs_netns]

WARM = """\
networks: {internet: 198.51.100.0/24, private: 10.40.0.0/24}
clients: {laptop: {networks: {internet: 198.51.100.1}}}
defaults: {servers: {ssh: {keepalive: 1s, connect_timeout: 3s}}}
servers:
  east: {networks: {internet: 198.51.100.11, private: 10.40.0.11}}
  west: {networks: {internet: 198.51.100.12, private: 10.40.0.12}, cost: 10}
targets:
  desk: {networks: {private: 10.40.0.80}, address: "10.40.0.80:8080"}
tunnels:
  desk: {listen: auto, dial_timeout: 1s, failover: true, standby: warm}
"""
COLD = WARM.replace("warm", "cold")
DATAGRAMS = WARM.replace('"10.40.0.80:8080"', '"10.40.0.80:2222", protocol: udp')
EAST, WEST = ("laptop", "east"), ("laptop", "west")
SOON = 1.0
"""Seconds within which new connections have to pass again."""


async def served(up: Field) -> float:
    """Seconds until a connection that is made now has brought everything."""
    begun = time.monotonic()
    assert await up.get(100_000) == take(100_000)
    return time.monotonic() - begun


def moves(up: Field) -> list[PathChanged]:
    return [event for event in up.log.events if isinstance(event, PathChanged)]


async def all_open(up: Field) -> None:
    await up.until_ready()
    await up.until(lambda: all(session.state == "open" for session in up.engine.snapshot().sessions))


def test_a_bastion_that_is_killed_costs_new_connections_no_second_and_they_go_back_when_it_lasts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(failover, "RETURN", 1.5)

    async def scene() -> None:
        async with field(WARM, sshd=()) as up:
            await all_open(up)
            reader, writer = await up.ask_for(1 << 30)
            await up.lab.stop_server("east")
            assert await served(up) < SOON
            with pytest.raises(ConnectionResetError):
                await reader.readexactly(1 << 30)
            writer.transport.abort()
            await up.until(lambda: up.tunnel("desk").state == "ready")
            assert (up.tunnel("desk").path, up.tunnel("desk").failed_over) == (WEST, True)
            (moved,) = moves(up)
            assert (moved.before, moved.path, moved.planned) == (EAST, WEST, False)
            assert "the session to east was lost" in moved.reason
            await up.lab.start_server("east")
            staying, writer = await up.ask_for(1 << 22)
            await up.until(lambda: len(moves(up)) == 2)
            assert (moves(up)[1].path, up.tunnel("desk").state) == (EAST, "ready")
            assert len(await staying.read(-1)) == 1 << 22  # by west, to its end
            writer.close()
            assert await served(up) < SOON

    play(scene())


def test_a_bastion_that_falls_silent_costs_its_keepalive_and_no_second_more() -> None:
    async def scene() -> None:
        async with field(WARM, sshd=()) as up:
            await all_open(up)
            up.signal("east", signal.SIGSTOP)
            try:
                begun = time.monotonic()
                waiting = asyncio.create_task(served(up))  # it waits at the silent one, and is taken along
                await up.until_lost("east")
                noticed = time.monotonic()
                assert noticed - begun < 2.0
                assert await served(up) < SOON
                await waiting
                assert time.monotonic() - noticed < SOON
            finally:
                up.signal("east", signal.SIGCONT)

    play(scene())


def test_what_stands_by_cold_is_opened_when_it_is_needed_and_who_comes_meanwhile_waits() -> None:
    async def scene() -> None:
        async with field(COLD, sshd=()) as up:
            await up.until_ready()
            assert up.session("west").state == "waiting"
            await up.lab.stop_server("east")
            assert await served(up) < 2.0
            assert up.tunnel("desk").path == WEST

    play(scene())


@pytest.mark.parametrize("text", [WARM, COLD], ids=["warm", "cold"])
def test_who_cannot_connect_by_one_is_tried_by_the_other(text: str) -> None:
    async def scene() -> None:
        async with field(text, sshd=()) as up:
            await up.until_ready()
            await up.drop("east", "out", "ip daddr 10.40.0.80")
            assert await served(up) < 1.0 + 2 * SOON  # the dial that nobody answers, and a login at most
            assert up.session("east").state == "open"

    play(scene())


def test_a_start_with_a_bastion_that_is_down_is_ready_by_the_other() -> None:
    async def down(up: Field) -> None:
        await up.lab.stop_server("east")

    async def scene() -> None:
        async with field(COLD, sshd=(), prepare=down) as up:
            await up.until_ready()
            assert up.tunnel("desk").path == WEST
            assert await served(up) < SOON

    play(scene())


def test_datagrams_go_the_other_way_within_a_second_of_the_loss() -> None:
    async def scene() -> None:
        async with field(DATAGRAMS, sshd=()) as up:
            await all_open(up)
            with client(up, "desk") as talks, client(up, "desk") as listens:
                for each in (talks, listens):
                    assert await exchange(each, b"one") == b"desk on desk one"
                await up.lab.stop_server("east")
                begun = time.monotonic()
                assert await insist(talks, b"two") == b"desk on desk two"
                assert time.monotonic() - begun < SOON
                assert await insist(listens, b"three") == b"desk on desk three"
                await up.until(lambda: up.tunnel("desk").path == WEST)
                counters = up.tunnel("desk").counters
                assert counters["flows"] == 2
                assert counters["flows_opened"] >= 4  # those of the lost session had ended

    play(scene())
