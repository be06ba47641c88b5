"""Networks, hosts and targets."""

from __future__ import annotations

from dataclasses import replace

from orchestra.diagnostics import Code, KeyPath
from orchestra.loading.building.rules import build_nat, build_rules
from orchestra.loading.building.scope import Scope, kind_of
from orchestra.loading.building.secrets import secret, with_secrets
from orchestra.loading.report import quoted
from orchestra.loading.shapes import hosts as shapes
from orchestra.loading.shapes import ssh as ssh_shapes
from orchestra.loading.shapes.plugged import Transport
from orchestra.model.address import Address, Endpoint
from orchestra.model.topology import (
    NOWHERE,
    Attachment,
    DnsName,
    Forwarding,
    Host,
    Network,
    Server,
    SshSettings,
    Target,
    TransportRef,
)
from orchestra.plugin.vocabulary import Vocabulary

VNC_BASE = 5900
_FILES = ("identity", "certificate", "known_hosts")
_SECRETS = ("private_key", "passphrase", "password")


def build_networks(scope: Scope) -> dict[str, Network]:
    """Every network."""
    return {
        name: Network(
            name=name,
            cidrs=tuple(sorted(shape.cidr, key=lambda cidr: (cidr.version, cidr))),
            place=scope.place(("networks", name)),
        )
        for name, shape in scope.draft.networks.items()
    }


def build_hosts(scope: Scope, vocabulary: Vocabulary) -> dict[str, Host]:
    """Clients, firewalls, servers, and the machines of targets that have their own. Of two with one name the first
    stays."""
    hosts: dict[str, Host] = {}
    for section in ("clients", "firewalls", "servers", "targets"):
        machines: dict[str, shapes.Machine] = dict(getattr(scope.draft, section))
        for name, shape in machines.items():
            if isinstance(shape, shapes.Target) and shape.host is not None:
                continue
            path = (section, name)
            if (other := hosts.get(name)) is not None:
                scope.error(
                    Code.DUPLICATE_NAME,
                    f"the name {quoted(name)} is taken by the {other.kind} at {other.place}",
                    path,
                    _rename(shape, name),
                    key=True,
                )
            elif name in scope.networks:
                scope.error(
                    Code.DUPLICATE_NAME,
                    f"the name {quoted(name)} is taken by the network at {scope.place(('networks', name))}",
                    path,
                    "hosts and networks share one name space, since rules name both: rename one",
                    key=True,
                )
            else:
                hosts[name] = _host(scope, name, shape, path, vocabulary)
    return hosts


def _rename(shape: shapes.Machine, name: str) -> str:
    if isinstance(shape, shapes.Target):
        return f"rename one, or write `host: {name}` when the target runs on that host"
    return "host names are unique over all sections: rename one"


def _host(scope: Scope, name: str, shape: shapes.Machine, path: KeyPath, vocabulary: Vocabulary) -> Host:
    host = Host(
        name=name,
        kind=kind_of(str(path[0])),
        attachments=_attachments(scope, shape, path) if shape.networks else (),
        names=_names(scope, shape, path) if shape.names else (),
        inbound=None if shape.inbound is None else build_rules(scope, shape.inbound, (*path, "inbound")),
        route=_route(scope, name, shape, path) if shape.route else NOWHERE,
        place=scope.place(path),
    )
    if isinstance(shape, shapes.Server | shapes.Target) and shape.behind:
        host = replace(host, behind=scope.known_hosts(shape.behind, (*path, "behind")))
    if isinstance(shape, shapes.ServerPart) and (shape.ssh is not None or isinstance(shape, shapes.Server)):
        host = replace(host, server=_server(scope, shape, path, vocabulary))
    if isinstance(shape, shapes.Firewall):
        attached = frozenset(attachment.network for attachment in host.attachments)
        host = replace(
            host,
            rules=build_rules(scope, shape.rules, (*path, "rules")),
            nat=build_nat(scope, shape.nat, attached, (*path, "nat")),
        )
    return host


