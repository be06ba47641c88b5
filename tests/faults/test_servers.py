"""What SSH servers do: rows 8, 9, 12 to 16, 23, 37, 38 and 43 of docs/faults.md."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from orchestra.model.events import ConnectionFailed
from orchestra.session.errors import DialRefused
from orchestra.testing.collect import Collector
from tests.faults.field import ALIVE, TWO_HOPS, Field, field, long, take, told_of
from tests.faults.leaks import play
from tests.lab.netns.labs import needs_namespaces

pytestmark = needs_namespaces

MEGABYTE = 1 << 20
CALLBACK = (
    TWO_HOPS.partition("targets:")[0]
    + """\
targets: {desk: {host: laptop, address: "127.0.0.1:3000"}}
tunnels: {desk: {at: gateway, from: gateway, listen: "localhost:7000"}}
"""
)
UNCHECKED = TWO_HOPS.replace("hold:", "check: none, hold:")


def test_fault_08_a_server_that_reads_its_configuration_anew_loses_nobody() -> None:
    async def scene() -> None:
        async with field() as up:
            await up.until_ready()
            reader, writer = await up.ask_for(8 * MEGABYTE)
            for server in ("gateway", "inner"):
                os.kill(up.sshd(server)[0], signal.SIGHUP)
            assert await reader.readexactly(8 * MEGABYTE) == take(8 * MEGABYTE)
            writer.transport.abort()
            assert up.states("gateway") == up.states("inner") == ["connecting", "open"]

    play(scene())


@pytest.mark.parametrize("victim", [pytest.param("gateway", marks=long), "inner"])
def test_fault_09_a_hop_that_reboots_is_noticed_within_a_second_and_back_within_two(victim: str) -> None:
    async def scene() -> None:
        async with field() as up:
            await up.until_ready()
            await up.lab.stop_server(victim)
            assert await up.until_lost(victim) < 1
            other = "inner" if victim == "gateway" else "gateway"
            await up.until(lambda: up.error(victim).code in {"CONNECT_REFUSED", "DIAL_FAILED"})
            assert up.session(other).error is None
            await up.lab.start_server(victim)
            assert await up.until_back() < 2

    play(scene())


def test_fault_12_a_server_that_takes_nobody_is_busy_and_comes_when_it_is_free() -> None:
    async def scene() -> None:
        async def crowd(up: Field) -> None:
            await up.configure("gateway", "MaxStartups 1")
            up.beside.enter_context(await up.lab.dial("laptop", "198.51.100.2", 22))
            await up.until_said("gateway", "198.51.100.1 port")

        async with field(prepare=crowd) as up:
            await up.until(lambda: up.session("gateway").error is not None)
            assert up.error("gateway").code == "SERVER_BUSY"
            assert "MaxStartups" in (up.error("gateway").suggestion or "")
            assert up.error("gateway").next_retry
            up.beside.close()
            await up.until_back()

    play(scene())


@long
def test_fault_13_a_server_that_hangs_up_is_asked_less_and_less_often() -> None:
    """What OpenSSH 9.8 does with an address that it penalises (PerSourcePenalties)."""

    async def scene() -> None:
        async with field(relay="gateway") as up:
            await up.until_ready()
            up.relay.shut = True
            up.relay.reset()
            before = up.relay.accepted
            await up.until(lambda: up.session("gateway").error is not None and up.error("gateway").attempts >= 4)
            assert up.error("gateway").code == "SERVER_BUSY"
            assert up.relay.accepted - before <= 4
            up.relay.shut = False
            await up.until_back()

    play(scene())


def test_fault_14_of_two_commands_at_a_server_that_runs_one_the_second_is_refused_and_nothing_else() -> None:
    async def scene() -> None:
        async with field(sshd=("MaxSessions 1", *ALIVE)) as up:
            await up.until_ready()
            inner = up.engine._places.get("inner")
            assert inner
            first, _ = await inner.create_process(Collector, "cat")
            with pytest.raises(DialRefused, match="inner does not run commands for us") as refused:
                await inner.create_process(Collector, "true")
            assert "MaxSessions" in (refused.value.suggestion or "")
            assert await up.get(1000) == take(1000)
            first.abort()

    play(scene())


@pytest.mark.parametrize("line", ["PermitOpen none", "AllowTcpForwarding no"])
def test_fault_16_what_a_server_forbids_is_refused_one_by_one_and_costs_no_session(line: str) -> None:
    async def scene() -> None:
        async def forbid(up: Field) -> None:
            await up.configure("inner", line)

        async with field(UNCHECKED, prepare=forbid) as up:
            await up.until_ready()
            for _ in range(3):
                await up.is_refused()
            failures = [event for event in up.log.events if isinstance(event, ConnectionFailed)]
            assert [failure.code for failure in failures] == ["FORWARD_REFUSED"] * 3
            assert "inner dialed 10.30.0.30:8080" in failures[0].message
            assert up.states("gateway") == up.states("inner") == ["connecting", "open"]

    play(scene())


def test_fault_23_a_port_that_our_lost_session_still_holds_is_waited_for() -> None:
    async def scene() -> None:
        async with field(CALLBACK, sshd=()) as up:
            await up.until_ready()
            stale = up.sshd("gateway")[1:]
            await up.drop("gateway")
            await up.until_lost("gateway")
            await up.mend("gateway")
            await up.until(lambda: up.tunnel("desk").error is not None and up.tunnel("desk").state == "failed")
            error = up.tunnel("desk").error
            assert error
            assert error.code == "FORWARD_REFUSED"
            assert "gateway refuses to listen on" in error.message
            assert "ClientAliveInterval" in (error.suggestion or "")
            assert error.next_retry
            for pid in stale:
                os.kill(pid, signal.SIGKILL)
            await up.until(lambda: up.tunnel("desk").state == "ready")

    play(scene())


def test_fault_37_keys_are_changed_at_both_hops_in_the_middle_of_a_transfer() -> None:
    async def scene() -> None:
        async with field(sshd=("RekeyLimit 1M", "LogLevel DEBUG1", *ALIVE)) as up:
            await up.until_ready()
            assert await up.get(8 * MEGABYTE) == take(8 * MEGABYTE)
            assert await up.put(8 * MEGABYTE) == told_of(8 * MEGABYTE)
            for server in ("gateway", "inner"):
                assert up.log_of(server).count("set_newkeys: rekeying") > 8
                assert up.states(server) == ["connecting", "open"]

    play(scene())


@long
def test_fault_38_a_channel_that_the_server_closes_for_idleness_ends_alone() -> None:
    """sshd says that it has reached the end of file, so nobody can tell this from an end that the target made."""

    async def scene() -> None:
        async def impatient(up: Field) -> None:
            await up.configure("inner", "ChannelTimeout direct-tcpip=2s")

        async with field(prepare=impatient) as up:
            await up.until_ready()
            reader, writer = await up.connect()
            writer.write(b"hello")
            assert await reader.readexactly(18) == b"desk on desk\nhello"
            assert await reader.read(-1) == b""
            writer.transport.abort()
            assert await up.get(1000) == take(1000)
            assert up.states("inner") == ["connecting", "open"]

    play(scene())


def test_fault_38_a_session_that_the_server_closes_for_disuse_comes_back_and_the_setting_is_named() -> None:
    async def scene() -> None:
        async def impatient(up: Field) -> None:
            await up.configure("inner", "UnusedConnectionTimeout 1")

        async with field(prepare=impatient) as up:
            await up.until_ready()
            await up.until_lost("inner")
            assert up.error("inner").code == "SESSION_LOST"
            assert "UnusedConnectionTimeout" in (up.error("inner").suggestion or "")
            await up.until_back()

    play(scene())


@long
def test_fault_43_a_hop_that_flaps_is_asked_less_and_less_often() -> None:
    async def scene() -> None:
        async with field(relay="gateway") as up:
            await up.until_ready()

            async def flap() -> None:
                while True:
                    up.relay.shut = not up.relay.shut
                    up.relay.reset()
                    await asyncio.sleep(0.3)

            before, flapping = up.relay.accepted, asyncio.create_task(flap())
            await asyncio.sleep(12)
            flapping.cancel()
            up.relay.shut = False
            assert up.relay.accepted - before < 10  # after 0.1 s, 0.2, 0.4 …: else it would be 20
            told = up.states("gateway")
            assert len(told) <= 3 * (up.relay.accepted - before) + 4
            await up.until_back()

    play(scene())
