"""Both helpers as processes of this machine: what they carry, what they count, how they begin and end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from orchestra_plugins.udp import wire
from orchestra_plugins.udp.channel import Channel, start_helper
from orchestra_plugins.udp.far import EARLY
from orchestra_plugins.udp.helper import TIERS, Tier
from orchestra_plugins.udp.names import LOOKUPS
from orchestra_plugins.udp.station import Treatment

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.session import Unsupported
from orchestra.testing import MemoryNetwork
from tests.plugins.udp.rig import (
    DEADLINE,
    SIZES,
    Party,
    Visited,
    answer,
    far,
    helper,
    lives,
    needs_root,
    play,
    silent_name_server,
    target,
    tiers,
    until,
)

PLAIN = Treatment()


@tiers
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_every_size_arrives_whole_and_comes_back(tier: Tier, host: str) -> None:
    async def scene() -> None:
        with target(host) as (port, heard):
            async with helper(tier) as channel:
                party = Party()
                flow = channel.flow(party, host, port, PLAIN)
                bodies = [random.Random(size).randbytes(size) for size in SIZES]  # noqa: S311
                for body in bodies:
                    flow.send(body)
                    await party.until(lambda: len(party.got) == bodies.index(body) + 1)  # noqa: B023
                assert party.got == bodies
                assert [data for _, data in heard] == bodies
                assert not party.notes

    play(scene)


@tiers
def test_a_name_is_resolved_by_the_helper_and_one_that_is_unknown_is_said(tier: Tier) -> None:
    async def scene() -> None:
        with target() as (port, _):
            async with helper(tier) as channel:
                party, lost = Party(), Party()
                named = channel.flow(party, "localhost", port, PLAIN)
                assert named.address is None
                named.send(b"by name")
                flow = channel.flow(lost, "no-such-host.invalid", port, PLAIN)
                flow.send(b"nowhere")
                await lost.until(lambda: lost.why and lost.notes)
                assert (lost.why, dict(lost.notes)) == (["EUNRESOLVED"], {"closed": 1})
                await party.until(lambda: party.got or party.notes)  # localhost may be ::1 first, where nobody listens
                assert party.got == [b"by name"] or party.notes["refused"]
                assert named.address in {"127.0.0.1", "::1"}

    play(scene)


@needs_root
def test_a_name_server_that_is_silent_holds_up_nobody_but_who_asks_it() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        with target() as (port, heard), silent_name_server() as (script, server):
            async with far(script) as session:
                channel = await start_helper(session, TIERS[:1])
                slow, gone, other = Party(), Party(), Party()
                named = channel.flow(slow, "slow.example", port, PLAIN)
                left = channel.flow(gone, "slow.example", port, PLAIN)
                for number in range(EARLY + 3):
                    named.send(b"%d" % number)
                left.send(b"too late")
                questions = [await asyncio.wait_for(loop.sock_recvfrom(server, 512), DEADLINE) for _ in range(2)]
                left.close()
                channel.flow(other, "127.0.0.1", port, PLAIN).send(b"meanwhile")
                await other.until(lambda: other.got == [b"meanwhile"])
                await slow.until(lambda: slow.notes == {"queue": 3})
                await gone.until(lambda: gone.notes == {"closed": 1})
                assert [data for _, data in heard] == [b"meanwhile"]
                for question, asker in questions:
                    await loop.sock_sendto(server, answer(question, "127.0.0.1"), asker)
                await slow.until(lambda: len(slow.got) == EARLY)
                assert slow.got == [b"%d" % number for number in range(EARLY)]
                assert named.address == "127.0.0.1"
                channel.close()

    play(scene)


@needs_root
def test_so_many_names_are_looked_up_at_once_and_then_the_next() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        with target() as (port, _), silent_name_server() as (script, server):

            async def asked(names: int) -> dict[bytes, list[tuple[bytes, Any]]]:
                """By name: the questions for addresses of either family, and who asks."""
                questions: dict[bytes, list[tuple[bytes, Any]]] = {}
                for _ in range(2 * names):
                    question, asker = await asyncio.wait_for(loop.sock_recvfrom(server, 512), DEADLINE)
                    questions.setdefault(question[13 : 13 + question[12]], []).append((question, asker))
                return questions

            async with far(script) as session:
                channel = await start_helper(session, TIERS[:1])
                parties = [Party() for _ in range(LOOKUPS + 1)]
                for number, party in enumerate(parties):
                    channel.flow(party, f"n{number}.example", port, PLAIN).send(b"x")
                first = await asked(LOOKUPS)
                assert first.keys() == {b"n%d" % number for number in range(LOOKUPS)}
                for question, asker in first[b"n7"]:
                    await loop.sock_sendto(server, answer(question, "127.0.0.1"), asker)
                await parties[7].until(lambda: parties[7].got == [b"x"])
                assert (await asked(1)).keys() == {b"n%d" % LOOKUPS}
                channel.close()

    play(scene)


@needs_root
def test_a_helper_ends_at_once_while_a_name_is_looked_up() -> None:
    async def scene() -> None:
        with silent_name_server() as (script, server):
            async with far(script) as session:
                channel = await start_helper(session, TIERS[:1])
                channel.flow(Party(), "slow.example", 9, PLAIN)
                await asyncio.wait_for(asyncio.get_running_loop().sock_recv(server, 512), DEADLINE)
                pid = pid_of(channel)
                channel.close()
                await until(lambda: not lives(pid), 1.0)

    play(scene)


@tiers
def test_a_thousand_at_once_arrive_or_are_counted(tier: Tier) -> None:
    async def scene() -> None:
        with target(echo=False) as (port, heard):
            async with helper(tier) as channel:
                party = Party()
                flow = channel.flow(party, "127.0.0.1", port, PLAIN)
                for number in range(1000):
                    flow.send(number.to_bytes(4) + b"x" * 1000)
                await until(lambda: len(heard) + party.notes.total() >= 1000)
                assert len(heard) + party.notes.total() == 1000
                assert len({data for _, data in heard}) == len(heard) > 200

    play(scene)


@tiers
def test_fifty_flows_do_not_cross(tier: Tier) -> None:
    async def scene() -> None:
        with target() as (port, heard):
            async with helper(tier) as channel:
                parties = [Party() for _ in range(50)]
                flows = [channel.flow(party, "127.0.0.1", port, PLAIN) for party in parties]
                for turn in range(4):
                    for number, flow in enumerate(flows):
                        flow.send(b"%d of %d" % (turn, number))
                for number, party in enumerate(parties):
                    await party.until(lambda: len(party.got) == 4)  # noqa: B023
                    assert party.got == [b"%d of %d" % (turn, number) for turn in range(4)]
                assert len({address for address, _ in heard}) == 50

    play(scene)


@tiers
def test_a_helper_without_descriptors_left_serves_those_that_it_has(tier: Tier) -> None:
    async def scene() -> None:
        with target() as (port, _):
            async with far("ulimit -n 24; COMMAND") as session:
                channel = await start_helper(session, (tier,))
                parties = [Party() for _ in range(40)]
                for party in parties:
                    channel.flow(party, "127.0.0.1", port, PLAIN).send(b"x")
                for party in parties:
                    await party.until(lambda: party.got or party.why)  # noqa: B023
                served = [party for party in parties if party.got == [b"x"]]
                assert 10 < len(served) < 24
                assert all(party.why == ["EMFILE"] for party in parties if party not in served)
                assert not channel.over.is_set()
                channel.close()

    play(scene)


@tiers
def test_what_is_too_large_for_the_way_is_counted(tier: Tier) -> None:
    async def scene() -> None:
        with target() as (port, _):
            async with helper(tier) as channel:
                party = Party()
                flow = channel.flow(party, "127.0.0.1", port, PLAIN)
                flow.send(b"x" * 65508)
                await party.until(lambda: party.notes["size"] == 1)
                flow.send(b"small")
                await party.until(lambda: party.got == [b"small"])

    play(scene)


def pid_of(channel: Channel) -> int:
    return int(channel.language.split()[-1])


@tiers
def test_a_helper_that_is_killed_ends_its_flows(tier: Tier) -> None:
    async def scene() -> None:
        with target() as (port, _):
            async with helper(tier) as channel:
                party, visited = Party(), Visited()
                flow = channel.flow(party, "127.0.0.1", port, PLAIN)
                listening = await channel.listen(visited, "127.0.0.1", 0, PLAIN)
                os.kill(pid_of(channel), signal.SIGKILL)
                await party.until(lambda: party.why)
                assert visited.why
                flow.send(b"late")
                assert party.notes == {"closed": 1}
                late = Party()
                channel.flow(late, "127.0.0.1", port, PLAIN).send(b"later")
                await late.until(lambda: late.why)
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                    sock.bind(("127.0.0.1", listening.port))

    play(scene)


def holds(port: int) -> bool:
    """Whether a socket of this machine has datagrams that its process has not read."""
    lines = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return any(line[1].endswith(f":{port:04X}") and not line[4].endswith(":00000000") for line in lines)


@tiers
def test_what_waited_while_nobody_read_goes_on_as_soon_as_somebody_does(tier: Tier) -> None:
    count, text = 60, tier.text(bytes(16), 1 << 20)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as target, contextlib.ExitStack() as running:
        ours, theirs = socket.socketpair()
        running.enter_context(ours)
        for each in (ours, target):
            each.settimeout(DEADLINE)
        target.bind(("127.0.0.1", 0))
        with theirs:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            argv = ["/bin/sh", "-c", tier.command(len(text))]
            helper = running.enter_context(subprocess.Popen(argv, stdin=theirs, stdout=theirs))
        running.callback(helper.kill)
        where = wire.WHERE.pack(target.getsockname()[1], 60_000, 1 << 20) + b"127.0.0.1"
        ours.sendall(text)
        assert bytes(16) in ours.recv(1000)  # its hello
        ours.sendall(wire.frame(wire.OPEN, 2, where) + wire.frame(wire.DATA, 2, b"first"))
        _, peer = target.recvfrom(100)
        for number in range(count):
            target.sendto(bytes([number]) * 1000, peer)
        end = time.monotonic() + DEADLINE
        while holds(peer[1]):
            assert time.monotonic() < end
        parser, came = wire.Parser(), list[bytes]()
        while len(came) < count:  # and nothing is acknowledged, so nothing else wakes it
            came += [body for kind, _, _, body in parser.feed(ours.recv(65536)) if kind == wire.DATA]
        assert came == [bytes([number]) * 1000 for number in range(count)]


@tiers
def test_a_helper_ends_with_its_input(tier: Tier) -> None:
    async def scene() -> None:
        async with far("COMMAND") as session:
            channel = await start_helper(session, (tier,))
            pid, process = pid_of(channel), channel._process
            assert process is not None
            process.write_eof()
            await until(lambda: not lives(pid), 1.0)
            await asyncio.wait_for(channel.over.wait(), 5)

    play(scene)


@tiers
def test_a_helper_whose_output_nobody_reads_ends_too(tier: Tier) -> None:
    async def scene() -> None:
        async with far("COMMAND") as session:
            channel = await start_helper(session, (tier,))
            pid = pid_of(channel)
            process: Any = channel._process
            process._transport.get_pipe_transport(1).close()
            channel.control(wire.frame(wire.PING, 0))
            await until(lambda: not lives(pid), 2.0)
            channel.close()

    play(scene)


@tiers
@pytest.mark.parametrize("noise", ["head -c 10240 /dev/zero | tr '\\0' x", "echo Welcome", "printf '\\1\\0\\0\\20'"])
def test_what_login_files_print_is_skipped(tier: Tier, noise: str) -> None:
    async def scene() -> None:
        with target() as (port, _):
            async with far(f"{noise}; COMMAND") as session:
                channel = await start_helper(session, (tier,))
                party = Party()
                channel.flow(party, "127.0.0.1", port, PLAIN).send(b"through")
                await party.until(lambda: party.got == [b"through"])
                channel.close()

    play(scene)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo This account is not available; exit 1", "ended at once with status 1; it said: This account is not"),
        ("echo no tunnels here >&2; exit 3", "status 3; it said: no tunnels here"),
        ("head -c 100000 /dev/zero | tr '\\0' x; cat", "printed more than 64 KiB of something else first"),
        ("printf '\\033[31mred\\n'; exit 0", "it said: ·[31mred"),
    ],
)
def test_an_account_that_runs_something_else_is_said(script: str, said: str) -> None:
    async def scene() -> None:
        async with far(script) as session:
            with pytest.raises(RuntimeFailure) as failed:
                await start_helper(session)
        assert failed.value.code is Code.HELPER_FAILED
        assert failed.value.host == "far"
        assert said in failed.value.message
        assert "forced command" in (failed.value.suggestion or "")

    play(scene)


def test_perl_serves_where_there_is_no_python(tmp_path: Path) -> None:
    (tmp_path / "perl").symlink_to("/usr/bin/perl")

    async def scene() -> None:
        async with far(f"PATH={tmp_path}; export PATH; COMMAND") as session:
            channel = await start_helper(session)
            assert channel.about.startswith("perl5")
            channel.close()

    play(scene)


def test_neither_is_said_with_what_to_do(tmp_path: Path) -> None:
    async def scene() -> None:
        async with far(f"PATH={tmp_path}; export PATH; COMMAND") as session:
            with pytest.raises(RuntimeFailure, match="far has neither python3 nor perl, one of which") as failed:
                await start_helper(session)
        assert failed.value.code is Code.HELPER_FAILED
        assert "install one of them there" in (failed.value.suggestion or "")

    play(scene)


def test_a_session_that_runs_nothing_says_so() -> None:
    async def scene() -> None:
        with pytest.raises(Unsupported):
            await start_helper(MemoryNetwork().place("gateway"))

    play(scene)


@tiers
def test_garbage_does_not_end_a_helper(tier: Tier) -> None:
    async def scene() -> None:
        chance = random.Random(3)  # noqa: S311
        with target() as (port, _):
            async with helper(tier) as channel:
                for _ in range(2000):
                    kind, flow = chance.randrange(256), chance.choice([0, 1, 3, chance.randrange(4, 1 << 32)])
                    if kind not in (wire.ACK, wire.BIND):  # our own credit, and ports of this machine
                        body = chance.randbytes(chance.choice([0, 1, 7, 8, 9, 12, 40]))
                        channel.control(wire.frame(kind, flow, body, chance.randrange(256)))
                channel.control(wire.frame(wire.ACK, channel._parser.received & wire.WRAP))
                party = Party()
                channel.flow(party, "127.0.0.1", port, PLAIN).send(b"still here")
                await party.until(lambda: party.got == [b"still here"])

    play(scene)


def test_garbage_from_a_helper_does_no_harm() -> None:
    async def scene() -> None:
        chance = random.Random(4)  # noqa: S311
        with target() as (port, _):
            async with helper(TIERS[0]) as channel:
                party, visited = Party(), Visited()
                flow: Any = channel.flow(party, "127.0.0.1", port, PLAIN)
                listening: Any = await channel.listen(visited, "127.0.0.1", 0, PLAIN)
                received = channel._parser.received
                for _ in range(3000):
                    number = chance.choice([0, 1, 3, flow.number, listening.number, chance.randrange(1 << 32)])
                    kind = chance.choice([kind for kind in range(14) if kind not in (wire.CLOSE, wire.ACK)])
                    body = chance.randbytes(chance.choice([0, 1, 7, 8, 9, 12, 40]))
                    channel.data_received(wire.frame(kind, number, body, chance.randrange(256)))
                    channel._parser.received = received  # else the helper would be told of more than it has sent
                party.got.clear()
                assert party.notes.keys() <= {*wire.CAUSES, "refused"}
                flow.send(b"still here")
                await party.until(lambda: b"still here" in party.got)

    play(scene)


@tiers
def test_a_flood_is_bounded_and_counted(tier: Tier) -> None:
    async def scene() -> None:
        with target(echo=False) as (port, heard):
            async with helper(tier) as channel:
                party = Party()
                flow = channel.flow(party, "127.0.0.1", port, PLAIN)
                for burst in range(100):
                    for _ in range(1000):
                        flow.send(b"flood" * 20)
                    if burst % 10 == 0:
                        await asyncio.sleep(0)
                assert channel._outbox._held <= wire.Policy().room + 1000
                await until(lambda: len(heard) + party.notes.total() >= 100_000)
                assert len(heard) + party.notes.total() == 100_000
                assert party.notes["queue"] > 50_000

    play(scene)


@tiers
def test_what_the_target_floods_is_counted_too(tier: Tier) -> None:
    async def scene() -> None:
        async with helper(tier) as channel:
            party, sent = Party(), 5000
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as service:
                service.bind(("127.0.0.1", 0))
                service.setblocking(False)
                flow = channel.flow(party, "127.0.0.1", service.getsockname()[1], PLAIN)
                flow.send(b"give")
                loop = asyncio.get_running_loop()
                _, address = await asyncio.wait_for(loop.sock_recvfrom(service, 10), 5)
                for _ in range(sent):
                    service.sendto(b"z" * 500, address)
                while b"last" not in party.got:  # dropped as well where it finds the socket full, and then counted
                    service.sendto(b"last", address)
                    sent += 1
                    await party.until(lambda: len(party.got) + party.notes.total() >= sent)  # noqa: B023
            flow.close()
            await until(lambda: flow.number not in channel._flows)
            assert len(party.got) + party.notes.total() == sent

    play(scene)
