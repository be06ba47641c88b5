"""Rules of firewalls and of hosts' own packet filters, and nat."""

from __future__ import annotations

from orchestra.diagnostics import Code, KeyPath
from orchestra.loading.building.scope import Scope
from orchestra.loading.faults import Fault
from orchestra.loading.report import quoted
from orchestra.loading.shapes import hosts as shapes
from orchestra.loading.shapes.values import cidr
from orchestra.model.address import AddressError, Endpoint, parse_address, parse_ip
from orchestra.model.topology import Masquerade, PortForward, Rule, Selector


def build_rules(scope: Scope, rules: tuple[shapes.Rule, ...], path: KeyPath) -> tuple[Rule, ...]:
    """The rules in order, each with its position in the file; a rule that names nobody matches nobody."""
    built = ((index, rule) for index, rule in enumerate(rules) if rule is not None)
    return tuple(_rule(scope, rule, index, (*path, index)) for index, rule in built)


def _rule(scope: Scope, rule: shapes.Rule, index: int, path: KeyPath) -> Rule:
    action, body = ("allow", rule.allow) if rule.allow is not None else ("deny", rule.deny)
    assert body is not None  # noqa: S101 - the shape has exactly one
    return Rule(
        action="allow" if action == "allow" else "deny",
        sources=_selectors(scope, body.from_, (*path, action, "from")),
        destinations=_selectors(scope, body.to, (*path, action, "to")),
        ports=body.ports,
        protocol=body.protocol,
        name=rule.name,
        index=index,
        place=scope.place(path),
    )


def _selectors(scope: Scope, texts: tuple[str, ...], path: KeyPath) -> tuple[Selector, ...]:
    found = (_selector(scope, text, (*path, index)) for index, text in enumerate(texts))
    return tuple(selector for selector in found if selector is not None)


def _selector(scope: Scope, text: str, path: KeyPath) -> Selector | None:
    if text == "any":
        return Selector(kind="any", text=text)
    if text in scope.networks:
        return Selector(kind="network", text=text, name=text)
    if machine := scope.machine(text):
        return Selector(kind="host", text=text, name=machine)
    if "/" in text or parse_ip(text) is not None:
        try:
            return Selector(kind="cidr", text=text, cidr=cidr(text))
        except Fault as fault:
            scope.error(fault.code, fault.message, path, fault.suggestion)
            return None
    scope.known("network, host or target", text, scope.hosts | scope.networks | scope.targets | {"any"}, path)
    return None


def build_nat(
    scope: Scope, entries: tuple[shapes.Nat, ...], attached: frozenset[str], path: KeyPath
) -> tuple[PortForward | Masquerade, ...]:
    """The entries that resolve, in order."""
    found = (_nat(scope, nat, attached, (*path, index)) for index, nat in enumerate(entries) if nat is not None)
    return tuple(nat for nat in found if nat is not None)


def _nat(scope: Scope, nat: shapes.Nat, attached: frozenset[str], path: KeyPath) -> PortForward | Masquerade | None:
    if not scope.network(nat.network, (*path, "network")):
        return None
    if nat.network not in attached:
        scope.error(
            Code.BAD_VALUE,
            f"the firewall is not on the network {quoted(nat.network)}",
            (*path, "network"),
            "nat concerns a network that the firewall is attached to",
        )
        return None
    if nat.masquerade:
        return Masquerade(network=nat.network, place=scope.place(path))
    receiver = _receiver(scope, nat.to or "", (*path, "to"))
    if receiver is None or nat.port is None:
        return None
    host, port = receiver
    return PortForward(
        network=nat.network,
        port=nat.port,
        host=host,
        to_port=port or nat.port,
        protocol=nat.protocol,
        place=scope.place(path),
    )


def _receiver(scope: Scope, text: str, path: KeyPath) -> tuple[str, int | None] | None:
    """The machine behind HOST:PORT, HOST being a host, a target, or the address of one."""
    try:
        address = parse_address(text, port_required=False)
    except AddressError as error:
        scope.error(Code.BAD_ADDRESS, str(error), path, error.suggestion)
        return None
    if not isinstance(address, Endpoint) or address.host is None:
        scope.error(Code.BAD_ADDRESS, f"{quoted(text)} names no host", path, "write HOST:PORT")
        return None
    name = _owner(scope, address.host) or address.host
    machine = scope.machine(name)
    if machine is None and name not in scope.targets:
        scope.known("host", name, scope.hosts | scope.targets, path)
    return (machine, address.port) if machine is not None else None


def _owner(scope: Scope, text: str) -> str | None:
    """The one host that has this address."""
    ip = parse_ip(text)
    if ip is None:
        return None
    draft = scope.draft
    machines = {**draft.clients, **draft.firewalls, **draft.servers, **draft.targets}
    owners = [name for name, host in machines.items() if any(ip in addresses for addresses in host.networks.values())]
    return owners[0] if len(owners) == 1 else None
