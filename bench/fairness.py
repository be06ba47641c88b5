"""The round trip of one byte while another connection of the same session carries as much as it can, up or down.

    python -m bench.fairness [--quick] [--rounds 3] [--count 600] [--json FILE]

What stands in front of the byte shows in its time; what is done to keep that little, in how much the other connection
moves meanwhile. Half as many round trips as ``count`` make a figure.
"""

from __future__ import annotations

import contextlib
import sys

from bench.contenders import Running, opened
from bench.ground import ENDS, chain, laid
from bench.processes import ask
from bench.results import Goal, Row, Table
from bench.running import Effort, alone, in_turns, told

CONTENDERS = ("loopback", "ssh gcm", "orchestra")
HOPS = (1, 3)
GOAL = Goal(1.0, "ssh gcm")


async def measure(effort: Effort) -> list[Table]:
    """How long a byte takes, and how much goes past it."""
    trips, bulk = Table("one byte beside bulk", "ms", "less"), Table("bulk beside one byte", "MB/s", "more")
    async with laid(max(HOPS)) as ground:
        for hops in HOPS:
            async with contextlib.AsyncExitStack() as stack:
                running: dict[str, Running] = {}
                for name in CONTENDERS:
                    way = (*chain(ground.echo, hops), *chain(ground.bulk, hops))
                    running[name] = await stack.enter_async_context(opened(name, ground, way))
                for direction in ("up", "down"):
                    label = f"{hops} hop{'s' if hops > 1 else ''}, {direction}"
                    told(label)
                    found = await beside(running, direction, effort)
                    trips.rows.append(Row(f"{label}, median", found["median"], (GOAL,)))
                    trips.rows.append(Row(f"{label}, 99th percentile", found["p99"], (GOAL,)))
                    bulk.rows.append(Row(label, found["bulk"]))
    return [trips, bulk]


async def beside(running: dict[str, Running], direction: str, effort: Effort) -> dict[str, dict[str, list[float]]]:
    """Median and 99th percentile of the same trips, in ms, and what was carried; of each contender."""
    found: dict[str, dict[str, list[float]]] = {"p99": {}, "bulk": {}}

    async def one(name: str) -> float:
        port, bulk = running[name].ports
        arguments = ("beside", port, effort.count // 2, bulk, direction)
        figures: dict[str, float] = await ask([sys.executable, str(ENDS), *map(str, arguments)])
        found["p99"].setdefault(name, []).append(figures["p99"] / 1000)
        found["bulk"].setdefault(name, []).append(figures["bulk"])
        return figures["median"] / 1000

    return {"median": await in_turns(running, effort.rounds, one), **found}


if __name__ == "__main__":
    alone("fairness", measure, __doc__)
