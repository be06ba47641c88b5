"""How loading, compiling, planning and explaining grow with the file: seconds and memory against hosts.

    python -m bench.scale [--quick] [--rounds 3] [--json FILE]

Sites of 100 hosts form a tree, eight below each. A firewall with ten rules joins a site to the one above it; it lets
ssh in to the site's own bastion and to those one level below, so that dials pass one or two firewalls and paths need
several sessions. One host in ten is a server. 1,000 tunnels, or one for ten hosts, lead to targets in all sites, one in
fifty of them blocked. ``plan`` compiles anew; ``explain`` is one pair of a compiled topology, with every server to be
found; ``mistake`` is the time to say that the last line of the file has one.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.processes import ask
from bench.results import Goal, Row, Table
from bench.running import Effort, alone, told
from orchestra.assembly.topology import plugins
from orchestra.graph import compile_world
from orchestra.loading import load
from orchestra.model.topology import Topology
from orchestra.planning import make_plan
from orchestra.planning.explaining.explain import explain_on
from orchestra.planning.explaining.question import Ground

SIZES = (100, 1_000, 10_000, 100_000)
PER_SITE = 100
FAN = 8
TUNNELS = 1_000
STEPS = ("load", "compile", "plan", "explain", "mistake")
GOAL = 10_000
BUDGET = {"load": 1.5, "plan": 1.0, "explain": 0.1}
"""Seconds for so many hosts."""


@dataclass(frozen=True)
class Site:
    """Some hundred hosts on a network of their own."""

    number: int

    @property
    def name(self) -> str:
        return f"site{self.number}"

    @property
    def above(self) -> str:
        """The network that its firewall joins it to."""
        return f"site{(self.number - 1) // FAN}" if self.number else "internet"

    def address(self, host: int) -> str:
        """Of one of its hosts; 1 and 2 are its firewall and the bastion."""
        return f"10.{self.number // 256}.{self.number % 256}.{host}"


def topology(hosts: int, tunnels: int) -> str:
    """A file with so many hosts and tunnels."""
    sites = [Site(number) for number in range(max(1, hosts // PER_SITE))]
    return "\n".join([*_networks(sites), *_firewalls(sites), *_hosts(sites), *_tunnels(sites, tunnels)]) + "\n"


def _networks(sites: list[Site]) -> Iterator[str]:
    yield "networks:"
    yield "  internet:"
    yield from (f"  {site.name}: {site.address(0)}/24" for site in sites)
    yield "clients: {laptop: {networks: [internet]}}"


def _firewalls(sites: list[Site]) -> Iterator[str]:
    yield "firewalls:"
    for site in sites:
        below = [each.name for each in sites[FAN * site.number + 1 : FAN * site.number + FAN + 1]]
        outside = (
            "198.51.100.1"
            if site.above == "internet"
            else Site((site.number - 1) // FAN).address(200 + site.number % FAN)
        )
        yield f"  edge-{site.name}:"
        yield f"    networks: {{{site.above}: {outside}, {site.name}: {site.address(1)}}}"
        yield "    rules:"
        yield f"      - {{name: bastion, allow: {{from: {site.above}, to: {site.name}-host2, ports: [22]}}}}"
        bastions = ", ".join(f"{name}-host2" for name in below) or f"{site.name}-host2"
        yield f"      - {{name: below, allow: {{from: any, to: [{bastions}], ports: [22]}}}}"
        yield f"      - {{name: web, allow: {{from: {site.name}, to: any, ports: [443, 8000-8100]}}}}"
        yield f"      - {{name: names, allow: {{from: {site.name}, to: any, ports: [53], protocol: udp}}}}"
        for number in range(5):
            yield f"      - {{allow: {{from: 192.0.2.{number}, to: {site.name}, ports: [{9000 + number}]}}}}"
        yield "      - {name: rest, deny: {from: any, to: any, protocol: any}}"


def _hosts(sites: list[Site]) -> Iterator[str]:
    yield "servers:"
    for site in sites:
        for host in range(2, PER_SITE, 10):
            yield f"  {site.name}-host{host}: {{networks: {{{site.name}: {site.address(host)}}}, ssh: {{user: ops}}}}"
    yield "targets:"
    for site in sites:
        for host in range(2, PER_SITE + 1):
            if host % 10 != 2:
                yield f"  {site.name}-host{host}:"
                yield f"    networks: {{{site.name}: {site.address(host)}}}"
                yield f"    address: {'127.0.0.1:' if host == 50 else ''}{5000 + host}"


def _tunnels(sites: list[Site], tunnels: int) -> Iterator[str]:
    yield "tunnels:"
    for number in range(tunnels):
        site, host = sites[number % len(sites)], 3 + (number // len(sites)) % 7
        to = f"{site.name}-host{50 if number % 50 == 49 else host}"
        yield f"  tunnel{number}: {{to: {to}, listen: localhost:{10_000 + number}}}"


async def measure(effort: Effort) -> list[Table]:
    """Time and memory; one fresh process for each size, so that the peaks are each one's own."""
    times, peaks = Table("topologies", "s of the processor", "less"), Table("topologies", "MiB at most", "less")
    for hosts in SIZES[:-1] if effort.quick else SIZES:
        told(f"{hosts:,} hosts")
        rounds = effort.rounds if hosts < SIZES[-1] else 1
        found = [await ask([sys.executable, "-m", "bench.scale", "one", str(hosts)]) for _ in range(rounds)]
        goals = tuple(Goal(limit, of=step) for step, limit in BUDGET.items()) if hosts == GOAL else ()
        steps = {step: [each[step] for each in found] for step in STEPS}
        times.rows.append(Row(f"{hosts:,} hosts", steps, goals))
        peak = {"orchestra": [each["peak"] for each in found]}
        peaks.rows.append(Row(f"{hosts:,} hosts", peak, (Goal(300),) if hosts == GOAL else ()))
    return [times, peaks]


def one(hosts: int) -> dict[str, float]:
    """Seconds of the processor for each step and MiB at most, in this process."""
    tunnels, words = min(TUNNELS, hosts // 10), plugins().vocabulary
    text = topology(hosts, tunnels)
    used: dict[str, float] = {}

    def timed(step: str, what: Any, *arguments: Any, **options: Any) -> Any:
        gc.collect()  # what one step has made is not looked through on the next one's time
        before = time.process_time()
        result = what(*arguments, **options)
        used[step] = time.process_time() - before
        return result

    loaded = timed("load", load, ["-"], environ={}, vocabulary=words, stdin=text)
    assert loaded.topology is not None, loaded.diagnostics[:3]
    read: Topology = loaded.topology
    timed("compile", compile_world, read, "laptop")
    plan = timed("plan", make_plan, read, vocabulary=words)
    last = f"site{max(1, hosts // PER_SITE) - 1}-host9"
    assert timed("explain", explain_on, Ground(read, "laptop", words), "laptop", last).reachable
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert any(tunnel.verdict == "reachable" for tunnel in plan.tunnels)
    del loaded, read, plan
    mistaken = text + "  last: {to: nobody, listen: localhost:1}\n"
    wrong = timed("mistake", load, ["-"], environ={}, vocabulary=words, stdin=mistaken)
    assert [each.place.line for each in wrong.diagnostics if each.place] == [text.count("\n") + 1]
    return used | {"peak": peak}


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        print(json.dumps(one(int(sys.argv[2]))))
    else:
        alone("scale", measure, __doc__)
