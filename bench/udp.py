"""Datagrams through one hop and two, beside the classic recipe of nc and named pipes, and socat.

    python -m bench.udp [--quick] [--rounds 3] [--json FILE]

rate     echoes per second with 1, 8 or 64 datagrams under way, whichever is best; each has to come back as it was sent
others   clients of the same tunnel that were heard once
loss     of datagrams that are sent at half of that rate, for as long
latency  the time to an echo, one at a time, of all contenders by turns
added    how much longer that is than without a tunnel, in the same round

``orchestra tcp`` is a tunnel of ours for TCP that carries a stream of as many bytes, ``loopback tcp`` such a stream
without a tunnel.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
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
RECIPES = ("nc", "socat")
RATED = ("loopback", *RECIPES, "orchestra")
TIMED = ("loopback", "loopback tcp", *RECIPES, "orchestra", "orchestra tcp")
WITHOUT = {"orchestra": "loopback", "orchestra tcp": "loopback tcp"}
"""What a round trip takes without the tunnel."""
CROWDED = ("loopback", "orchestra")
"""Contenders that serve many clients of datagrams."""
GOALS = {"rate": (Goal(3, "socat"),), "added": (Goal(1.5, "orchestra tcp"),)}
PATHS = {"1 hop": (0,), "2 hops": (0, 1)}
"""Which servers they go through."""
TIMES = 3
"""Rounds of round trips for each of everything else: they are soon over, and vary more."""
SETTLED = 1.6
"""Seconds until a netcat listens: nothing tells, and the first who asks is the only one that it serves."""
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
        for what, values in (await compared(ground, ways[0], SIZES[0], seconds, effort.rounds, OTHERS)).items():
            tables[what].rows.append(Row(f"{SIZES[0]} bytes, 1 hop, {OTHERS} others", values))
    return list(tables.values())


async def compared(
    ground: Ground, way: Forward, size: int, seconds: float, rounds: int, others: int = 0
) -> dict[str, dict[str, list[float]]]:
    """What is asked for, then by contender."""
    here = [name for name in (CROWDED if others else TIMED) if name not in RECIPES or shutil.which(name)]
    found: dict[str, dict[str, list[float]]] = {"rate": {}, "loss": {}, "latency": {}, "added": {}}

    def keep(what: str, name: str, value: float) -> None:
        found[what].setdefault(name, []).append(value)

    async def rates(name: str) -> None:
        async with ports([name], ground, way) as places:
            figures = await ask(client("rates", size, others, *places, seconds))
        keep("rate", name, figures["rate"])
        keep("loss", name, figures["loss"] * 100)

    await in_turns([name for name in here if name in RATED], rounds, rates)
    for _ in range(rounds * TIMES):
        async with ports(here, ground, way) as places:
            latency = dict(zip(here, await ask(client("trips", size, others, *places)), strict=True))
        if any(math.isnan(latency[name]) for name in here if name not in RECIPES):
            told("a round in which datagrams of others than the recipes were lost is left out")
            continue
        for name in here:
            if not math.isnan(latency[name]):
                keep("latency", name, latency[name])
            if name in WITHOUT:
                keep("added", name, latency[name] - latency[WITHOUT[name]])
    return found


def client(*arguments: object) -> list[str]:
    """Its command."""
    return [sys.executable, str(DATAGRAMS), *map(str, arguments)]


@contextlib.asynccontextmanager
async def ports(names: Sequence[str], ground: Ground, way: Forward) -> AsyncIterator[list[str]]:
    """Where these contenders are asked. A netcat serves one client, so each is started anew."""
    found = []
    async with contextlib.AsyncExitStack() as running:
        for name in names:
            what, _, protocol = name.partition(" ")
            if what in RECIPES:
                port = await running.enter_async_context(recipe(name, ground, way))
            else:
                port = way.target if what == "loopback" else way.port
            found.append(f"{port}/{protocol or 'udp'}")
        if not set(RECIPES).isdisjoint(names):
            await asyncio.sleep(SETTLED)
        yield found


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
        async with started(ssh), started(["/bin/sh", "-c", f"sleep {SETTLED * 3 / 4}; {local}"]):
            yield udp


if __name__ == "__main__":
    alone("udp", measure, __doc__)
