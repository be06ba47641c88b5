"""How long a topology takes to load, and how much memory: ``python bench/load.py [HOSTS TUNNELS]…``.

The file has sites with a network, a firewall with rules, and servers behind one another; every value has a place.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator

from orchestra.loading import load
from orchestra.plugin.vocabulary import CheckSpec, KindSpec, TransportSpec, Vocabulary

SIZES = ((100, 10), (1_000, 100), (10_000, 1_000))
HOSTS_PER_SITE = 200
BUDGET = 1.5
WORDS = Vocabulary(
    transports={"ssh": TransportSpec(name="ssh")},
    kinds={"tcp": KindSpec(name="tcp")},
    checks={"tcp": CheckSpec(name="tcp")},
)


def topology(hosts: int, tunnels: int) -> str:
    """A file with about so many hosts, and so many tunnels."""
    return "\n".join(_lines(hosts, tunnels)) + "\n"


def _lines(hosts: int, tunnels: int) -> Iterator[str]:
    sites = max(1, hosts // HOSTS_PER_SITE)
    yield "networks:"
    yield "  internet:"
    yield from (f"  site{site}: 10.{site}.0.0/16" for site in range(sites))
    yield "clients: {laptop: {networks: [internet]}}"
    yield "firewalls:"
    for site in range(sites):
        yield f"  edge{site}:"
        yield f"    networks: {{internet: 198.51.{site}.1, site{site}: 10.{site}.0.1}}"
        yield "    rules:"
        yield f"      - allow: {{from: internet, to: host{site * HOSTS_PER_SITE}, ports: [22]}}"
        yield f"      - allow: {{from: site{site}, to: any, ports: [443, 8000-8100]}}"
    yield "servers:"
    for host in range(hosts):
        site, number = host // HOSTS_PER_SITE % sites, host % HOSTS_PER_SITE + 2
        yield f"  host{host}:"
        yield "    networks:"
        yield f"      site{site}: 10.{site}.{host // (HOSTS_PER_SITE * sites)}.{number}"
        yield "    ssh:"
        yield f"      user: ops{host % 7}"
    yield "targets:"
    yield from (f"  service{i}: {{host: host{i * 7 % hosts}, address: '127.0.0.1:{5000 + i}'}}" for i in range(tunnels))
    yield "tunnels:"
    for tunnel in range(tunnels):
        yield f"  service{tunnel}:"
        yield f"    listen: localhost:{20_000 + tunnel}"


def measure(hosts: int, tunnels: int) -> None:
    """Loads once in this process and prints one row of the table."""
    text = topology(hosts, tunnels)
    start, start_cpu = time.perf_counter(), time.process_time()
    loaded = load(["-"], environ={}, vocabulary=WORDS, stdin=text)
    seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert loaded.topology is not None, loaded.diagnostics[:3]
    assert len(loaded.topology.tunnels) == tunnels
    lines = text.count("\n")
    print(f"{hosts:>8,} {tunnels:>8,} {lines:>8,} {len(text) / 1024:>8,.0f} {seconds:>9.2f} {cpu:>9.2f} {peak:>9,.0f}")


def main(arguments: list[str]) -> None:
    """One fresh process for each size, so that the peaks are each one's own."""
    if arguments[:1] == ["--one"]:
        measure(int(arguments[1]), int(arguments[2]))
        return
    numbers = [int(argument) for argument in arguments]
    sizes = tuple(zip(numbers[::2], numbers[1::2], strict=True)) or SIZES
    print(
        f"{'hosts':>8} {'tunnels':>8} {'lines':>8} {'KiB':>8} {'seconds':>9} {'CPU s':>9} {'peak MiB':>9}", flush=True
    )
    for hosts, tunnels in sizes:
        subprocess.run([sys.executable, __file__, "--one", str(hosts), str(tunnels)], check=True)
    print(f"10,000 hosts and 1,000 tunnels are to load in less than {BUDGET} s.")


if __name__ == "__main__":
    main(sys.argv[1:])
