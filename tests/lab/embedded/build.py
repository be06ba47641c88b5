"""Topologies, written short: the values that the loader would make."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from orchestra.lab.embedded import EmbeddedLab, open_embedded_lab
from orchestra.model.address import parse_address, parse_ip
from orchestra.model.topology import (
    Attachment,
    DnsName,
    Forwarding,
    Host,
    HostKind,
    Network,
    Rule,
    Selector,
    Server,
    SshSettings,
    Target,
    Topology,
)

NETWORKS: dict[str, tuple[str, ...]] = {
    "internet": (),
    "corp": ("10.0.0.0/8",),
    "office": ("10.20.0.0/24", "2001:db8:20::/64"),
    "lab": ("10.30.0.0/24",),
    "site-a": ("192.168.1.0/24",),
    "site-b": ("192.168.1.0/24",),
}


def host(name: str, kind: HostKind = "server", on: Mapping[str, str | None] | None = None, **fields: Any) -> Host:
    """``on``: network to addresses, separated by blanks; ``names``: texts or DnsName; servers allow everything."""
    attachments = tuple(
        Attachment(network=network, addresses=tuple(map(ip_address, (addresses or "").split())))
        for network, addresses in (on or {}).items()
    )
    names = tuple(each if isinstance(each, DnsName) else DnsName(text=each) for each in fields.pop("names", ()))
    if kind == "server":
        fields.setdefault("server", server())
    return Host(name=name, kind=kind, attachments=attachments, names=names, **fields)


def server(ssh_host: str | None = None, **forwarding: Any) -> Server:
    return Server(ssh=SshSettings(host=ssh_host), forwarding=Forwarding(**forwarding))


def rule(action: str, from_: str = "any", to: str = "any", ports: str = "", protocol: str = "tcp") -> Rule:
    """``ports``: as in ``22 8000-8100``; a selector is a network, a CIDR, ``any`` or else a host."""
    ranges = tuple((int(low), int(high or low)) for low, _, high in (each.partition("-") for each in ports.split()))
    return Rule(
        action=action,  # type: ignore[arg-type]
        sources=tuple(map(selector, from_.split())),
        destinations=tuple(map(selector, to.split())),
        ports=ranges,
        protocol=protocol,  # type: ignore[arg-type]
    )


def allow(from_: str = "any", to: str = "any", ports: str = "", protocol: str = "tcp") -> Rule:
    return rule("allow", from_, to, ports, protocol)


def deny(from_: str = "any", to: str = "any", ports: str = "", protocol: str = "tcp") -> Rule:
    return rule("deny", from_, to, ports, protocol)


def selector(text: str) -> Selector:
    if text == "any":
        return Selector(kind="any", text=text)
    if text in NETWORKS:
        return Selector(kind="network", text=text, name=text)
    if "/" in text or parse_ip(text):
        return Selector(kind="cidr", text=text, cidr=ip_network(text))
    return Selector(kind="host", text=text, name=text)


def target(name: str, address: str, on: str | None = None, **fields: Any) -> Target:
    return Target(name=name, host=on or name, address=parse_address(address), **fields)


def topology(*parts: Host | Target, networks: Iterable[str] | None = None) -> Topology:
    """Networks are those that its hosts are on, with the cidrs of :data:`NETWORKS`."""
    hosts = {each.name: each for each in parts if isinstance(each, Host)}
    targets = {each.name: each for each in parts if isinstance(each, Target)}
    for each in targets.values():
        hosts.setdefault(each.host, Host(name=each.host, kind="target", behind=each.behind))
    used = {a.network for each in hosts.values() for a in each.attachments} if networks is None else set(networks)
    known = {name: Network(name=name, cidrs=tuple(map(ip_network, NETWORKS[name]))) for name in sorted(used)}
    return Topology(name="test", file="test.yaml", networks=known, hosts=hosts, targets=targets)


def in_lab(what: Topology, test: Callable[[EmbeddedLab], Awaitable[None]], client: str = "laptop") -> None:
    """Runs a test in a lab, which is closed afterwards and has to leave no task behind."""

    async def run() -> None:
        lab = await open_embedded_lab(what, client)
        try:
            await test(lab)
        finally:
            await lab.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
