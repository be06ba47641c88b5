"""Random small topologies against an evaluator of their own: every path tried, every rule read afresh."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from itertools import permutations

from hypothesis import strategies as st

from orchestra.model.topology import Masquerade, PortForward, Rule, Selector, Topology
from tests.planning.make import allow, client, deny, firewall, hide, host, network, numbered, publish, topology

NETWORKS = {"n0": "10.0.0.0/24", "n1": "10.1.0.0/24", "n2": "10.2.0.0/24"}
HOSTS = ("h0", "h1", "h2")
FIREWALLS = ("f0", "f1", "f2")
PORTS = (22, 80)


def address(name: str, net: str) -> str:
    return f"10.{net[1]}.0.{(FIREWALLS + HOSTS).index(name) + 1}"


def rules() -> st.SearchStrategy[list[Rule]]:
    who = st.sampled_from(["any", "@n0", "@n1", "@n2", *HOSTS, "f0", "10.0.0.0/8", "10.1.0.0/30", "10.2.0.4/32"])
    port = st.sampled_from([(), (22,), (80,), ((20, 25),)])
    one = st.builds(
        lambda action, source, to, ports: action(source, to, *ports),
        st.sampled_from([allow, allow, deny]),
        who,
        who,
        port,
    )
    return st.lists(one, max_size=4)


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    things: list[object] = [network(name, cidr) for name, cidr in NETWORKS.items()]
    for name in HOSTS:
        net = draw(st.sampled_from(sorted(NETWORKS)))
        inbound = draw(st.none() | rules())
        kind = client if name == "h0" else host
        found = kind(name, networks={net: address(name, net)})
        things.append(replace(found, inbound=None if inbound is None else numbered(inbound)))
    for name in draw(st.lists(st.sampled_from(FIREWALLS), unique=True)):
        nets = draw(st.lists(st.sampled_from(sorted(NETWORKS)), min_size=2, unique=True))
        nat = []
        if draw(st.booleans()):
            nat.append(
                publish(draw(st.sampled_from(nets)), 2222, draw(st.sampled_from(HOSTS)), draw(st.sampled_from(PORTS)))
            )
        if draw(st.booleans()):
            nat.append(hide(draw(st.sampled_from(nets))))
        things.append(firewall(name, {net: address(name, net) for net in nets}, *draw(rules()), nat=tuple(nat)))
    return topology(*things)  # type: ignore[arg-type]


# the oracle: flows are tuples of text, every chain of firewalls is enumerated


def reach(source: Topology, who: str, dst: str, port: int) -> str | None:
    """The name of the host that is reached, or None."""
    return walk(source, who, str(own(source, who)[0][1]), None, dst, port, 0)


def own(source: Topology, name: str) -> list[tuple[str, str]]:
    return [(each.network, str(address)) for each in source.hosts[name].attachments for address in each.addresses]


def walk(
    source: Topology, at: str, src: str, came: str | None, dst: str, port: int, depth: int, handed: bool = False
) -> str | None:
    if depth > 8:
        return None
    if any(dst == address for _, address in own(source, at)) and came is None:
        return at
    target = next(name for name, cidr in NETWORKS.items() if dst.startswith(cidr.rsplit(".", 1)[0] + "."))
    mine = sorted(net for net, _ in own(source, at))
    if target in mine:
        link = target
        nexts = [name for name in source.hosts if (target, dst) in own(source, name)]
        if not nexts:
            return None
        receiver = nexts[0]
    else:
        chain = shortest(source, at, target)
        if chain is None:
            return None
        receiver, link = chain
    if came is not None:
        for entry in source.hosts[at].nat:
            if isinstance(entry, Masquerade) and entry.network == link:
                src = next(address for net, address in own(source, at) if net == link)
    return arrive(source, receiver, link, src, dst, port, depth, handed)


def arrive(source: Topology, at: str, link: str, src: str, dst: str, port: int, depth: int, handed: bool) -> str | None:
    machine = source.hosts[at]
    mapped = False
    if handed and src in [address for _, address in own(source, at)]:
        return None
    if any(dst == address for _, address in own(source, at)):
        entry = next(
            (e for e in machine.nat if isinstance(e, PortForward) and (e.network, e.port) == (link, port)), None
        )
        if entry is None:
            shut = machine.inbound is not None and not passes(source, machine.inbound, src, dst, port)
            return None if shut else at
        dst, port, mapped = own(source, entry.host)[0][1], entry.to_port, True
    if not mapped and any(isinstance(e, Masquerade) and e.network == link for e in machine.nat):
        return None
    if not passes(source, machine.rules, src, dst, port):
        return None
    return walk(source, at, src, link, dst, port, depth + 1, handed or mapped)


def shortest(source: Topology, at: str, target: str) -> tuple[str, str] | None:
    walls = sorted(name for name, each in source.hosts.items() if each.kind == "firewall" and name != at)
    for length in range(1, len(walls) + 1):
        for chain in permutations(walls, length):
            hops = [at, *chain]
            nets = [{net for net, _ in own(source, name)} for name in hops]
            if target in nets[-1] and all(nets[i] & nets[i + 1] for i in range(length)):
                return chain[0], min(nets[0] & nets[1])
    return None


def passes(source: Topology, rules: tuple[Rule, ...], src: str, dst: str, port: int) -> bool:
    for rule in rules:
        if (
            any(matches(source, each, src) for each in rule.sources)
            and any(matches(source, each, dst) for each in rule.destinations)
            and (not rule.ports or any(low <= port <= high for low, high in rule.ports))
        ):
            return rule.action == "allow"
    return False


def matches(source: Topology, selector: Selector, text: str) -> bool:
    if selector.kind == "any":
        return True
    if selector.kind == "network":
        return text.startswith(f"10.{selector.text[1]}.0.")
    if selector.kind == "host":
        return selector.text in source.hosts and text in [address for _, address in own(source, selector.text)]
    return selector.cidr is not None and ip_address(text) in selector.cidr
