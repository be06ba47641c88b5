"""Memory of idle connections, of sessions, of tunnels, and of 100 tunnels over 20 servers, beside ssh and autossh.

    python -m bench.memory [--quick] [--json FILE]

KiB of all processes of a contender; what they share with others is divided among all who share it (PSS). The servers'
memory is not counted.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys

from bench.contenders import Running, installed, opened
from bench.ground import ENDS, SERVERS, Ground, Way, chain, fleet, laid
from bench.results import Goal, Row, Table
from bench.running import Effort, alone, in_turns, told

IDLE = 500
FEW = 10
TUNNELS = 100
SETTLE = 0.5
"""Seconds in which what was made while something opened is given back."""


async def measure(effort: Effort) -> list[Table]:
    """One table; a round is enough, except for what is one small difference of two big figures."""
    idle, tunnels = (IDLE, TUNNELS) if not effort.quick else (100, 40)
    table = Table("memory", "KiB", "less")
    async with laid(SERVERS) as ground:
        peers = installed(("ssh gcm", "asyncssh", "sshtunnel", "orchestra"))

        async def per_connection(name: str) -> float | None:
            async with opened(name, ground, chain(ground.echo, 1)) as running:
                try:
                    return await connected(running, idle)
                except ConnectionError:
                    told(f"{name} does not hold {idle} connections")
                    return None

        async def of_one(name: str) -> float:
            return await weighed(name, ground, chain(ground.echo, 1))

        async def per_session(name: str) -> float:
            few, many = fleet(ground.echo, 1, 1), fleet(ground.echo, SERVERS, SERVERS)
            return await grown(name, ground, few, many)

        async def per_tunnel(name: str) -> float:
            return await grown(name, ground, chain(ground.echo, 1), chain(ground.echo, 1, tunnels))

        async def of_all(name: str) -> float:
            return await weighed(name, ground, fleet(ground.echo, SERVERS, tunnels))

        told("idle connections")
        table.rows.append(
            Row(f"each of {idle} idle connections", await in_turns(peers, 1, per_connection), (Goal(0.25, "ssh gcm"),))
        )
        told("tunnels and sessions")
        several = [name for name in peers if name != "sshtunnel"]
        table.rows.append(Row("one tunnel over one session", await in_turns(peers, 1, of_one)))
        table.rows.append(Row("each further session", await in_turns(several, 1, per_session)))
        table.rows.append(Row("each further tunnel of a session", await in_turns(several, 1, per_tunnel)))
        told(f"{tunnels} tunnels over {SERVERS} servers")
        fleets = installed(("autossh", "ssh gcm", "asyncssh", "orchestra"))
        table.rows.append(
            Row(f"{tunnels} tunnels over {SERVERS} servers", await in_turns(fleets, 1, of_all), (Goal(0.1, "autossh"),))
        )
    return [table]


async def weighed(name: str, ground: Ground, way: Way) -> float:
    """KiB of a contender with these tunnels."""
    async with opened(name, ground, way) as running:
        await asyncio.sleep(SETTLE)
        return running.memory()


async def grown(name: str, ground: Ground, few: Way, many: Way) -> float:
    """KiB for each that is more."""
    less, more = await weighed(name, ground, few), await weighed(name, ground, many)
    return (more - less) / (len(many) - len(few))


async def connected(running: Running, count: int) -> float:
    """KiB by which a contender grows for each connection beyond the first ten, which bring what all share."""
    few, many = await held(running, FEW), await held(running, count)
    return (many - few) / (count - FEW)


async def held(running: Running, count: int) -> float:
    """KiB of a contender while a client holds so many connections."""
    command = [sys.executable, str(ENDS), "hold", str(running.port), str(count)]
    client = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert client.stdout is not None
    said = await client.stdout.readline()
    await asyncio.sleep(SETTLE)
    found = running.memory()
    await client.communicate(b"")
    if not said:
        raise ConnectionError("a connection was not answered")
    return found


if __name__ == "__main__":
    alone("memory", measure, __doc__)
