"""What networks do: rows 1 to 7, 33, 36 and 39 of docs/faults.md."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import suppress

import pytest

from tests.faults.field import NOTICED, TWO_HOPS, Field, field, long, take, told_of
from tests.faults.leaks import play
from tests.lab.netns.labs import needs_namespaces

pytestmark = needs_namespaces

SLACK = 0.7
"""Seconds: a third of the silence until the first question is sent, and two busy cores."""
USUAL = TWO_HOPS.replace("keepalive: 1s", "keepalive: 3s").replace("keepalive: 1500ms", "keepalive: 4s")
"""A fifth of what is usual."""
MEGABYTE = 1 << 20
FLOOD = 64 * MEGABYTE


async def is_broken(reader: asyncio.StreamReader) -> None:
    """The download ends in a reset; what came of it was true, and not all."""
    got = bytearray()

    async def read() -> None:
        while chunk := await reader.read(MEGABYTE):
            got.extend(chunk)

    with pytest.raises(ConnectionResetError):
        await read()
    assert len(got) < FLOOD
    assert take(len(got)) == got


async def flood(writer: asyncio.StreamWriter) -> int:
    """Bytes that can be sent before it breaks."""
    sent = 0
    with suppress(ConnectionError):
        while True:
            writer.write(bytes(MEGABYTE // 16))
            await writer.drain()
            sent += MEGABYTE // 16
    writer.transport.abort()
    return sent


async def noticed_and_mended(up: Field, victim: str, way: str) -> None:
    """A hop falls silent: that is noticed in time, who comes is sent away, and it comes back by itself."""
    reader, writer = await up.ask_for(FLOOD)
    await up.drop(victim, way)
    assert await up.until_lost(victim) < NOTICED + (0.5 if victim == "inner" else 0.0) + SLACK
    assert (up.error(victim).code, up.error(victim).host) == ("SESSION_LOST", victim)
    assert "keepalive" in up.error(victim).message
    assert up.session("inner" if victim == "gateway" else "gateway").error is None  # no other is blamed
    await is_broken(reader)
    writer.transport.abort()
    assert await up.is_refused() < 0.5 + SLACK  # hold
    await up.mend(victim)
    assert await up.until_back() < 5


@pytest.mark.parametrize("victim", ["gateway", pytest.param("inner", marks=long)])
def test_fault_01_a_peer_that_vanishes_is_noticed_in_time_and_comes_back_by_itself(victim: str) -> None:
    async def scene() -> None:
        async with field() as up:
            await up.until_ready()
            await noticed_and_mended(up, victim, "both")

    play(scene())


@long
@pytest.mark.parametrize("way", ["in", "out"])
def test_fault_02_a_link_that_loses_one_direction_is_noticed_like_one_that_loses_both(way: str) -> None:
    async def scene() -> None:
        async with field() as up:
            await up.until_ready()
            await noticed_and_mended(up, "gateway", way)

    play(scene())


def test_fault_02_who_sends_into_a_black_hole_is_stopped() -> None:
    async def scene() -> None:
        async with field() as up:
            await up.until_ready()
            _, writer = await up.connect()
            await up.drop("gateway", "in")
            sent = await flood(writer)
            assert sent < 32 * MEGABYTE  # buffers of the kernel, and one window
            await up.mend("gateway")
            await up.until_back()

    play(scene())


@pytest.mark.parametrize("victim", ["gateway", "inner"])
def test_fault_03_a_reset_in_the_middle_is_noticed_at_once_and_passed_on_as_one(victim: str) -> None:
    async def scene() -> None:
        async with field(relay=victim) as up:
            await up.until_ready()
            reader, writer = await up.ask_for(FLOOD)
            await reader.readexactly(MEGABYTE)
            up.relay.reset()
            assert await up.until_lost(victim) < 1
            with pytest.raises(ConnectionResetError):
                await reader.read(-1)
            writer.transport.abort()
            assert up.error(victim).code == "SESSION_LOST"
            assert await up.until_back() < 5

    play(scene())


@pytest.mark.parametrize(
    ("delay", "jitter", "text"), [(0.1, 0.05, TWO_HOPS), pytest.param(0.5, 0.3, USUAL, marks=long)]
)
def test_fault_04_a_slow_link_is_no_lost_one(delay: float, jitter: float, text: str) -> None:
    async def scene() -> None:
        async with field(text, relay="gateway") as up:
            await up.until_ready()
            before = up.states("gateway")
            up.relay.delay, up.relay.jitter = delay, jitter
            assert await up.get(MEGABYTE) == take(MEGABYTE)
            assert await up.put(MEGABYTE) == told_of(MEGABYTE)
            assert up.states("gateway") == before

    play(scene())


@pytest.mark.parametrize("size", [MEGABYTE, pytest.param(16 * MEGABYTE, marks=long)])
def test_fault_04_of_a_link_that_loses_packets_nothing_is_to_be_seen(size: int) -> None:
    async def scene() -> None:
        async with field() as up:
            await up.until_ready()
            before = up.states("gateway")
            await up.drop("gateway", "in", "numgen random mod 100 < 5")
            assert await up.get(size) == take(size)
            assert await up.put(size) == told_of(size)
            assert up.states("gateway") == before
            await up.mend("gateway")

    play(scene())


@long
@pytest.mark.parametrize("way", ["down", "up"])
def test_fault_05_a_narrow_link_full_of_data_is_no_silent_one(way: str) -> None:
    """64 kbit/s and the usual 15 and 20 seconds, five times as fast."""

    async def scene() -> None:
        async with field(USUAL) as up:
            await up.until_ready()
            before = up.states("gateway"), up.states("inner")
            await up.narrow("gateway" if way == "down" else "laptop", "320kbit")
            size = 400_000
            assert (await up.get(size) == take(size)) if way == "down" else (await up.put(size) == told_of(size))
            assert (up.states("gateway"), up.states("inner")) == before

    play(scene())


def test_fault_06_bytes_may_come_in_crumbs() -> None:
    async def scene() -> None:
        async with field(relay="gateway", crumbs=3) as up:
            await up.until_ready()
            assert await up.get(20_000) == take(20_000)
            assert await up.put(20_000) == told_of(20_000)

    play(scene())


@pytest.mark.parametrize("victim", [pytest.param("gateway", marks=long), "inner"])
def test_fault_07_a_spoilt_bit_ends_the_session_and_is_never_delivered(victim: str) -> None:
    async def scene() -> None:
        async with field(relay=victim) as up:
            await up.until_ready()
            reader, writer = await up.ask_for(FLOOD)
            up.relay.spoil = 1
            await is_broken(reader)
            writer.transport.abort()
            await up.until_lost(victim)
            await up.until_back()

    play(scene())


@long
def test_fault_33_a_frozen_hop_is_noticed_and_what_it_says_when_it_wakes_is_not_heard() -> None:
    async def scene() -> None:
        async with field() as up:
            await up.until_ready()
            reader, writer = await up.ask_for(FLOOD)
            frozen = up.sshd("gateway")
            up.signal("gateway", signal.SIGSTOP)
            assert await up.until_lost("gateway") < NOTICED + SLACK
            await is_broken(reader)
            writer.transport.abort()
            await up.until(lambda: up.error("gateway").code == "CONNECT_TIMEOUT", 20)
            assert frozen == up.sshd("gateway")
            up.signal("gateway", signal.SIGCONT)
            await up.until_back()

    play(scene())


@long
@pytest.mark.parametrize("pause", [0.0, 0.05], ids=["flood", "trickle"])
@pytest.mark.parametrize("victim", ["gateway", "inner"])
def test_fault_33_a_frozen_hop_is_noticed_also_by_who_only_sends(victim: str, pause: float) -> None:
    """Its kernel goes on to acknowledge for a while, which is no sign of life."""

    async def scene() -> None:
        async with field() as up:
            await up.until_ready()
            _, writer = await up.connect()

            async def send() -> None:
                with suppress(ConnectionError):
                    while True:
                        writer.write(bytes(64 if pause else 65536))
                        await writer.drain()
                        await asyncio.sleep(pause)

            sending = asyncio.create_task(send())
            up.signal(victim, signal.SIGSTOP)
            assert await up.until_lost(victim) < 1.5 + 2 * SLACK
            await sending
            up.signal(victim, signal.SIGCONT)
            await up.until_back()

    play(scene())


def test_fault_36_an_address_that_goes_is_a_lost_link_and_one_that_comes_back_is_used() -> None:
    async def scene() -> None:
        async with field() as up:
            await up.until_ready()
            routes = (await up.run("laptop", "ip", "route", "show")).splitlines()
            await up.run("laptop", "ip", "addr", "del", "198.51.100.1/32", "dev", "eth0")
            assert await up.until_lost("gateway") < NOTICED + SLACK
            await up.is_refused()
            await up.run("laptop", "ip", "addr", "add", "198.51.100.1/32", "dev", "eth0")
            for route in routes:
                await up.run("laptop", "ip", "route", "replace", *route.split())
            await up.until_back()

    play(scene())


@long
def test_fault_39_a_link_that_loses_what_is_large_is_noticed_when_something_is() -> None:
    async def scene() -> None:
        async with field() as up:
            await up.until_ready()
            await up.drop("gateway", "out", "meta length > 1280")
            await up.stays_quiet(2 * NOTICED)
            reader, writer = await up.connect()
            writer.write(f"GET /bytes/{FLOOD} HTTP/1.0\r\n\r\n".encode())
            begun = time.monotonic()
            await up.until_lost("gateway")
            assert time.monotonic() - begun < NOTICED + SLACK
            with pytest.raises(ConnectionResetError):
                await reader.read(-1)
            writer.transport.abort()
            await up.mend("gateway")
            await up.until_back()

    play(scene())
