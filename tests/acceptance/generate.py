"""Random topologies with services and tunnels: what :func:`random_topology` makes, and somebody who uses it."""

from __future__ import annotations

import random
from dataclasses import replace

from orchestra.assembly.topology import plugins
from orchestra.loading import load
from orchestra.model.address import Endpoint
from orchestra.model.topology import Forwarding, Host, Server, SshSettings, Target, Topology, Tunnel
from tests.acceptance.as_yaml import as_yaml
from tests.lab.embedded.build import rule
from tests.lab.embedded.test_agreement import random_topology

VOCABULARY = plugins().vocabulary
FIRST_PORT = 5000
AT_SERVERS = 9000


def random_world(chance: random.Random) -> tuple[Topology, str]:
    """A topology, and who is here. Servers forbid a thing now and then; services listen wide, on one address or on
    loopback; tunnels lead to each of them, from here or from a listener at a server."""
    topology = random_topology(chance)
    client = _client(chance, topology)
    hosts = {name: _host(chance, host, client) for name, host in topology.hosts.items()}
    targets = {each.name: each for each in _targets(chance, hosts)}
    tunnels = {each.name: each for each in _tunnels(chance, hosts, targets, client)}
    return loaded(as_yaml(replace(topology, hosts=hosts, targets=targets, tunnels=tunnels))), client


def loaded(text: str) -> Topology:
    """A file's topology: what is tested is what can be printed."""
    found = load(["-"], environ={}, vocabulary=VOCABULARY, stdin=text)
    assert found.topology, (text, found.diagnostics)
    return found.topology


def _client(chance: random.Random, topology: Topology) -> str:
    clients = sorted(name for name, host in topology.hosts.items() if host.kind == "client")
    return chance.choice(clients or sorted(name for name, host in topology.hosts.items() if not host.forwards))


def _host(chance: random.Random, host: Host, client: str) -> Host:
    if host.inbound is not None and chance.random() < 0.5:
        host = replace(host, inbound=None)
    if host.kind == "firewall" and chance.random() < 0.7:
        host = replace(host, rules=(rule("allow", ports=chance.choice(("22", "22 2222", ""))), *host.rules))
    if host.name == client:
        return replace(host, kind="client", server=None)
    if host.server is None and (host.kind != "firewall" or chance.random() < 0.7):
        return host
    port = 22 if host.kind == "server" else 2222
    return replace(host, server=Server(ssh=SshSettings(port=port), forwarding=_forwarding(chance)))


def _forwarding(chance: random.Random) -> Forwarding:
    return Forwarding(
        local=chance.random() > 0.1,
        remote=chance.random() > 0.1,
        gateway_ports=chance.choice(("no", "clientspecified", "clientspecified")),
    )


def _targets(chance: random.Random, hosts: dict[str, Host]) -> list[Target]:
    """One at each of a few hosts; those that are targets' own machines have one of their name."""
    places = sorted(hosts)
    chosen = {name for name in places if hosts[name].kind == "target" or (hosts[name].server and chance.random() < 0.5)}
    chosen.add(chance.choice(places))
    found = []
    for number, name in enumerate(sorted(chosen)):
        own = [str(address) for each in hosts[name].attachments for address in each.addresses]
        text = chance.choice([None, *own[:1], *(["127.0.0.1"] * 2 if hosts[name].server else [])])
        target = name if hosts[name].kind == "target" else f"on-{name}"
        found.append(Target(name=target, host=name, address=Endpoint(text, FIRST_PORT + number)))
    return found


def _tunnels(chance: random.Random, hosts: dict[str, Host], targets: dict[str, Target], client: str) -> list[Tunnel]:
    servers = sorted(name for name, host in hosts.items() if host.server)
    found = []
    for number, target in enumerate(sorted(targets)):
        if servers and chance.random() < 0.4:
            at = chance.choice(servers)
            own = [str(address) for each in hosts[at].attachments for address in each.addresses]
            host = chance.choice(["localhost", "localhost", "*", *own[:1]])
            found.append(Tunnel(name=target, to=target, at=at, by=client, listen=Endpoint(host, AT_SERVERS + number)))
        else:
            found.append(Tunnel(name=target, to=target, listen=Endpoint("localhost", FIRST_PORT + number)))
    return found
