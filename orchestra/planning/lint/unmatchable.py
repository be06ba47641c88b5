"""Rules that nothing in this topology can match, wherever they stand in their list: no way leads there, or a filter
never sees such a packet.

A firewall's rules see what passes through it: what is addressed to it meets its ``inbound``, and what stays on one
network passes no firewall. Ways are those of :mod:`orchestra.graph.routes`. Where it cannot be told, nothing is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.diagnostics import Code, Diagnostic
from orchestra.graph import Party, dialer_at, guest_of
from orchestra.graph.addresses import networks_holding, selects
from orchestra.graph.memo import remembered
from orchestra.graph.nat import nat_table
from orchestra.graph.reasons import rule_text
from orchestra.graph.routes import firewalls_between, firewalls_on
from orchestra.model.topology import Rule, Selector
from orchestra.planning.lint.regions import Regions, cidrs_of, is_held

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestra.graph import Dialer, World
    from orchestra.model.address import IPAddress
    from orchestra.model.topology import Host

PAIRS = 400
"""Ways that are followed for one rule."""
NETWORKS = 400
"""Networks up to which ways through several firewalls are followed: each takes a search of the whole file."""
ANY = Selector(kind="any", text="any")
ANYTHING = Rule(action="allow", sources=(ANY,), destinations=(ANY,), protocol="any")


def unmatchable_rules(world: World) -> Iterator[Diagnostic]:
    """Every such rule. A deny is worth a warning, since it protects nothing; an allow only allows nothing."""
    for host in world.hosts.values():
        if host.rules and not _may_pass(world, host.name, ANYTHING):
            yield _idle(world, host)
        for rule, why, hint in never_passing(world, host):
            yield _unmatchable(host.name, rule, why, hint)
        for rule, why, hint in never_arriving(world, host):
            yield _unmatchable(f"inbound of {host.name}", rule, why, hint)


def _idle(world: World, host: Host) -> Diagnostic:
    return Diagnostic(
        code=Code.RULE_UNMATCHABLE,
        severity="info",
        message=f"no rule of {host.name} ever matches: no way leads through it",
        place=world.topology.place_of("firewalls", host.name, "rules") or host.place,
        suggestion="of several firewalls between two networks the first by name is taken, or the one in `route`",
    )


def _unmatchable(what: str, rule: Rule, why: str, hint: str | None) -> Diagnostic:
    return Diagnostic(
        code=Code.RULE_UNMATCHABLE,
        severity="warning" if rule.action == "deny" else "info",
        message=f"{rule_text(rule)} of {what} never matches: {why}",
        place=rule.place,
        suggestion=hint,
    )


def never_passing(world: World, host: Host) -> Iterator[tuple[Rule, str, str | None]]:
    """The rules of a firewall that match nothing of what passes through it, why, and what to do."""
    if not host.rules:
        return
    regions, on_ways = Regions(world, host.rules), _may_pass(world, host.name, ANYTHING)
    for position, rule in enumerate(host.rules):
        if not regions.packets(position):
            yield rule, _FAMILIES, None
        elif all(_is(world, each, host.name) for each in rule.destinations):
            hint = f"write it in `inbound` of {host.name}"
            yield rule, f"what is addressed to {host.name} itself meets its `inbound`, not its rules", hint
        elif all(_is(world, each, host.name) for each in rule.sources):
            yield rule, f"{host.name} does not filter what it sends itself", None
        elif on_ways and not _may_pass(world, host.name, rule):
            yield rule, f"no way from {_texts(rule.sources)} to {_texts(rule.destinations)} leads through it", None


def _texts(selectors: tuple[Selector, ...]) -> str:
    return " or ".join("anywhere" if each.kind == "any" else each.text for each in selectors)


_FAMILIES = "`from` and `to` have no address of one family, IPv4 or IPv6"


def never_arriving(world: World, host: Host) -> Iterator[tuple[Rule, str, str | None]]:
    """The rules of a host's own filter that match nothing of what is addressed to it, why, and what to do."""
    if not host.inbound:
        return
    regions = Regions(world, host.inbound)
    for position, rule in enumerate(host.inbound):
        if not regions.packets(position):
            yield rule, _FAMILIES, None
        elif not any(_may_be(world, each, host.name) for each in rule.destinations):
            yield rule, f"`inbound` sees only what is addressed to {host.name}", f"write `to: {host.name}`, or any"
        elif all(_is(world, each, host.name) for each in rule.sources):
            yield rule, f"{host.name} does not filter what it dials on itself", None


