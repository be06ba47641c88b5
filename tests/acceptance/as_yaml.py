"""Topologies that were made as values, as the files that load to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from orchestra.model.topology import (
    Attachment,
    Forwarding,
    Host,
    Masquerade,
    Network,
    PortForward,
    Rule,
    Target,
    Topology,
    Tunnel,
)

SECTIONS = {"client": "clients", "firewall": "firewalls", "server": "servers"}


def as_yaml(topology: Topology) -> str:
    """The file; what the generator never makes (ssh settings, secrets, checks) is not written."""
    own = {name: host for name, host in topology.hosts.items() if host.kind == "target"}
    document: dict[str, Any] = {"networks": {name: _network(each) for name, each in topology.networks.items()}}
    for kind, section in SECTIONS.items():
        document[section] = {name: _host(host) for name, host in topology.hosts.items() if host.kind == kind}
    document["targets"] = {name: _target(each, own.pop(each.host, None)) for name, each in topology.targets.items()}
    document["targets"] |= {name: {**_host(host), "address": 9} for name, host in own.items()}
    document["tunnels"] = {name: _tunnel(each) for name, each in topology.tunnels.items()}
    kept = {section: value for section, value in document.items() if value}
    return yaml.dump(kept, Dumper=yaml.CSafeDumper, sort_keys=False, default_flow_style=None, width=120)


def _network(network: Network) -> Any:
    return [str(cidr) for cidr in network.cidrs] or None


def _host(host: Host) -> dict[str, Any]:
    found: dict[str, Any] = {"networks": {a.network: _addresses(a) for a in host.attachments}}
    if host.kind == "firewall":
        found["rules"] = _rules(host.rules)
        found["nat"] = [_nat(entry) for entry in host.nat]
    if host.inbound is not None:
        found["inbound"] = _rules(host.inbound)
    found["route"] = dict(host.route)
    if host.server:
        found["forwarding"] = _forwarding(host.server.forwarding)
        if host.kind != "server":
            found["ssh"] = {"port": host.server.ssh.port or 22}
    return {key: value for key, value in found.items() if value or key in ("networks", "rules", "inbound")}


def _addresses(attachment: Attachment) -> Any:
    return [str(address) for address in attachment.addresses] or None


def _rules(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    return [_rule(rule) for rule in rules]


def _rule(rule: Rule) -> dict[str, Any]:
    fields: dict[str, Any] = {"from": [s.text for s in rule.sources], "to": [s.text for s in rule.destinations]}
    if rule.ports:
        fields["ports"] = [low if low == high else f"{low}-{high}" for low, high in rule.ports]
    if rule.protocol != "tcp":
        fields["protocol"] = rule.protocol
    return {rule.action: fields}


def _nat(entry: PortForward | Masquerade) -> dict[str, Any]:
    if isinstance(entry, Masquerade):
        return {"network": entry.network, "masquerade": True}
    return {"network": entry.network, "port": entry.port, "to": f"{entry.host}:{entry.to_port}"}


def _forwarding(forwarding: Forwarding) -> dict[str, Any]:
    default, found = Forwarding(), {}
    for name in ("local", "remote", "gateway_ports", "permit_open", "permit_listen"):
        value = getattr(forwarding, name)
        if value != getattr(default, name):
            found[name] = list(value) if isinstance(value, tuple) else value
    return found


def _target(target: Target, own: Host | None) -> dict[str, Any]:
    where = {"host": target.host} if own is None else _host(own)
    return {**where, "address": str(target.address)}


def _tunnel(tunnel: Tunnel) -> dict[str, Any]:
    texts = {"to": tunnel.to, "at": tunnel.at, "from": tunnel.from_, "by": tunnel.by, "listen": tunnel.listen}
    lists = {"via": tunnel.via, "avoid": tunnel.avoid}
    found: dict[str, Any] = {key: str(value) for key, value in texts.items() if value is not None}
    return found | {key: list(value) for key, value in lists.items() if value}