def _attachments(scope: Scope, shape: shapes.Machine, path: KeyPath) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(network=network, addresses=shape.networks[network], place=scope.place((*path, "networks", network)))
        for network in sorted(shape.networks)
        if scope.network(network, (*path, "networks", network), key=True)
    )


def _names(scope: Scope, shape: shapes.Machine, path: KeyPath) -> tuple[DnsName, ...]:
    return tuple(
        DnsName(text=text, network=network or None)
        for network in sorted(shape.names)
        if not network or scope.network(network, (*path, "names", network), key=True)
        for text in shape.names[network]
    )


def _route(scope: Scope, name: str, shape: shapes.Machine, path: KeyPath) -> dict[str, str]:
    return {
        network: firewall
        for network, firewall in shape.route.items()
        if scope.network(network, (*path, "route", network), key=True)
        and scope.known("firewall", firewall, scope.firewalls, (*path, "route", network))
        and _leads_on(scope, name, firewall, (*path, "route", network))
    }


def _leads_on(scope: Scope, name: str, firewall: str, path: KeyPath) -> bool:
    if firewall != name:
        return True
    hint = "name the next firewall on the way, or leave it out: the way with the fewest firewalls is taken"
    scope.error(Code.BAD_VALUE, f"{name} is to send what is for {quoted(str(path[-1]))} to itself", path, hint)
    return False


def _server(scope: Scope, shape: shapes.ServerPart, path: KeyPath, vocabulary: Vocabulary) -> Server:
    return Server(
        ssh=SshSettings() if shape.ssh is None else _ssh(scope, shape.ssh, (*path, "ssh"), vocabulary),
        transport=_transport(scope, shape.transport, (*path, "transport"), vocabulary),
        forwarding=_forwarding(scope, shape.forwarding, (*path, "forwarding")),
        cost=shape.cost or 0,
    )


def _transport(scope: Scope, shape: Transport | None, path: KeyPath, vocabulary: Vocabulary) -> TransportRef:
    if shape is None:
        return TransportRef()
    options = with_secrets(scope, shape.options, path, vocabulary)
    return TransportRef(type=shape.type, options=options, place=scope.place(path))


def _forwarding(scope: Scope, shape: ssh_shapes.Forwarding | None, path: KeyPath) -> Forwarding:
    if shape is None:
        return Forwarding()
    return Forwarding(**dict(shape), place=scope.place(path))


def _ssh(scope: Scope, shape: ssh_shapes.Ssh, path: KeyPath, vocabulary: Vocabulary) -> SshSettings:
    given = {key: getattr(shape, key) for key in shape.model_fields_set}
    for key in _FILES:
        if key in given:
            given[key] = tuple(scope.file(name, (*path, key, index)) for index, name in enumerate(given[key]))
    for key in ("ssh_config", "agent"):
        if given.get(key, "none") != "none":
            given[key] = scope.file(given[key], (*path, key))
    for key in _SECRETS:
        if key in given:
            given[key] = secret(scope, given[key], (*path, key), vocabulary)
    return SshSettings(**given, place=scope.place(path))


def build_targets(scope: Scope) -> dict[str, Target]:
    """The targets whose machine is known."""
    targets = {}
    for name, shape in scope.draft.targets.items():
        path = ("targets", name)
        if shape.host is not None and not scope.host(shape.host, (*path, "host"), here=True):
            continue
        behind = shape.behind
        if shape.host is not None:  # the others are reported with their machine
            behind = scope.known_hosts(behind, (*path, "behind"))
        targets[name] = Target(
            name=name,
            host=shape.host or name,
            address=_address(shape),
            protocol=shape.protocol,
            behind=tuple(host for host in behind if host in scope.hosts),
            place=scope.place(path),
        )
    return targets


def _address(shape: shapes.Target) -> Address:
    if shape.display is None:
        return shape.address or Endpoint(None, None)
    host = shape.address.host if isinstance(shape.address, Endpoint) else None
    return Endpoint(host, VNC_BASE + shape.display)
