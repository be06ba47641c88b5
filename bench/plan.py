"""How long planning takes as a file grows: hosts, servers and tunnels against seconds and memory.

    python bench/plan.py [HOSTS:TUNNELS …]

The topology: a client on the internet; a firewall that lets ssh in to one bastion per branch; a network per branch
with an SSH server every ten hosts; tunnels to services spread over all branches, one in fifty of them blocked.
"""

from __future__ import annotations

import ipaddress
import resource
import sys
import time
from dataclasses import replace

from orchestra.model.address import Endpoint
from orchestra.model.topology import (
    Attachment,
    Host,
    Network,
    PortForward,
    Rule,
    Selector,
    Server,
    Target,
    Topology,
    Tunnel,
)
from orchestra.planning import make_plan
from orchestra.plugin.vocabulary import Vocabulary

PER_BRANCH = 100


def build(hosts: int, tunnels: int) -> Topology:
    """A tree of branches behind one firewall."""
    branches = max(1, hosts // PER_BRANCH)
    networks = {"internet": Network(name="internet")}
    machines = {"laptop": Host(name="laptop", kind="client", attachments=(Attachment(network="internet"),))}
    rules: list[Rule] = []
    forwards: list[PortForward] = []
    edge = [Attachment(network="internet", addresses=(ipaddress.ip_address("198.51.100.1"),))]
    for branch in range(branches):
        name = f"branch{branch:03}"
        cidr = ipaddress.ip_network((int(ipaddress.ip_address("10.0.0.0")) + branch * 256, 24))
        networks[name] = Network(name=name, cidrs=(cidr,))
        edge.append(Attachment(network=name, addresses=(cidr[1],)))
        for number in range(PER_BRANCH):
            machine = f"{name}-host{number:02}"
            server = Server() if number % 10 == 0 else None
            kind = "server" if server else "target"
            at = (Attachment(network=name, addresses=(cidr[number + 2],)),)
            machines[machine] = Host(name=machine, kind=kind, attachments=at, server=server)
        bastion = f"{name}-host00"
        rules.append(allow(network("internet"), machine_of(bastion), 22, len(rules)))
        forwards.append(PortForward(network="internet", port=10000 + branch, host=bastion, to_port=22))
    machines["edge"] = Host(
        name="edge", kind="firewall", attachments=tuple(edge), rules=tuple(rules), nat=tuple(forwards)
    )
    topology = Topology(name="bench", file="bench.yaml", networks=networks, hosts=machines)
    return with_tunnels(topology, branches, tunnels)


def with_tunnels(topology: Topology, branches: int, tunnels: int) -> Topology:
    """Targets all over the branches, each with its tunnel."""
    targets: dict[str, Target] = {}
    wanted: dict[str, Tunnel] = {}
    for number in range(tunnels):
        machine = f"branch{number % branches:03}-host{1 + number // branches % 9:02}"
        address = Endpoint("127.0.0.1" if number % 50 == 49 else None, 5000 + number // branches)
        name = f"service{number:04}"
        targets[name] = Target(name=name, host=machine, address=address)
        wanted[name] = Tunnel(name=name, to=name, listen=Endpoint("localhost", 10000 + number))
    return replace(topology, targets=targets, tunnels=wanted)


def network(name: str) -> Selector:
    """A network in a rule."""
    return Selector(kind="network", text=name, name=name)


def machine_of(name: str) -> Selector:
    """A host in a rule."""
    return Selector(kind="host", text=name, name=name)


def allow(source: Selector, destination: Selector, port: int, index: int) -> Rule:
    """One rule that allows one port."""
    return Rule(action="allow", sources=(source,), destinations=(destination,), ports=((port, port),), index=index)


def main() -> None:
    """Prints one line for each size."""
    sizes = [tuple(map(int, each.split(":"))) for each in sys.argv[1:]] or [(100, 10), (1000, 100), (10000, 1000)]
    print(f"{'hosts':>8} {'tunnels':>8} {'reachable':>10} {'seconds':>8} {'MiB':>6}")
    for hosts, tunnels in sizes:
        topology = build(hosts, tunnels)
        start = time.perf_counter()
        plan = make_plan(topology, vocabulary=Vocabulary())
        took = time.perf_counter() - start
        reachable = sum(tunnel.verdict == "reachable" for tunnel in plan.tunnels)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{hosts:>8} {tunnels:>8} {reachable:>10} {took:>8.2f} {memory:>6.0f}")


if __name__ == "__main__":
    main()
