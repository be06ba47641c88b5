"""Topologies to draw: the examples, blocked ones, and generated ones of any size."""

import json
import random
from functools import cache
from pathlib import Path

from orchestra.assembly.topology import load_topology, plugins
from orchestra.planning import make_plan
from orchestra.render.picture import arrange, compose, fold

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "topologies").glob("*.yaml"))
SIZES = (5, 30, 200)

BLOCKED = """\
networks:
  internet:
  dmz: 203.0.113.0/28
  office: 10.20.0.0/24
  vault: 10.30.0.0/24
clients:
  laptop: {networks: [internet]}
firewalls:
  edge:
    networks: {internet: 198.51.100.1, dmz: 203.0.113.1}
    rules: [{name: ssh-only, allow: {from: internet, to: gateway, ports: [22]}}]
  core:
    networks: {office: 10.20.0.1, vault: 10.30.0.1}
    rules:
      - {name: web, allow: {from: office, to: db, ports: [443]}}
      - {name: no-db, deny: {from: any, to: db, ports: [5432]}}
servers:
  gateway:
    networks: {dmz: 203.0.113.2, office: 10.20.0.2}
targets:
  db: {networks: {vault: 10.30.0.8}, address: "10.30.0.8:5432"}
  qemu: {host: gateway, address: "127.0.0.1:5930"}
  wiki: {networks: {office: 10.20.0.80}, address: "10.20.0.80:80"}
tunnels:
  db: {}
  qemu: {}
  wiki: {listen: "localhost:8080"}
"""


@cache
def vocabulary():
    return plugins()


def read(text_or_file, tmp_path=None):
    """A topology from an example's path, or from text."""
    if tmp_path is not None:
        (tmp_path / "drawn.yaml").write_text(text_or_file)
        text_or_file = str(tmp_path / "drawn.yaml")
    elif not Path(text_or_file).is_absolute():
        text_or_file = str(ROOT / text_or_file)
    loaded = load_topology([text_or_file], vocabulary(), {"CI_SSH_KEY": "x"})
    assert loaded.topology is not None, [diagnostic.message for diagnostic in loaded.diagnostics]
    return loaded.topology


def planned(topology, **more):
    return make_plan(topology, vocabulary=vocabulary().vocabulary, **more)


def scene_of(topology, **more):
    return fold(compose(topology, planned(topology, **more)))


def placed_of(topology, **more):
    return arrange(scene_of(topology, **more))


def generated(hosts):
    """A file with about so many hosts: sites behind a firewall each, with a gateway, and targets, half with tunnels."""
    sites = max(1, hosts // 20)
    each = max(1, (hosts - 1 - 2 * sites) // sites)
    parts = {"networks": ["  internet:"], "firewalls": [], "servers": [], "targets": [], "tunnels": []}
    for site in range(sites):
        net = f"10.{site + 1}.0"
        parts["networks"].append(f"  site-{site}: {net}.0/24")
        rule = f"{{name: ssh-{site}, allow: {{from: internet, to: gate-{site}, ports: [22]}}}}"
        parts["firewalls"].append(
            f"  wall-{site}: {{networks: {{internet: 198.51.100.{site + 1}, site-{site}: {net}.1}}, rules: [{rule}]}}"
        )
        parts["servers"].append(f"  gate-{site}: {{networks: {{site-{site}: {net}.2}}}}")
        for number in range(each):
            name = f"t{site}-{number}"
            place = f"{net}.{number + 10}"
            parts["targets"].append(f"  {name}: {{networks: {{site-{site}: {place}}}, address: '{place}:80'}}")
            if number % 2 == 0:
                parts["tunnels"].append(f"  {name}: {{listen: auto}}")
    body = "\n".join(f"{section}:\n" + "\n".join(lines) for section, lines in parts.items())
    return f"clients: {{laptop: {{networks: [internet]}}}}\n{body}\n"


def scattered(seed):
    """A file with hosts on networks at random: firewalls that pass ssh or not, servers, targets with tunnels to all."""
    chance = random.Random(seed)  # noqa: S311 - a seed makes the same file again
    networks = [f"net{number}" for number in range(chance.randint(1, 5))]
    used = dict.fromkeys(networks, 0)

    def places(most):
        chosen = chance.sample(networks, min(most, len(networks)))
        used.update((network, used[network] + 1) for network in chosen)
        return {network: f"10.{networks.index(network)}.0.{used[network]}" for network in chosen}

    def hosts(kind, number, most, **more):
        return {f"{kind}{index}": {"networks": places(chance.randint(1, most)), **more} for index in range(number)}

    rules = [{"allow": {"from": "any", "to": "any", "ports": [chance.choice((22, 22, 80))]}}]
    targets = hosts("target", chance.randint(1, 8), 2, address=80)
    file = {
        "networks": {network: f"10.{index}.0.0/24" for index, network in enumerate(networks)},
        "clients": hosts("client", 1, 1),
        "firewalls": hosts("wall", chance.randint(1, 3), 3, rules=rules),
        "servers": hosts("server", chance.randint(1, 6), 3),
        "targets": targets,
        "tunnels": {name: {"listen": "auto", "failover": chance.random() < 0.3} for name in targets},
    }
    return json.dumps(file)
