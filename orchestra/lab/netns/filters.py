"""Packet filters and address translation of a machine, as an nftables script (nft(8)).

Pure. The order of the hooks gives the semantics: destination nat before the forward chain, masquerade after it. The
firewall's rules stand in its forward chain in their order, ``inbound`` in the input chain of its host. Both are
stateful and deny what no rule matches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import collapse_addresses
from typing import Literal, TypeAlias

from orchestra.lab.netns.addresses import host_network
from orchestra.lab.netns.layout import Layout, Machine
from orchestra.lab.netns.ways import firewalls_to, origins
from orchestra.model.address import IPAddress, IPNetwork
from orchestra.model.topology import Masquerade, PortForward, Rule, Selector

Denial: TypeAlias = Literal["drop", "reject"]
"""How a filter denies: in silence, as most do, or with an ICMP error, so that the dialer knows at once."""

TABLE = "orchestra"
PASSED = "passed"
"""The set that counts new connections that were let pass, by protocol and destination port."""

_FAMILY = {4: "ip", 6: "ip6"}
_NEIGHBOURS = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert } accept"


def filter_script(layout: Layout, machine: Machine, denial: Denial = "drop") -> str:
    """The whole ruleset of a machine; empty when it has no interface."""
    if not machine.interfaces:
        return ""
    body = [
        f"set {PASSED} {{ type inet_proto . inet_service; flags dynamic; counter; }}",
        *_answer_chains(layout, machine),
        *(_forward_chains(layout, machine, denial) if machine.forwards else ()),
        *_input_chain(layout, machine, denial),
    ]
    return f"table inet {TABLE} {{\n" + "\n".join(body) + "\n}\n"


def _answer_chains(layout: Layout, machine: Machine) -> Iterator[str]:
    """Replies go back to the neighbour that the connection came from (see :mod:`.ways`)."""
    found = origins(layout, machine)
    by_neighbour = [f'"{o.interface}" . {o.mac} : {o.mark}' for o in found if o.mac]
    by_interface = [f'"{o.interface}" : {o.mark}' for o in found if not o.mac]
    rules = [f"ct state new ct mark 0 ct mark set iifname map {{ {', '.join(by_interface)} }}"]
    if by_neighbour:
        rules.append(f"ct state new ct mark set iifname . ether saddr map {{ {', '.join(by_neighbour)} }}")
    answer = "ct direction reply meta mark set ct mark"
    yield from _chain("remember", "filter hook prerouting priority mangle; policy accept", [*rules, answer])
    accepted = "ct direction original meta mark set ct mark"  # sockets inherit it: see tcp_fwmark_accept in ip-sysctl
    yield from _chain("accept_mark", "filter hook input priority mangle; policy accept", [accepted])
    yield from _chain("answer", "route hook output priority mangle; policy accept", [answer])


def _forward_chains(layout: Layout, machine: Machine, denial: Denial) -> Iterator[str]:
    nat = [(host, entry) for host in machine.hosts for entry in layout.topology.hosts[host].nat]
    masked = [
        interface.name
        for _, entry in nat
        if isinstance(entry, Masquerade) and (interface := machine.on(entry.network)) is not None
    ]
    hidden = [f'iifname "{name}" ct state new ct status ! dnat {_deny(denial)}' for name in masked]
    rules = [line for host in machine.hosts for line in _rules(layout, layout.topology.hosts[host].rules, denial, True)]
    yield from _chain(
        "between",
        "filter hook forward priority filter; policy drop",
        ["ct state established,related accept", *hidden, *rules, _deny(denial)],
    )
    forwards = [line for _, entry in nat if isinstance(entry, PortForward) for line in _dnat(layout, machine, entry)]
    mute = [
        f'ifname "{interface.name}" meta nfproto ipv{version} ct state new reject with icmpx admin-prohibited'
        for interface in machine.interfaces
        for version in _FAMILY
        if not any(address.version == version for address in interface.addresses)
    ]
    if mute:  # of a family that it does not have there it sends nothing and passes nothing on
        sent, taken = [f"o{rule}" for rule in mute], [f"i{rule}" for rule in mute]
        yield from _chain("own", "filter hook output priority filter; policy accept", sent)
        yield from _chain("others", "filter hook forward priority filter; policy accept", [*sent, *taken])
    if forwards:
        yield from _chain("publish", "nat hook prerouting priority dstnat; policy accept", forwards)
    if masked:
        lines = [f'oifname "{name}" masquerade' for name in masked]
        yield from _chain("hide", "nat hook postrouting priority srcnat; policy accept", lines)


def _input_chain(layout: Layout, machine: Machine, denial: Denial) -> Iterator[str]:
    inbound = [layout.topology.hosts[host].inbound for host in machine.hosts]
    present = [rules for rules in inbound if rules is not None]
    if not present:
        return
    rules = [line for rules in present for line in _rules(layout, rules, denial, False)]
    start = ['iifname "lo" accept', "ct state established,related accept", _NEIGHBOURS]
    yield from _chain("inbound", "filter hook input priority filter; policy drop", [*start, *rules, _deny(denial)])


def _chain(name: str, base: str, rules: Sequence[str]) -> Iterator[str]:
    yield f"chain {name} {{\n  type {base};"
    yield from (f"  {rule}" for rule in rules)
    yield "}"


def _deny(denial: Denial) -> str:
    return "drop" if denial == "drop" else "reject with icmpx admin-prohibited"


def _dnat(layout: Layout, machine: Machine, entry: PortForward) -> Iterator[str]:
    interface = machine.on(entry.network)
    if interface is None:
        return
    arriving = f'iifname "{interface.name}" {{}} {entry.protocol} dport {entry.port}'
    if layout.machine_of[entry.host] == machine.name:
        yield arriving.format("fib daddr type local") + f" redirect to :{entry.to_port}"
        return
    for version, name in _FAMILY.items():
        own = [str(address) for address in machine.addresses if address.version == version]
        to = _handed_to(layout, machine, layout.of(entry.host), version)
        if own and to:
            to_text = f"[{to}]" if version == 6 else str(to)
            yield arriving.format(f"{name} daddr {{ {', '.join(own)} }}") + f" dnat {name} to {to_text}:{entry.to_port}"


def _handed_to(layout: Layout, firewall: Machine, host: Machine, version: int) -> IPAddress | None:
    """The address that the firewall itself would dial: on its own networks first, then behind few firewalls."""
    ranked = sorted(host.interfaces, key=lambda i: (firewalls_to(layout, firewall, i.segment), i.segment))
    return next((a for interface in ranked for a in interface.addresses if a.version == version), None)


def _rules(layout: Layout, rules: Sequence[Rule], denial: Denial, counted: bool) -> Iterator[str]:
    for rule in rules:
        verdict = _deny(denial) if rule.action == "deny" else "accept"
        count = f"add @{PASSED} {{ meta l4proto . th dport }} " if counted and rule.action == "allow" else ""
        for match in _matches(layout, rule):
            service = _service(rule)
            if count and "l4proto" not in service:  # what has no ports is not counted
                yield f"{match}{service}meta l4proto {{ tcp, udp }} {count}{verdict}"
            yield f"{match}{service}{count if 'l4proto' in service else ''}{verdict}"


def _service(rule: Rule) -> str:
    if rule.protocol == "any" and not rule.ports:
        return ""
    protocol = "{ tcp, udp }" if rule.protocol == "any" else rule.protocol
    ports = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in rule.ports)
    return f"meta l4proto {protocol} " + (f"th dport {{ {ports} }} " if ports else "")


def _matches(layout: Layout, rule: Rule) -> Iterator[str]:
    """One text per pair of selectors and family; empty text for any to any."""
    for source in _sides(layout, rule.sources, "saddr"):
        for destination in _sides(layout, rule.destinations, "daddr"):
            if source[0] == destination[0] or 0 in (source[0], destination[0]):
                yield source[1] + destination[1]


def _sides(layout: Layout, selectors: Sequence[Selector], field: str) -> list[tuple[int, str]]:
    """(IP version or 0 for both, match) for one side of a rule."""
    found: list[tuple[int, str]] = []
    for selector in selectors:
        if selector.kind == "any":
            return [(0, "")]
        if selector.kind == "network" and not (cidrs := layout.topology.networks[selector.name or ""].cidrs):
            others = [cidr for network in layout.topology.networks.values() for cidr in network.cidrs]
            found += [(v, _match(v, field, others, "!= ") or f"meta nfproto ipv{v} ") for v in (4, 6)]
            continue
        if selector.kind == "network":
            held: Sequence[IPNetwork] = cidrs
        elif selector.kind == "cidr":
            held = [selector.cidr] if selector.cidr else []
        else:
            held = [host_network(address) for address in layout.of(selector.name or "").addresses]
        found += [(v, match) for v in (4, 6) if (match := _match(v, field, held))]
    return found


def _match(version: int, field: str, networks: Sequence[IPNetwork], negation: str = "") -> str:
    """``ip saddr { … }``, or an empty text when there is nothing of that family; overlaps are merged for nft."""
    fitting = [network for network in networks if network.version == version]
    merged = collapse_addresses(fitting)  # type: ignore[type-var]  # of one version, which the type cannot say
    texts = ", ".join(str(network) for network in merged)
    return f"{_FAMILY[version]} {field} {negation}{{ {texts} }} " if texts else ""