def _is(world: World, selector: Selector, host: str) -> bool:
    """Whether a selector can mean nobody but a host: rules compare addresses, which may exist at two sites."""
    own = world.addresses[host]
    if selector.kind == "cidr" and selector.cidr is not None:
        return selector.cidr.num_addresses == 1 and _alone(world, selector.cidr[0], own)
    meant = world.addresses.get(selector.name or "", frozenset())
    return (
        selector.kind == "host"
        and all(_alone(world, each, own) for each in meant)
        and (bool(meant) or selector.name == host)
    )


def _alone(world: World, address: IPAddress, own: frozenset[IPAddress]) -> bool:
    return address in own and len(networks_holding(world, address)) < 2


def _may_be(world: World, selector: Selector, host: str) -> bool:
    """Whether a selector may mean a host at one of its addresses, known or not."""
    parties = [
        Party(host, network, address)
        for network, addresses in world.networks_of(host).items()
        for address in addresses or (None,)
    ]
    unknown = any(party.address is None for party in parties) or not parties
    return unknown or any(selects(world, selector, party) for party in parties) or _is_machine(world, selector, host)


def _is_machine(world: World, selector: Selector, host: str) -> bool:
    return selector.kind == "host" and world.same_machine(selector.name, host)


# -- ways -------------------------------------------------------------------------------------------------------------


def _may_pass(world: World, firewall: str, rule: Rule) -> bool:
    """Whether a packet of the rule may pass the firewall on its way. True also when it takes too long to tell."""
    own = world.attached[firewall]
    near = [name for name in own if _may_hold(world, name, rule.sources)]
    if any(_joins(world, firewall, one, to) for to in own if _may_hold(world, to, rule.destinations) for one in near):
        return True
    if len(world.topology.networks) > NETWORKS or _published(world, rule):
        return True
    targets = _networks(world, rule.destinations)
    for number, (dialer, target) in enumerate((d, t) for d in _dialers(world, firewall, rule) for t in targets):
        if number == PAIRS or firewall in (firewalls_between(world, dialer.host, dialer.networks, target) or ()):
            return True
    return False


def _joins(world: World, firewall: str, one: str, other: str) -> bool:
    """Whether it is what joins two of its own networks: of several firewalls the first by name."""
    if one == other:
        return False
    fewer, beyond = min(
        (firewalls_on(world, one), other), (firewalls_on(world, other), one), key=lambda each: len(each[0])
    )
    return next(name for name in fewer if beyond in world.attached[name]) == firewall


def _dialers(world: World, firewall: str, rule: Rule) -> Iterator[Dialer]:
    """Who may send it: an unnamed host of each network stands for all there that have no routes of their own."""
    yield from map(guest_of, _networks(world, rule.sources))
    for name in _routing(world):
        if name != firewall and any(_may_be(world, each, name) for each in rule.sources):
            yield dialer_at(world, name)


@remembered
def _routing(world: World) -> tuple[str, ...]:
    """The hosts that choose ways otherwise than their networks do."""
    return tuple(name for name, host in world.hosts.items() if host.forwards or host.route)


def _published(world: World, rule: Rule) -> bool:
    """Whether it may be met by what some firewall's nat hands on, which takes ways of its own."""
    return any(
        _may_be(world, each, host)
        for host in nat_table(world).published & world.hosts.keys()
        for each in rule.destinations
    )


def _networks(world: World, selectors: Iterable[Selector]) -> dict[str, None]:
    """The networks that may hold an address that the selectors match."""
    found: dict[str, None] = {}
    for each in selectors:
        found |= _networks_of(world, each)
    return found


@remembered
def _networks_of(world: World, selector: Selector) -> dict[str, None]:
    return dict.fromkeys(name for name in sorted(world.topology.networks) if _may_meet(world, name, selector))


def _may_hold(world: World, network: str, selectors: Iterable[Selector]) -> bool:
    """Whether an address on a network may be one that the selectors match."""
    return any(_may_meet(world, network, each) for each in selectors)


def _may_meet(world: World, network: str, selector: Selector) -> bool:
    held = world.topology.networks[network].cidrs
    if selector.kind == "any":
        return True
    if selector.kind == "host":
        known = world.addresses.get(selector.name or "", frozenset())
        return network in world.networks_of(selector.name) or any(each in cidr for cidr in held for each in known)
    cidrs = cidrs_of(world, selector)
    if cidrs and held:
        return any(one.version == two.version and one.overlaps(two) for one in cidrs for two in held)
    # without cidr it holds what no other network does, and the addresses that its hosts are said to have there
    return not held and (not cidrs or _strays(world) or any(not is_held(world, each) for each in cidrs))


@remembered
def _strays(world: World) -> bool:
    """Whether a host on a network without cidr has an address that another network holds."""
    known = (each.get(name, ()) for each in world.attached.values() for name in world.open_networks)
    return any(networks_holding(world, a) != world.open_networks for each in known for a in each)
