"""What is missing, written into the topology: the way to see that it would do."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from typing import TYPE_CHECKING

from orchestra.model.address import parse_ip
from orchestra.model.topology import Rule, Selector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.model.plan import Missing
    from orchestra.model.topology import Forwarding, Host, Topology


def with_permissions(topology: Topology, missing: Iterable[Missing]) -> Topology:
    """The topology with every permission granted: allowing rules in front of all others, and what sshd forbids."""
    hosts = dict(topology.hosts)
    for each in missing:
        hosts[each.at] = _granted(topology, hosts[each.at], each)
    return replace(topology, hosts=hosts)


def change_of(missing: Missing) -> Missing:
    """What would be changed for it: of a setting that is on or off, not what it is for. Equal changes are one."""
    if missing.kind == "sshd" and missing.setting not in ("permit_open", "permit_listen"):
        return replace(missing, to=None, address=None, port=None, protocol="tcp")
    return missing


def rule_of(topology: Topology, missing: Missing) -> Rule:
    """The rule that grants what a firewall is asked for, and nothing more."""
    return Rule(
        action="allow",
        sources=(_selector(topology, missing.from_),),
        destinations=(_selector(topology, missing.to or missing.address or "any"),),
        ports=((missing.port, missing.port),) if missing.port else (),
        protocol="udp" if missing.protocol == "udp" else "tcp",
    )


def _granted(topology: Topology, host: Host, missing: Missing) -> Host:
    if missing.kind == "sshd":
        if host.server is None:
            return host
        return replace(host, server=replace(host.server, forwarding=_permitting(host.server.forwarding, missing)))
    opened = rule_of(topology, missing)
    if missing.setting == "inbound":
        return replace(host, inbound=_in_front(opened, host.inbound or ()))
    return replace(host, rules=_in_front(opened, host.rules))


def _in_front(first: Rule, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    return (first, *(replace(each, index=each.index + 1) for each in rules))


def _permitting(forwarding: Forwarding, missing: Missing) -> Forwarding:
    match missing.setting:
        case "local":
            return replace(forwarding, local=True)
        case "remote":
            return replace(forwarding, remote=True)
        case "unix":
            return replace(forwarding, unix=True)
        case "gateway_ports":
            return replace(forwarding, gateway_ports="clientspecified")
        case "permit_open":
            return replace(forwarding, permit_open=(*(forwarding.permit_open or ()), _entry(missing)))
        case "permit_listen":
            return replace(forwarding, permit_listen=(*(forwarding.permit_listen or ()), _entry(missing)))
        case _:
            return forwarding


def _entry(missing: Missing) -> str:
    """As in PermitOpen and PermitListen: literal host and port."""
    host = missing.address or "*"
    return f"[{host}]:{missing.port or '*'}" if ":" in host else f"{host}:{missing.port or '*'}"


def _selector(topology: Topology, text: str) -> Selector:
    """``from`` or ``to`` of a rule: a network, a host, an address, or any; read as the loader does."""
    if text in topology.networks:
        return Selector(kind="network", text=text, name=text)
    if text in topology.hosts:
        return Selector(kind="host", text=text, name=text)
    if parse_ip(text):
        return Selector(kind="cidr", text=text, cidr=ip_network(text))
    return Selector(kind="any", text="any")
