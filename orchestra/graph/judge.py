"""The dial verdict: can this host dial this address, whom does it mean there, and what decides.

The flow is walked as the packets go: from the dialer along the way, through every firewall on it, to the host that
the address means. Each filter judges the flow as it is at that point. A denied flow is walked to its end all the
same, so that everything that would have to change is known.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from orchestra.diagnostics import Code
from orchestra.graph.addresses import Dialer, Meaning, Party, meaning, networks_holding
from orchestra.graph.filters import Flow, deciding_rule, filter_of
from orchestra.graph.nat import handed_to, masquerade, own_party, port_forward
from orchestra.graph.routes import BadRoute, Hop, circle_between, firewalls_on, next_hop
from orchestra.graph.world import canonical
from orchestra.model.address import parse_ip
from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.diagnostics import Place
    from orchestra.graph.filters import FilterKind
    from orchestra.graph.world import World
    from orchestra.model.address import IPAddress
    from orchestra.model.topology import PortForward, Rule

StepKind: TypeAlias = Literal["own", "network", "rules", "inbound", "nat", "hidden", "hairpin", "assumed", "stuck"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that a dial meets on its way."""

    kind: StepKind
    at: str
    passes: bool = True
    flow: Flow | None = None
    rule: Rule | None = None
    entry: PortForward | None = None
    place: Place | None = None
    code: Code | None = None
    detail: str = ""

    @property
    def permission(self) -> bool:
        """Whether it is a filter, which one more rule would change."""
        return self.kind in ("rules", "inbound")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict on one dial. ``means`` is None when the file declares nobody there; ``port`` is that at its end."""

    dialer: Dialer
    host: str
    port: int
    protocol: str
    means: str | None
    means_port: int
    steps: tuple[Step, ...]
    address: IPAddress | None = None
    """The address at its end; None when it is not known."""

    @property
    def passes(self) -> bool:
        """Whether everything on the way lets it pass."""
        return all(step.passes for step in self.steps)

    @property
    def denials(self) -> tuple[Step, ...]:
        """Everything that stops it, in the order of the way."""
        return tuple(step for step in self.steps if not step.passes)

    @property
    def assumed(self) -> tuple[Code, ...]:
        """What was believed rather than read."""
        return tuple(step.code for step in self.steps if step.kind == "assumed" and step.code)

    @property
    def firewalls(self) -> tuple[str, ...]:
        """The firewalls that it passes."""
        return tuple(step.at for step in self.steps if step.kind == "rules")


def judge(
    world: World, dialer: Dialer, host: str, port: int, protocol: str = "tcp", *, meant: str | None = None
) -> Judgement:
    """Judges one dial of the text ``host``.

    A name may have several addresses: the first that passes decides, else the one with the fewest denials.
    ``meant``: see :func:`orchestra.graph.addresses.meaning`.
    """
    found = meaning(world, dialer, host, meant)
    if found.itself or not found.parties:
        return _unwalked(world, dialer, host, port, protocol, found, meant)
    assumed = _assumption(dialer, host, found)
    walks = []
    for party in found.parties:
        walked = _Walk(world, dialer, port, protocol, party).run()
        judgement = Judgement(
            dialer=dialer,
            host=host,
            port=port,
            protocol=protocol,
            means=walked.destination.host,
            means_port=walked.port,
            address=walked.destination.address,
            steps=(*walked.steps, *assumed),
        )
        if judgement.passes:
            return judgement
        walks.append(judgement)
    return min(walks, key=lambda each: len(each.denials))


def believed(dialer: Dialer, host: str, port: int, protocol: str, means: str | None) -> Judgement:
    """A dial that no declared network carries and that is believed to work all the same."""
    code = Code.ASSUMED_REACHABLE if parse_ip(host) else Code.ASSUMED_NAME_RESOLVES
    step = Step(kind="assumed", at=str(dialer), code=code, detail=host)
    return Judgement(
        dialer=dialer, host=host, port=port, protocol=protocol, means=means, means_port=port, steps=(step,)
    )


def _assumption(dialer: Dialer, host: str, found: Meaning) -> tuple[Step, ...]:
    if found.assumed is None:
        return ()
    return (Step(kind="assumed", at=str(dialer), code=found.assumed, detail=host),)


def _unwalked(
    world: World, dialer: Dialer, host: str, port: int, protocol: str, found: Meaning, meant: str | None
) -> Judgement:
    """A dial that never leaves the dialer, or that does not know where to go."""
    steps: tuple[Step, ...]
    if found.itself:
        steps = (Step(kind="own", at=str(dialer), detail=host), *_assumption(dialer, host, found))
        means = dialer.host
    else:
        bearers = _bearers(world, host, meant)
        means = bearers[0] if len(bearers) == 1 else meant
        steps = (_nowhere(world, dialer, host, found, meant),)
    return Judgement(dialer=dialer, host=host, port=port, protocol=protocol, means=means, means_port=port, steps=steps)


def _nowhere(world: World, dialer: Dialer, host: str, found: Meaning, meant: str | None) -> Step:
    if found.code is Code.AMBIGUOUS_ADDRESS:
        detail = _ambiguity(dialer, host, found)
        return Step(kind="stuck", at=str(dialer), passes=False, code=found.code, detail=detail)
    targets = {name: None for bearer in _bearers(world, host, meant) for name in world.networks_of(bearer)}
    for target in targets:
        if circle := circle_between(world, dialer.host, dialer.networks, target):
            return _round(world, str(dialer), circle, target)
    return no_way(world, dialer, " or ".join(targets) or "no network")


def _ambiguity(dialer: Dialer, host: str, found: Meaning) -> str:
    if parse_ip(host) is None:
        return f"to {dialer}, {host} is a name of {' and of '.join(found.networks)}"
    own = [name for name in found.networks if name in dialer.networks]
    where = f"on {' and '.join(own)}" if own else "on none of them"
    return f"{host} may be on {' or '.join(found.networks)}, and {dialer} is {where}"


def _bearers(world: World, host: str, meant: str | None) -> tuple[str, ...]:
    """Whom a text that leads nowhere is for: whom the file intends with it, else who bears that name."""
    if meant is not None and meant in world.hosts:
        return (meant,)
    return tuple(sorted({name for name, _ in world.names.get(canonical(host), ())}))


def _round(world: World, at: str, circle: tuple[str, ...], target: str) -> Step:
    place = world.topology.place_of("firewalls", circle[0], "route", target)
    detail = f"the way to {target} goes round in a circle: {' → '.join(circle)}"
    return Step(kind="stuck", at=at, passes=False, code=Code.NO_ROUTE_DECLARED, detail=detail, place=place)


def no_way(world: World, dialer: Dialer, networks: str) -> Step:
    """The step that says that nothing declared leads from the dialer to the networks."""
    routers = sorted({name for network in dialer.networks for name in firewalls_on(world, network)})
    where = f"is on {', '.join(dialer.networks)}" if dialer.networks else "is on no network"
    if routers:
        none = f"neither {' nor '.join(routers)} leads" if len(routers) > 1 else f"{routers[0]} does not lead"
        detail = f"{dialer} {where}, and {none} to {networks}"
        return Step(kind="stuck", at=str(dialer), passes=False, code=Code.NO_ROUTE_DECLARED, detail=detail)
    detail = f"{dialer} {where}; no network and no firewall joins it to {networks}"
    return Step(kind="stuck", at=str(dialer), passes=False, code=Code.NO_SHARED_NETWORK, detail=detail)


class _Walk:
    """A flow on its way; ``run`` walks it to its end."""

    def __init__(self, world: World, dialer: Dialer, port: int, protocol: str, destination: Party) -> None:
        self.world = world
        self.dialer = dialer
        self.at, self.networks = dialer.host, dialer.networks
        self.source: Party | None = None
        self.destination = destination
        self.port = port
        self.protocol = protocol
        self.version = destination.address.version if destination.address else None
        self.steps: list[Step] = []

    @property
    def flow(self) -> Flow:
        source = self.source or Party(self.dialer.host, None, None)
        return Flow(source, self.destination, self.port, self.protocol)

    def run(self) -> _Walk:
        met: set[tuple[str | None, Flow]] = set()
        while (self.at, self.flow) not in met:
            met.add((self.at, self.flow))
            target = self.destination.network
            if target is None:  # nobody knows where it is: believed
                return self
            if self._mistakes(target):
                return self
            if target in self.networks:
                link, receiver = target, self.destination.host
            else:
                hop = next_hop(self.world, self.at, self.networks, target)
                if not isinstance(hop, Hop):
                    return self._stuck(hop, target)
                link, receiver = hop.link, hop.firewall
            self._leave(link)
            if receiver is None or self._arrive(receiver, link):
                return self
            self.at, self.networks = receiver, tuple(self.world.attached[receiver])
        return self._turning(self.destination.network or "")

    def _turning(self, target: str) -> _Walk:
        """Back where it was with nothing changed."""
        circle = circle_between(self.world, self.at, self.networks, target)
        if circle:
            self.steps.append(_round(self.world, self.at or str(self.dialer), circle, target))
        else:
            self._add("stuck", False, Code.NO_ROUTE_DECLARED, "the way goes round in a circle of port forwards")
        return self

    def _add(self, kind: StepKind, passes: bool = True, code: Code | None = None, detail: str = "") -> None:
        self.steps.append(
            Step(kind=kind, at=self.at or str(self.dialer), passes=passes, code=code, detail=detail, flow=self.flow)
        )

    def _mistakes(self, target: str) -> bool:
        """Whether who hands it on takes the address for one of another network: it knows ranges, and they overlap."""
        if self.source is None:
            return False
        for holding in self._ranges(target):
            if len(holding) > 1 and [name for name in holding if name in self.networks] != [target]:
                said = self.destination.address or f"the address of {self.destination.host}"
                detail = f"{said} is on {', '.join(holding)}, and {self.at} does not know that {target} is meant"
                self._add("stuck", False, Code.AMBIGUOUS_ADDRESS, detail)
                return True
        return False

    def _ranges(self, target: str) -> Iterator[tuple[str, ...]]:
        """The networks that could hold the destination; where its address is not known, anywhere on its network."""
        cidrs = self.world.topology.networks[target].cidrs
        known = self.destination.address
        for address in (known,) if known else (cidr.network_address for cidr in cidrs):
            yield networks_holding(self.world, address)

    def _stuck(self, hop: BadRoute | None, target: str) -> _Walk:
        if hop is None:
            where = Dialer(self.at, self.networks)
            self.steps.append(no_way(self.world, where, target))
            return self
        detail = f"route of {hop.host} sends {hop.network} to {hop.firewall}, which is no firewall on its networks"
        self.steps.append(
            Step(kind="stuck", at=hop.host, passes=False, code=Code.NO_ROUTE_DECLARED, detail=detail, place=hop.place)
        )
        return self

    def _leave(self, link: str) -> None:
        """What leaves a host bears its address there; what leaves a masquerading firewall bears the firewall's."""
        self._check_family(self.at, link)
        if self.source is None:
            self.source = own_party(self.world, self.dialer.host, link, self.version)
            self._add("network", detail=link)
        elif self.at is not None and masquerade(self.world, self.at, link):
            self.source = own_party(self.world, self.at, link, self.version)

    def _check_family(self, host: str | None, link: str) -> None:
        """Who sends by a network, or passes on what comes from it, has an address of that family there."""
        declared = self.world.networks_of(host).get(link, ())
        cidrs = self.world.topology.networks[link].cidrs
        versions = {address.version for address in declared} or {cidr.version for cidr in cidrs}
        if versions and self.version is not None and self.version not in versions:
            detail = f"{host or self.dialer} has no IPv{self.version} address on {link}"
            self._add("stuck", False, Code.FAMILY_MISMATCH, detail)

    def _arrive(self, host: str, link: str) -> bool:
        """At a host that the flow reaches by ``link``; true when it goes no further."""
        self._check_source(host)
        published = False
        if self.world.same_machine(host, self.destination.host):
            entry = port_forward(self.world, host, link, self.port, self.protocol) if self._forwards(host) else None
            if entry is None or not self._translate(host, entry):
                return self._inbound(host)
            if self.destination.host == host:
                return self._inbound(host)
            published = True
        if not published and (hidden := masquerade(self.world, host, link)):
            self.steps.append(
                Step(
                    kind="hidden",
                    at=host,
                    passes=False,
                    code=Code.NAT_UNMAPPED,
                    flow=self.flow,
                    place=hidden.place,
                    detail=link,
                )
            )
        self._check_family(host, link)
        self._filter("rules", host)
        return False

    def _check_source(self, host: str) -> None:
        """A machine does not take its own address as a source from the wire (RFC 1812, 5.3.7), nor could it answer."""
        entry = next((step for step in reversed(self.steps) if step.kind == "nat"), None)
        source = self.flow.source
        if entry is None or not (
            self.world.same_machine(source.host, host) or source.address in self.world.addresses[host]
        ):
            return
        self.steps.append(
            replace(entry, kind="hairpin", passes=False, code=Code.NAT_HAIRPIN, flow=self.flow, detail=host)
        )

    def _forwards(self, host: str) -> bool:
        return self.world.hosts[host].forwards

    def _translate(self, host: str, entry: PortForward) -> bool:
        """Destination nat; false when the entry has nobody to hand this family to."""
        party = handed_to(self.world, host, entry, self.version)
        if party is None:
            return False
        self.steps.append(Step(kind="nat", at=host, flow=self.flow, entry=entry, place=entry.place))
        self.destination, self.port = party, entry.to_port
        return True

    def _inbound(self, host: str) -> bool:
        if self.world.hosts[host].inbound is not None:
            self._filter("inbound", host)
        return True

    def _filter(self, kind: FilterKind, host: str) -> None:
        flow = self.flow
        rule = deciding_rule(self.world, filter_of(self.world, host, kind), flow)
        passes = rule is not None and rule.action == "allow"
        place = rule.place if rule else self._place(host, kind)
        code = None if passes else _denied(kind, rule)
        self.steps.append(Step(kind=kind, at=host, passes=passes, flow=flow, rule=rule, place=place, code=code))

    def _place(self, host: str, kind: str) -> Place | None:
        section = f"{self.world.hosts[host].kind}s"
        return self.world.topology.place_of(section, host, kind) or self.world.hosts[host].place


def _denied(kind: StepKind, rule: Rule | None) -> Code:
    if kind == "inbound":
        return Code.INBOUND_DENY
    return Code.FIREWALL_DENY_RULE if rule else Code.FIREWALL_DEFAULT_DENY
