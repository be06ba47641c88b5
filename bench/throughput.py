"""Throughput through 1, 2, 3 and 5 hops, up and down, one stream and eight, beside every peer.

    python -m bench.throughput [--quick] [--rounds 3] [--seconds 0.25] [--json FILE]

All go over the same servers, to the same target; the client is a process of its own too. A transfer is repeated with
more bytes until it lasts as long as asked, and the last one counts. Rounds are for orchestra and those it is held
against in that row; the others are measured once.
"""

from __future__ import annotations

import contextlib
import itertools
import sys

from bench.contenders import Running, installed, opened
from bench.ground import ENDS, Ground, chain, laid
from bench.processes import ask
from bench.results import OURS, Goal, Row, Table
from bench.running import Effort, alone, in_turns, told

CONTENDERS = ("loopback", "ssh", "ssh gcm", "asyncssh", "sshtunnel", "orchestra")
HOPS = (1, 2, 3, 5)
STREAMS = (1, 8)
GOALS = {
    1: (Goal(0.95, "ssh gcm"), Goal(1.25, "ssh")),
    2: (Goal(1.25, "ssh gcm"),),
    3: (Goal(1.25, "ssh gcm"),),
    5: (Goal(1.5, "ssh gcm"),),
}


async def measure(effort: Effort) -> list[Table]:
    """One table."""
    table = Table("throughput", "MB/s", "more")
    async with laid(max(HOPS)) as ground:
        for hops in HOPS[:2] if effort.quick else HOPS:
            table.rows.extend(await through(ground, hops, effort))
    return [table]


async def through(ground: Ground, hops: int, effort: Effort) -> list[Row]:
    """The rows of so many hops."""
    names = [name for name in installed(CONTENDERS) if name != "sshtunnel" or hops == 1]
    judged = [name for name in names if name in {OURS, *(goal.against for goal in GOALS[hops])}]
    rows = []
    async with contextlib.AsyncExitStack() as stack:
        running: dict[str, Running] = {}
        for name in names:
            running[name] = await stack.enter_async_context(opened(name, ground, chain(ground.bulk, hops)))
        for streams, direction in itertools.product(STREAMS, ("up", "down")):

            async def one(name: str, streams: int = streams, direction: str = direction) -> float:
                port, seconds = str(running[name].port), str(effort.seconds)
                return float(await ask([sys.executable, str(ENDS), "bulk", port, direction, str(streams), seconds]))

            label = (
                f"{hops} hop{'s' if hops > 1 else ''}, {direction}, {'one stream' if streams == 1 else 'eight streams'}"
            )
            told(label)
            found = await in_turns((name for name in names if name not in judged), 1, one)
            found |= await in_turns(judged, effort.rounds, one)
            rows.append(Row(label, {name: found[name] for name in names}, GOALS[hops]))
    return rows


if __name__ == "__main__":
    alone("throughput", measure, __doc__)
