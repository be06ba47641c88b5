"""New connections per second, and the round trip of one byte, beside every peer.

    python -m bench.connections [--quick] [--rounds 3] [--count 600] [--json FILE]

A new connection is one that was opened, answered a byte and was closed, ``count`` of them; a round trip is one byte to
the target and back over a connection that is there. The client is a process of its own.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any

from bench.contenders import Running, installed, opened
from bench.ground import ENDS, chain, laid
from bench.processes import ask
from bench.results import Goal, Row, Table
from bench.running import Effort, alone, in_turns, told

CONTENDERS = ("loopback", "ssh gcm", "asyncssh", "sshtunnel", "orchestra")
HOPS = (1, 3)
RATES = {1: ("one at a time", Goal(0.8, "ssh gcm")), 50: ("fifty at a time", Goal(0.7, "ssh gcm"))}
LATENCY = {1: Goal(0.9, "ssh gcm"), 3: Goal(0.85, "ssh gcm")}


async def measure(effort: Effort) -> list[Table]:
    """Rates and latencies."""
    rates, latencies = Table("new connections", "per second", "more"), Table("round trip of one byte", "µs", "less")
    async with laid(max(HOPS)) as ground:
        for hops in HOPS:
            names = [name for name in installed(CONTENDERS) if name != "sshtunnel" or hops == 1]
            async with contextlib.AsyncExitStack() as stack:
                running: dict[str, Running] = {}
                for name in names:
                    running[name] = await stack.enter_async_context(opened(name, ground, chain(ground.echo, hops)))
                rates.rows.extend(await new(running, hops, effort))
                latencies.rows.extend(await trips(running, hops, effort))
    return [rates, latencies]


async def new(running: dict[str, Running], hops: int, effort: Effort) -> list[Row]:
    """A row for each way to open them."""
    rows = []
    for at_a_time, (label, goal) in RATES.items():

        async def one(name: str, at_a_time: int = at_a_time) -> float:
            return float(await client("rate", running[name], at_a_time, effort.count))

        told(f"{_hops(hops)}, {label}")
        rows.append(Row(f"{_hops(hops)}, {label}", await in_turns(running, effort.rounds, one), (goal,)))
    return rows


async def trips(running: dict[str, Running], hops: int, effort: Effort) -> list[Row]:
    """Median and 99th percentile of the same trips."""
    slow: dict[str, list[float]] = {name: [] for name in running}

    async def one(name: str) -> float:
        found = await client("trip", running[name], effort.count * 2)
        slow[name].append(found["p99"])
        return float(found["median"])

    told(f"{_hops(hops)}, one byte")
    medians = await in_turns(running, effort.rounds, one)
    return [
        Row(f"{_hops(hops)}, median", medians, (LATENCY[hops],)),
        Row(f"{_hops(hops)}, 99th percentile", slow),
    ]


async def client(what: str, through: Running, *arguments: int) -> Any:
    """What a client of its own found."""
    return await ask([sys.executable, str(ENDS), what, *map(str, (through.port, *arguments))])


def _hops(count: int) -> str:
    return f"{count} hop{'s' if count > 1 else ''}"


if __name__ == "__main__":
    alone("connections", measure, __doc__)
