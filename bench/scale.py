"""How loading, compiling, planning and explaining grow with the file: seconds and memory against hosts.

    python -m bench.scale [--quick] [--rounds 3] [--json FILE]

Sites of 100 hosts form a tree, eight below each. A firewall with ten rules joins a site to the one above it; it lets
ssh in to the site's own bastion and to those one level below, so that dials pass one or two firewalls and paths need
several sessions. One host in ten is a server. 1,000 tunnels, or one for ten hosts, lead to targets in all sites, one in
fifty of them blocked. ``plan`` compiles anew; ``explain`` is one pair of a compiled topology, with every server to be
found; ``mistake`` is the time to say that the last line of the file has one.

Three more files have much of one thing: one firewall with 5,000 rules, one with 5,000 nat entries, and 1,000 tunnels of
which all but 30 are blocked by the bastion of another site that they have to pass.
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


OFFICE = """\
networks:
  internet:
  office: 10.0.0.0/16
clients: {laptop: {networks: [internet]}}
firewalls:
  edge:
    networks: {internet: 198.51.100.1, office: 10.0.0.1}
"""


def _at(number: int) -> str:
    return f"10.0.{number // 250 + 1}.{number % 250 + 1}"


def many_rules(rules: int) -> str:
    """One firewall with so many rules; one in five lets ssh in to a server, with a target and a tunnel each."""
    lines = ["    rules:"]
    for number in range(rules):
        if number % 5:
            about = f"from: 192.0.2.{number % 250}, to: {_at(number)}, ports: [{1_000 + number}]"
        else:
            about = f"from: internet, to: server{number // 5}, ports: [22]"
        lines.append(f"      - {{allow: {{{about}}}}}")
    each = range(rules // 5)
    lines += ["servers:", *(f"  server{number}: {{networks: {{office: {_at(number)}}}}}" for number in each)]
    lines += ["targets:"]
    lines += [f"  target{n}: {{networks: {{office: {_at(rules // 5 + n)}}}, address: 80}}" for n in each]
    lines += ["tunnels:", *(f"  tunnel{n}: {{to: target{n}, listen: localhost:{10_000 + n}}}" for n in each)]
    return OFFICE + "\n".join(lines) + "\n"


def much_nat(hosts: int) -> str:
    """One firewall that publishes so many hosts, one in ten a server that the tunnels to the next few have to pass."""
    servers = range(0, hosts, 10)
    targets = [number for number in range(hosts) if number % 10]
    lines = ["    rules:", "      - {allow: {from: internet, to: office, ports: [22, 80]}}", "    nat:"]
    for number in range(hosts):
        to = f"host{number}:{80 if number % 10 else 22}"
        lines.append(f'      - {{network: internet, port: {10_000 + number}, to: "{to}"}}')
    lines += ["servers:", *(f"  host{number}: {{networks: {{office: {_at(number)}}}}}" for number in servers)]
    lines += ["targets:", *(f"  host{n}: {{networks: {{office: {_at(n)}}}, address: 80}}" for n in targets)]
    lines += ["tunnels:"]
    for number in targets[:TUNNELS]:
        via = f"via: [host{number // 10 * 10}], failover: true"
        lines.append(f"  tunnel{number}: {{to: host{number}, {via}, listen: localhost:{20_000 + number}}}")
    return OFFICE + "\n".join(lines) + "\n"


def mostly_blocked(hosts: int, tunnels: int) -> str:
    """The file of so many hosts with tunnels that have to pass the bastion of another site."""
    sites, lines = max(1, hosts // PER_SITE), topology(hosts, tunnels).splitlines()
    for number in range(tunnels):
        if number % PER_SITE:
            other = (number % sites * 7 + 13) % sites
            line = number - tunnels
            lines[line] = lines[line].replace("{to:", f"{{via: [site{other}-host2], to:")
    return "\n".join(lines) + "\n"


SHAPES = {
    "5,000 rules": lambda: many_rules(5_000),
    "nat to 5,000 hosts": lambda: much_nat(5_000),
    "970 blocked tunnels": lambda: mostly_blocked(10_000, TUNNELS),
}


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
    for shape in SHAPES:
        told(shape)
        found = [await ask([sys.executable, "-m", "bench.scale", "shape", shape]) for _ in range(effort.rounds)]
        steps = {step: [each[step] for each in found] for step in found[0]}
        times.rows.append(Row(shape, steps, (Goal(1.5, of="plan"),)))
    return [times, peaks]


def shaped(shape: str) -> dict[str, float]:
    """Seconds of the processor to load and to plan a file that has much of one thing, in this process."""
    words, begun = plugins().vocabulary, time.process_time()
    loaded = load(["-"], environ={}, vocabulary=words, stdin=SHAPES[shape]())
    read = time.process_time()
    assert loaded.topology is not None, loaded.diagnostics[:3]
    gc.collect()
    asked = time.process_time()
    make_plan(loaded.topology, vocabulary=words)
    return {"load": read - begun, "plan": time.process_time() - asked}


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
    elif sys.argv[1:2] == ["shape"]:
        print(json.dumps(shaped(sys.argv[2])))
    else:
        alone("scale", measure, __doc__)
