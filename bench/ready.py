"""From the command to a byte through the tunnel: 1, 2 and 3 hops, and 100 tunnels over 20 servers, beside every peer.

    python -m bench.ready [--quick] [--rounds 3] [--json FILE]

The clock starts before the program does. The tunnel is asked every few milliseconds until a byte comes back, and of
100 tunnels until one came back through each.
"""

from __future__ import annotations

import time

from bench.contenders import installed, opened, ready
from bench.ground import SERVERS, Ground, Way, chain, fleet, laid
from bench.results import Goal, Row, Table
from bench.running import Effort, alone, in_turns, told

PEERS = ("ssh gcm", "asyncssh", "sshtunnel", "orchestra")
FLEETS = ("autossh", "ssh gcm", "asyncssh", "orchestra")
HOPS = (1, 2, 3)
TUNNELS = 100


async def measure(effort: Effort) -> list[Table]:
    """One table."""
    table = Table("ready", "ms", "less")
    tunnels = 40 if effort.quick else TUNNELS
    async with laid(SERVERS) as ground:
        for hops in HOPS:
            label = f"{hops} hop{'s' if hops > 1 else ''}"
            told(label)

            async def one(name: str, hops: int = hops) -> float:
                return await taken(name, ground, chain(ground.echo, hops))

            names = [name for name in installed(PEERS) if name != "sshtunnel" or hops == 1]
            goals = (Goal(1.0, "ssh gcm"),) if hops == 2 else ()
            table.rows.append(Row(label, await in_turns(names, 1 if effort.quick else effort.rounds + 2, one), goals))

        async def every(name: str) -> float:
            return await taken(name, ground, fleet(ground.echo, SERVERS, tunnels))

        told(f"{tunnels} tunnels")
        goals = (Goal(1.0, "autossh"),)
        values = await in_turns(installed(FLEETS), effort.rounds, every)
        table.rows.append(Row(f"{tunnels} tunnels over {SERVERS} servers", values, goals))
    return [table]


async def taken(name: str, ground: Ground, way: Way) -> float:
    """Milliseconds until every tunnel of the way has passed a byte."""
    begun = time.perf_counter()
    async with opened(name, ground, way, wait=False):
        await ready(way)
        return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    alone("ready", measure, __doc__)
