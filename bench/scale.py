"""How loading, compiling, planning and explaining grow with the file: seconds and memory against hosts.

    python bench/scale.py [HOSTS …]        default: 100 1000 10000 100000

Sites of 100 hosts form a tree, eight below each. A firewall with ten rules joins a site to the one above it; it lets
ssh in to the site's own bastion and to those one level below, so that dials pass one or two firewalls and paths need
several sessions. One host in ten is a server. 1,000 tunnels, or one for ten hosts, lead to targets in all sites, one in
fifty of them blocked. ``plan`` compiles anew; ``explain`` is one pair of a compiled topology, with every server to be
found; ``mistake`` is the time to say that the last line of the file has one. CPU is what counts where others share the
machine.
"""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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
BUDGET = {"load": 1.5, "plan": 1.0, "explain": 0.1}
"""Seconds for 10,000 hosts on two cores; and 300 MiB."""


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


def measure(hosts: int) -> None:
    """One row of the table, in this process."""
    tunnels, words = min(TUNNELS, hosts // 10), plugins().vocabulary
    text = topology(hosts, tunnels)
    wall: list[float] = []
    used: list[float] = []

    def timed(what: Any, *arguments: Any, **options: Any) -> Any:
        gc.collect()  # what one step has made is not looked through on the next one's time
        start, before = time.perf_counter(), time.process_time()
        result = what(*arguments, **options)
        wall.append(time.perf_counter() - start)
        used.append(time.process_time() - before)
        return result

    loaded = timed(load, ["-"], environ={}, vocabulary=words, stdin=text)
    assert loaded.topology is not None, loaded.diagnostics[:3]
    read: Topology = loaded.topology
    timed(compile_world, read, "laptop")
    plan = timed(make_plan, read, vocabulary=words)
    last = f"site{max(1, hosts // PER_SITE) - 1}-host9"
    assert timed(explain_on, Ground(read, "laptop", words), "laptop", last).reachable
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    reachable = sum(tunnel.verdict == "reachable" for tunnel in plan.tunnels)
    del loaded, read, plan
    wrong = timed(load, ["-"], environ={}, vocabulary=words, stdin=text + "  last: {to: nobody, listen: localhost:1}\n")
    assert [each.place.line for each in wrong.diagnostics if each.place] == [text.count("\n") + 1]
    size = f"{hosts:>8,} {tunnels:>8,} {reachable:>10,} {len(text) / 1024:>8,.0f}"
    print(f"{size} {'CPU':>5}{_seconds(used)} {peak:>9,.0f}")
    print(f"{'':{len(size)}} {'wall':>5}{_seconds(wall)}", flush=True)


def _seconds(times: list[float]) -> str:
    return "".join(f"{each:>9.2f}" for each in times)


def main(arguments: list[str]) -> None:
    """One fresh process for each size, so that the peaks are each one's own."""
    if arguments[:1] == ["--one"]:
        measure(int(arguments[1]))
        return
    columns = "".join(f"{each:>9}" for each in ("load", "compile", "plan", "explain", "mistake"))
    print(f"{'hosts':>8} {'tunnels':>8} {'reachable':>10} {'KiB':>8} {'':>5}{columns} {'peak MiB':>9}", flush=True)
    for hosts in map(int, arguments) if arguments else SIZES:
        subprocess.run([sys.executable, __file__, "--one", str(hosts)], check=True)
    wanted = ", ".join(f"{what} {limit} s" for what, limit in BUDGET.items())
    print(f"wanted for 10,000 hosts: {wanted}, 300 MiB")


if __name__ == "__main__":
    main(sys.argv[1:])
