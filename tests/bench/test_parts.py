"""Parts, as small as they can be, over real servers."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from pathlib import Path

import pytest

from bench import connections, ends, fairness, link, memory, throughput, udp
from bench.contenders import opened
from bench.ground import Ground, chain, laid
from bench.running import Effort, in_turns
from orchestra.lab.netns import available

TINY = Effort(rounds=1, seconds=0.001, count=5)

needs_sshd = pytest.mark.skipif(not Path("/usr/sbin/sshd").exists(), reason="needs openssh-server")


@needs_sshd
def test_a_part_measures_every_contender_in_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throughput, "CONTENDERS", ("loopback", "ssh gcm"))
    monkeypatch.setattr(throughput, "HOPS", (2,))
    monkeypatch.setattr(throughput, "STREAMS", (2,))
    monkeypatch.setattr(connections, "CONTENDERS", ("orchestra",))
    monkeypatch.setattr(connections, "HOPS", (1,))
    monkeypatch.setattr(fairness, "CONTENDERS", ("ssh gcm",))
    monkeypatch.setattr(fairness, "HOPS", (1,))
    monkeypatch.setattr(ends, "WARM", 0.0)
    for part, names, rows in (
        (throughput, ["loopback", "ssh gcm"], [2]),
        (connections, ["orchestra"], [2, 2]),
        (fairness, ["ssh gcm"], [4, 2]),
    ):
        tables = asyncio.run(part.measure(TINY))
        assert [len(table.rows) for table in tables] == rows
        for row in (row for table in tables for row in table.rows):
            assert sorted(row.values) == names
            # five round trips may be over before a block is sent beside them
            assert all(len(values) == 1 and (values[0] > 0 or part is fairness) for values in row.values.values())


@needs_sshd
def test_round_trips_of_datagrams_and_of_a_stream_are_timed_in_the_same_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp, "RECIPES", ())
    monkeypatch.setattr(udp, "TIMED", ("loopback", "loopback tcp", "orchestra", "orchestra tcp"))
    monkeypatch.setattr(udp, "PATHS", {"1 hop": (0,)})
    monkeypatch.setattr(udp, "TIMES", 2)
    monkeypatch.setattr(udp, "OTHERS", 5)
    monkeypatch.setattr(udp, "SECONDS", 0.06)
    tables = asyncio.run(udp.measure(Effort(rounds=1, quick=True)))
    found = {
        table.title: {row.name: {name: len(of) for name, of in row.values.items()} for row in table.rows}
        for table in tables
    }
    alone, crowded = "1400 bytes, 1 hop", "64 bytes, 1 hop, 5 others"
    once = {"loopback": 1, "orchestra": 1}
    assert found["echoes of datagrams"] == found["lost datagrams"] == {alone: once, crowded: once}
    assert found["round trip of a datagram"] == {
        alone: {"loopback": 2, "loopback tcp": 2, "orchestra": 2, "orchestra tcp": 2},
        crowded: {"loopback": 2, "orchestra": 2},
    }
    assert found["added to a round trip"] == {alone: {"orchestra": 2, "orchestra tcp": 2}, crowded: {"orchestra": 2}}
    added = tables[-1].rows[0].values
    whole = tables[-2].rows[0].values
    assert added["orchestra tcp"] == [
        each - least for each, least in zip(whole["orchestra tcp"], whole["loopback tcp"], strict=True)
    ]


@needs_sshd
def test_memory_is_that_of_all_processes_and_grows_with_what_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "SETTLE", 0.0)

    async def scene(ground: Ground) -> tuple[float, float]:
        async with (
            opened("ssh", ground, chain(ground.echo, 2)) as jump,
            opened("ssh", ground, chain(ground.echo, 1)) as one,
        ):
            assert jump.memory() > 1.5 * one.memory()  # ssh, and the ssh that it jumps through
            return await memory.held(one, 1), await memory.held(one, 100)

    async def run() -> tuple[float, float]:
        async with laid(2) as ground:
            return await scene(ground)

    few, many = asyncio.run(run())
    assert many > few > 0


def test_each_round_begins_with_another() -> None:
    asked = []

    async def measure(name: str) -> float | None:
        asked.append(name)
        return None if name == "c" else float(len(asked))

    found = asyncio.run(in_turns("abc", 3, measure))
    assert "".join(asked) == "abcbcacab"
    assert found == {"a": [1.0, 6.0, 8.0], "b": [2.0, 4.0, 9.0], "c": []}  # who cannot do it has no figure


@pytest.mark.parametrize(
    ("first", "seconds", "sizes"),
    [(1000, 0.05, [1000, 8000, 64_000]), (1000, 0.0001, [1000, 2000])],
    ids=["until it lasts", "once, when the first one, for which nothing was warm, lasted already"],
)
def test_a_transfer_grows(monkeypatch: pytest.MonkeyPatch, first: int, seconds: float, sizes: list[int]) -> None:
    monkeypatch.setattr(ends, "FIRST", first)
    moved: list[int] = []

    def together(_connections: list[socket.socket], _direction: str, size: int) -> float:
        moved.append(size)
        return size / 1e6

    monkeypatch.setattr(ends, "_together", together)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert ends.bulk(listener.getsockname()[1], "up", 1, seconds) == pytest.approx(1.0)
    assert moved == sizes


@pytest.mark.netns
@pytest.mark.skipif(os.geteuid() != 0 or available() is not None, reason="needs root and network namespaces")
def test_a_packet_takes_half_of_the_round_trip() -> None:
    async def scene() -> float:
        async with link.wired(*link.BUFFERS["default buffers"]) as (near, far):
            with far:
                there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            with near:
                here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            with here, there:
                there.bind((link.FAR, 9))
                there.setblocking(False)
                begun = time.monotonic()
                here.sendto(b"x", (link.FAR, 9))
                async with asyncio.timeout(10):
                    assert await asyncio.get_running_loop().sock_recv(there, 10) == b"x"
                return time.monotonic() - begun

    assert asyncio.run(scene()) >= link.ROUND_TRIP / 2


@pytest.mark.parametrize("true", [True, False])
def test_connections_count_when_each_is_answered_what_it_said(true: bool) -> None:
    class Answer(ends.Echo):
        def data_received(self, data: bytes) -> None:
            super().data_received(data if true else bytes(len(data)))

    async def main() -> None:
        async with await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", 0) as server:
            assert await ends.rate(server.sockets[0].getsockname()[1], 2, 4) > 0

    if true:
        asyncio.run(main())
    else:
        with pytest.raises(ConnectionError, match=r"connection \d of 4 was answered what it had not said"):
            asyncio.run(main())
