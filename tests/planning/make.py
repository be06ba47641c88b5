"""Topologies by hand: small helpers for tests that say where what is in one line each."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

from orchestra.diagnostics import Place
from orchestra.model.address import parse_address, parse_ip
from orchestra.model.topology import (
    Attachment,
    DnsName,
    Forwarding,
    Host,
    Masquerade,
    Network,
    PortForward,
    Rule,
    Selector,
    Server,
    SshSettings,
    Target,
    Topology,
    TransportRef,
    Tunnel,
)

FILE = "t.yaml"


def network(name: str, *cidrs: str) -> Network:
    return Network(name=name, cidrs=tuple(ip_network(each) for each in cidrs))


def attachments(networks: dict[str, Any] | None) -> tuple[Attachment, ...]:
    found = []
    for name, addresses in (networks or {}).items():
        texts = [] if addresses is None else [addresses] if isinstance(addresses, str) else addresses
        found.append(Attachment(network=name, addresses=tuple(ip_address(each) for each in texts)))
    return tuple(found)


def names(given: Any) -> tuple[DnsName, ...]:
    if isinstance(given, dict):
        return tuple(DnsName(text=text, network=net) for net, texts in given.items() for text in texts)
    return tuple(DnsName(text=text) for text in given or ())


def host(name: str, kind: str = "target", networks: dict[str, Any] | None = None, **more: Any) -> Host:
    more["names"] = names(more.get("names"))
    return Host(name=name, kind=kind, attachments=attachments(networks), **more)  # type: ignore[arg-type]


def client(name: str, networks: dict[str, Any] | None = None, **more: Any) -> Host:
    return host(name, "client", networks, **more)


def server(name: str, networks: dict[str, Any] | None = None, **more: Any) -> Host:
    ssh = SshSettings(host=more.pop("ssh_host", None), port=more.pop("ssh_port", None), user=more.pop("user", None))
    forwarding = Forwarding(**more.pop("forwarding", {}))
    transport = TransportRef(type=more.pop("transport", "ssh"))
    part = Server(ssh=ssh, forwarding=forwarding, cost=more.pop("cost", 0), transport=transport)
    return host(name, more.pop("kind", "server"), networks, server=part, **more)


def firewall(name: str, networks: dict[str, Any], *rules: Rule, **more: Any) -> Host:
    return host(name, "firewall", networks, rules=numbered(rules, 10), **more)


def numbered(rules: tuple[Rule, ...] | list[Rule], line: int = 50) -> tuple[Rule, ...]:
    return tuple(replace(each, index=n, place=Place(FILE, line + n, 9)) for n, each in enumerate(rules))


def rule(action: str, from_: Any, to: Any, *ports: Any, protocol: str = "tcp", name: str | None = None) -> Rule:
    ranges = tuple(each if isinstance(each, tuple) else (each, each) for each in ports)
    return Rule(
        action=action,  # type: ignore[arg-type]
        sources=selectors(from_),
        destinations=selectors(to),
        ports=ranges,
        protocol=protocol,  # type: ignore[arg-type]
        name=name,
    )


def allow(from_: Any, to: Any, *ports: Any, **more: Any) -> Rule:
    return rule("allow", from_, to, *ports, **more)


def deny(from_: Any, to: Any, *ports: Any, **more: Any) -> Rule:
    return rule("deny", from_, to, *ports, **more)


def selectors(given: Any) -> tuple[Selector, ...]:
    return tuple(selector(each) for each in (given if isinstance(given, list) else [given]))


def selector(text: str) -> Selector:
    """``any``, a CIDR, ``@NETWORK`` or a host's name."""
    if text == "any":
        return Selector(kind="any", text=text)
    if text.startswith("@"):
        return Selector(kind="network", text=text[1:], name=text[1:])
    if "/" in text or parse_ip(text):
        return Selector(kind="cidr", text=text, cidr=ip_network(text))
    return Selector(kind="host", text=text, name=text)


def publish(net: str, port: int, to: str, to_port: int, protocol: str = "tcp") -> PortForward:
    return PortForward(network=net, port=port, host=to, to_port=to_port, protocol=protocol)  # type: ignore[arg-type]


def hide(net: str) -> Masquerade:
    return Masquerade(network=net, place=Place(FILE, 40, 9))


def target(name: str, address: str, on: str | None = None, **more: Any) -> Target:
    text = address
    parsed = parse_address(text.replace("*:", ""), listening=True)
    return Target(name=name, host=on or name, address=parsed, **more)


def tunnel(name: str, to: str | None = None, listen: str | None = None, **more: Any) -> Tunnel:
    address = parse_address(listen, listening=True, port_required=False) if listen else None
    return Tunnel(name=name, to=to or name, listen=address, **more)


def topology(*things: Network | Host | Target | Tunnel, **more: Any) -> Topology:
    def of(kind: type) -> dict[str, Any]:
        return {each.name: each for each in things if isinstance(each, kind)}

    hosts = of(Host)
    for each in of(Target).values():
        hosts.setdefault(each.host, Host(name=each.host, kind="target"))
    tunnels = of(Tunnel) or {name: Tunnel(name=name, to=name, implicit=True) for name in of(Target)}
    placed = {
        name: replace(each, place=Place(FILE, 90 + n, 3)) for n, (name, each) in enumerate(sorted(tunnels.items()))
    }
    return Topology(name="t", file=FILE, networks=of(Network), hosts=hosts, targets=of(Target), tunnels=placed, **more)
