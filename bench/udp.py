"""Datagrams through one hop and two, beside the classic recipe of nc and named pipes, and socat.

    python -m bench.udp [--quick] [--rounds 3] [--json FILE]

rate     echoes per second with 1, 8 or 64 datagrams under way, whichever is best; each has to come back as it was sent
others   clients of the same tunnel that were heard once
loss     of datagrams that are sent at half of that rate, for as long
latency  the median time to an echo, one at a time; without a tunnel and through ours by turns of a few dozen
added    how much longer that is than without a tunnel, in the same round

``orchestra tcp`` is a tunnel of ours for TCP that carries the same bytes: what a session costs anyway.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path

from bench.contenders import opened
from bench.ground import LOOPBACK, Forward, Ground, alias, free_ports, laid
from bench.processes import ask, started
from bench.results import Goal, Row, Table
from bench.running import Effort, alone, in_turns, told

DATAGRAMS = Path(__file__).with_name("datagrams.py")
SIZES = (64, 512, 1400)
SECONDS = 0.6
CONTENDERS = ("loopback", "nc", "socat", "orchestra")
COMPARED = ("loopback", "orchestra", "orchestra tcp")
"""Whose round trips are timed by turns; a netcat serves a single client."""
GOALS = {"rate": (Goal(3, "socat"),), "added": (Goal(1.5, "orchestra tcp"),)}
PATHS = {"1 hop": (0,), "2 hops": (0, 1)}
"""Which servers they go through."""
TIMES = 4
"""Rounds of round trips for each round of everything else."""
OTHERS = 900
"""Clients of one tunnel that are silent, of the 1,024 that it keeps."""


async def measure(effort: Effort) -> list[Table]:
    """Rate, loss and latency, whole and what a tunnel adds to it."""
    tables = {
        "rate": Table("echoes of datagrams", "per second", "more"),
        "loss": Table("lost datagrams", "%", "less"),
        "latency": Table("round trip of a datagram", "µs", "less"),
        "added": Table("added to a round trip", "µs", "less"),
    }
    target, *ours = free_ports(1 + len(PATHS))
    seconds = SECONDS / 2 if effort.quick else SECONDS
    async with contextlib.AsyncExitStack() as running:
        ground = await running.enter_async_context(laid(max(map(len, PATHS.values()))))
        await running.enter_async_context(started([sys.executable, str(DATAGRAMS), "serve", str(target)]))
        ways = [Forward(port, path, target) for port, path in zip(ours, PATHS.values(), strict=True)]
        for each in ways:
            both = each, replace(each, protocol="udp")
            await running.enter_async_context(opened("orchestra", ground, both))
        for size, (hops, way) in itertools.product(
            SIZES[-1:] if effort.quick else SIZES, zip(PATHS, ways, strict=True)
        ):
            told(f"{size} bytes, {hops}")
            for what, values in (await compared(ground, way, size, seconds, effort.rounds)).items():
                tables[what].rows.append(Row(f"{size} bytes, {hops}", values, GOALS.get(what, ())))
        told(f"{OTHERS} others")
        crowded = await asked(("loopback", "orchestra"), ground, ways[0], SIZES[0], seconds, effort.rounds, OTHERS)
        for what in ("rate", "loss", "latency"):
            tables[what].rows.append(Row(f"{SIZES[0]} bytes, 1 hop, {OTHERS} others", crowded[what]))
    return list(tables.values())


async def compared(
    ground: Ground, way: Forward, size: int, seconds: float, rounds: int
) -> dict[str, dict[str, list[float]]]:
    """What was asked for, then by contender."""
    names = [name for name in CONTENDERS if name not in ("nc", "socat") or shutil.which(name)]
    found = await asked(names, ground, way, size, seconds, rounds)
    ways = f"{way.target}/udp", f"{way.port}/udp", f"{way.port}/tcp"
    turns = [await ask([sys.executable, str(DATAGRAMS), "trips", str(size), *ways]) for _ in range(rounds * TIMES)]
    whole = dict(zip(COMPARED, map(list, zip(*turns, strict=True)), strict=True))
    found["latency"] |= whole
    return found | {"added": {name: added(whole[name], whole["loopback"]) for name in COMPARED[1:]}}


async def asked(
    names: Iterable[str], ground: Ground, way: Forward, size: int, seconds: float, rounds: int, others: int = 0
) -> dict[str, dict[str, list[float]]]:
    """The figures of these, a client of each at a time."""
    found: dict[str, dict[str, list[float]]] = {"rate": {}, "loss": {}, "latency": {}}

    async def one(name: str) -> None:
        async with through(name, ground, way) as port:
            client = [sys.executable, str(DATAGRAMS), "ask", str(port), str(size), str(seconds), "udp", str(others)]
            figures: dict[str, float] = await ask(client)
        for what, value in figures.items():
            if math.isnan(value):  # hardly one came back
                continue
            found[what].setdefault(name, []).append(value * 100 if what == "loss" else value)

    await in_turns(names, rounds, one)
    return found


def added(through: list[float], without: list[float]) -> list[float]:
    """Of each round."""
    return [each - least for each, least in zip(through, without, strict=True)]


@contextlib.asynccontextmanager
async def through(name: str, ground: Ground, way: Forward) -> AsyncIterator[int]:
    """The port of a contender; a netcat serves one client, so each is started anew."""
    if name == "loopback":
        yield way.target
    elif name in ("nc", "socat"):
        async with recipe(name, ground, way) as port:
            yield port
    else:
        yield way.port


@contextlib.asynccontextmanager
async def recipe(name: str, ground: Ground, way: Forward) -> AsyncIterator[int]:
    """Two programs here and two there, round one forwarded connection."""
    udp, tcp, far = free_ports(3)
    target = way.target
    with tempfile.TemporaryDirectory(dir=ground.folder) as pipes:
        if name == "nc":
            remote = (
                f"mkfifo {pipes}/far; nc -l {LOOPBACK} {far} < {pipes}/far | nc -u {LOOPBACK} {target} > {pipes}/far"
            )
            local = (
                f"mkfifo {pipes}/near; nc -u -l {LOOPBACK} {udp} < {pipes}/near | nc {LOOPBACK} {tcp} > {pipes}/near"
            )
        else:
            remote = f"socat -b65536 TCP-LISTEN:{far},bind={LOOPBACK},nodelay UDP:{LOOPBACK}:{target}"
            local = f"exec socat -b65536 UDP-LISTEN:{udp},bind={LOOPBACK} TCP:{LOOPBACK}:{tcp},nodelay"
        config = str(ground.folder / "ssh_config")
        # with a terminal what runs there ends when ssh does
        ssh = ["ssh", "-tt", "-F", config, "-L", f"{LOOPBACK}:{tcp}:{LOOPBACK}:{far}", alias(way.path), remote]
        async with started(ssh), started(["/bin/sh", "-c", f"sleep 1.2; {local}"]):
            await asyncio.sleep(1.6)  # nothing tells when a netcat listens, and the first who asks is the only one
            yield udp


if __name__ == "__main__":
    alone("udp", measure, __doc__)
