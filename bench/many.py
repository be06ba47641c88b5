"""Much at once: 1,000 tunnels over 20 servers in one process, and 10,000 connections through one tunnel.

    python -m bench.many [--tunnels 1000] [--connections 10000] [--idle 20]

Prints what each costs, and ends with 1 when one costs more than is promised.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from bench.contenders import opened
from bench.ground import ENDS, SERVERS, chain, fleet, laid
from bench.processes import members
from bench.running import told

MEMORY = 150.0
"""MiB of all tunnels."""
IDLE = 1.0
"""Percent of one processor, when nobody uses them."""
CLIENTS = 50
"""Processes that connect at once."""
SETTLE = 5.0
"""Seconds in which the work of opening comes to its end."""

Figure = tuple[str, float, float | None]
"""What was measured, how much it was, and the most that is promised, if anything is."""


def processor(sessions: Iterable[int]) -> float:
    """Seconds that their processes have computed (proc(5): utime and stime)."""
    ticks = 0
    for pid in members(sessions):
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def tunnels(count: int, idle: float) -> list[Figure]:
    """What so many cost when nobody uses them."""
    async with laid(SERVERS) as ground:
        told(f"{count} tunnels over {SERVERS} servers")
        begun = asyncio.get_running_loop().time()
        async with opened("orchestra", ground, fleet(ground.echo, SERVERS, count)) as running:
            took = asyncio.get_running_loop().time() - begun
            await asyncio.sleep(SETTLE)
            before = processor(running.sessions)
            await asyncio.sleep(idle)
            percent = 100 * (processor(running.sessions) - before) / idle
            return [
                (f"{count} tunnels over {SERVERS} servers, seconds until all pass", took, None),
                ("  MiB", running.memory() / 1024, MEMORY),
                ("  percent of a processor when idle", percent, IDLE),
            ]


@contextlib.asynccontextmanager
async def holding(command: list[str]) -> AsyncIterator[asyncio.StreamReader]:
    """A client that holds connections, and what it says when it has them."""
    client = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert client.stdout is not None
    try:
        yield client.stdout
    finally:
        await client.communicate(b"")


async def connections(count: int) -> list[Figure]:
    """What so many open ones cost, each of which has carried a byte both ways."""
    async with laid(1) as ground:
        told(f"{count} connections through one tunnel")
        async with opened("orchestra", ground, chain(ground.echo, 1)) as running:
            before = running.memory()
            command = [sys.executable, str(ENDS), "hold", str(running.port), str(count // CLIENTS)]
            begun = asyncio.get_running_loop().time()
            async with contextlib.AsyncExitStack() as stack:
                clients = [await stack.enter_async_context(holding(command)) for _ in range(CLIENTS)]
                held = sum([bool(await client.readline()) for client in clients])
                took = asyncio.get_running_loop().time() - begun
                grown = running.memory() - before
            return [
                (
                    f"{count} connections through one tunnel, those not held",
                    float(count - held * (count // CLIENTS)),
                    0.0,
                ),
                ("  seconds until all are open", took, None),
                ("  KiB for each", grown / count, None),
            ]


async def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.many", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--tunnels", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--idle", type=float, default=20.0, help="seconds for which nobody uses them")
    given = parser.parse_args()
    missed = 0
    for measure in (tunnels(given.tunnels, given.idle), connections(given.connections)):
        for what, figure, most in await measure:
            over = most is not None and figure > most
            missed += over
            limit = "" if most is None else f"   at most {most:g}{': MISSED' if over else ''}"
            print(f"{what:<55} {figure:>8.1f}{limit}", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
