"""Throughput over a link with a round trip of 100 ms, up and down, with two sizes of socket buffers, beside bare TCP.

    python -m bench.link [--quick] [--rounds 3] [--json FILE]

Client and servers are in network namespaces of their own, joined by a wire that delays every packet; needs root.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from bench import wire
from bench.contenders import Running, opened
from bench.ground import ENDS, LOOPBACK, Ground, chain, laid
from bench.processes import ask, started
from bench.results import Goal, Row, Table
from bench.running import Effort, alone, in_turns, told
from orchestra.lab.netns.agent import CLONE_NEWNET, Inside, call

ROUND_TRIP = 0.1
SECONDS = 1.3
"""Of one transfer at least: the first round trips are small beside it."""
NEAR, FAR, NETWORK = "10.77.0.1", "10.77.0.2", "10.77.0.0/24"
WIRE = Path(__file__).with_name("wire.py")
MIB = 1 << 20
BUFFERS = {
    "default buffers": (f"4096 131072 {6 * MIB}", f"4096 16384 {4 * MIB}"),
    "64 MiB buffers": (f"4096 131072 {64 * MIB}", f"4096 131072 {64 * MIB}"),
}
"""``tcp_rmem`` and ``tcp_wmem``; the first are the kernel's own (tcp(7))."""
GOALS = {
    ("default buffers", "down"): Goal(1.3, "ssh gcm"),
    ("64 MiB buffers", "down"): Goal(10, "ssh gcm"),
    ("default buffers", "up"): Goal(1.0, "ssh gcm"),
    ("64 MiB buffers", "up"): Goal(1.0, "ssh gcm"),
}
CONTENDERS = ("bare TCP", "ssh gcm", "orchestra")


async def measure(effort: Effort) -> list[Table]:
    """One table; none where we may not."""
    table = Table(f"link of {ROUND_TRIP * 1000:.0f} ms", "MB/s", "more")
    if os.geteuid() != 0:
        told("link: left out, since namespaces and tun devices need root")
        return []
    for name, (rmem, wmem) in BUFFERS.items():
        async with wired(rmem, wmem) as (near, far):
            there = ("nsenter", f"--net=/proc/{os.getpid()}/fd/{far.namespace}", "--")
            with near:
                async with laid(1, address=FAR, there=there) as ground:
                    table.rows.extend(await over(ground, name, effort))
    return [table]


async def over(ground: Ground, buffers: str, effort: Effort) -> list[Row]:
    """The rows of one size of buffers."""
    async with contextlib.AsyncExitStack() as stack:
        running = {"bare TCP": Running((ground.bulk,), ())}
        for name in CONTENDERS[1:]:
            running[name] = await stack.enter_async_context(opened(name, ground, chain(ground.bulk, 1)))

        rows = []
        for direction in ("up", "down"):

            async def one(name: str, direction: str = direction) -> float:
                address = FAR if name == "bare TCP" else LOOPBACK
                arguments = ("bulk", running[name].port, direction, 1, SECONDS, address)
                return float(await ask([sys.executable, str(ENDS), *map(str, arguments)]))

            told(f"{buffers}, {direction}")
            rounds = min(effort.rounds, 2) if direction == "up" else effort.rounds  # upwards sshd is the bound of all
            values = await in_turns(CONTENDERS[:1], 1, one) | await in_turns(CONTENDERS[1:], rounds, one)
            rows.append(Row(f"{direction}, {buffers}", values, (GOALS[buffers, direction],)))
        return rows


@contextlib.asynccontextmanager
async def wired(rmem: str, wmem: str) -> AsyncIterator[tuple[Inside, Inside]]:
    """Two namespaces and the wire between them; they go with their descriptors."""
    with contextlib.ExitStack() as opened:
        ends, devices = [], []
        for address in (NEAR, FAR):
            inside, device = _end(address, rmem, wmem)
            opened.callback(os.close, inside.namespace)
            opened.callback(os.close, inside.home)
            opened.callback(os.close, device)
            ends.append(inside)
            devices.append(device)
        command = [sys.executable, str(WIRE), *map(str, devices), str(ROUND_TRIP / 2)]
        async with started(command, pass_fds=devices):
            yield ends[0], ends[1]


def _end(address: str, rmem: str, wmem: str) -> tuple[Inside, int]:
    """A new namespace, entered by ``with``, and the device in it. Its TCP has the kernel's own congestion control: BBR,
    which some distributions set, takes the first small windows for the rate of the wire, and stays there for seconds.
    """
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    call("unshare", CLONE_NEWNET)
    inside = Inside(home, os.open("/proc/thread-self/ns/net", os.O_RDONLY))
    try:
        device = wire.device("wire")
        for command in (
            "ip link set lo up",
            f"ip link set wire up mtu {wire.MTU} txqueuelen 10000",
            f"ip address add {address}/24 dev wire",
            f"ip route change {NETWORK} dev wire src {address} congctl cubic",
        ):
            subprocess.run(command.split(), check=True)
        for name, value in {"tcp_rmem": rmem, "tcp_wmem": wmem, "tcp_no_metrics_save": "1"}.items():
            Path(f"/proc/sys/net/ipv4/{name}").write_text(value)
    finally:
        call("setns", home, CLONE_NEWNET)
    return inside, device


if __name__ == "__main__":
    alone("link", measure, __doc__)
