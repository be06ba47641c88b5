"""What nothing of the file uses: rules, servers, targets. Everything is planned as its own clients see it, with all
alternatives, so that what stands by is in use too."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code, Diagnostic, in_file_order
from orchestra.errors import UsageError
from orchestra.graph.reasons import rule_text
from orchestra.model.address import LOCALHOST
from orchestra.planning.dials import attempt
from orchestra.planning.elsewhere import held_by
from orchestra.planning.explaining.explain import any_client, explain_on
from orchestra.planning.explaining.question import Ground
from orchestra.planning.plan import plan_tunnels
from orchestra.planning.reach import places_worth_trying
from orchestra.planning.services import target_service
from orchestra.planning.sessions import search
from orchestra.planning.tunnels import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestra.diagnostics import Place
    from orchestra.model.plan import Dial, Plan, PlannedTunnel
    from orchestra.model.topology import Host, Rule, Target, Topology, Tunnel
    from orchestra.plugin.vocabulary import Vocabulary

MOST = 20_000
"""Tunnels, each for every client that may hold it, up to which a file is looked at."""


@dataclass(slots=True)
class Used:
    """What tunnels and expectations rest on."""

    places: set[Place | None] = field(default_factory=set)
    """The lines that decide."""
    hosts: set[str] = field(default_factory=set)
    targets: set[str] = field(default_factory=set)
    """Those that some tunnel reaches, or that an expectation calls unreachable."""

    def add_dial(self, dial: Dial | None) -> None:
        """A dial of a plan, with the rules that let it pass."""
        if dial is not None:
            self.places.update(reason.place for reason in dial.reasons)

    def add_tunnel(self, tunnel: PlannedTunnel) -> None:
        """A tunnel: of one without a path everything on the path that is shown."""
        for dial in (tunnel.dial, tunnel.user, *tunnel.blocked, *(each.dial for each in tunnel.alternatives)):
            self.add_dial(dial)
        self.hosts.update(tunnel.path)
        if tunnel.verdict == "reachable" and tunnel.spec.to is not None:
            self.targets.add(tunnel.spec.to)


def unused_parts(
    topology: Topology, *, vocabulary: Vocabulary, said: Iterable[Diagnostic] = ()
) -> tuple[Diagnostic, ...]:
    """RULE_UNUSED, SERVER_UNUSED and TARGET_UNREACHED, and LISTEN_EXPOSED as an info: the file says so itself.

    What stands at a place where something is said already is left out. Nothing is said of a file without tunnels.
    """
    topology = _with_failover(topology)
    held = _held(topology)
    if not held or sum(map(len, held.values())) > MOST:
        return ()
    ground = Ground(topology, any_client(topology, None), vocabulary)
    plans = [plan_tunnels(ground.seen_from(here), tunnels) for here, tunnels in held.items()]
    used = _used(ground, plans)
    known = {each.place for each in said}
    exposed = (d for plan in plans for d in plan.diagnostics if d.code is Code.LISTEN_EXPOSED)
    found = (
        *_unused_rules(topology, used),
        *_unused_servers(topology, used),
        *_unreached_targets(ground, used),
        *(replace(each, severity="info") for each in exposed),
    )
    return in_file_order(each for each in found if each.place is None or each.place not in known)


def _with_failover(topology: Topology) -> Topology:
    """So that the plans have the sessions of every alternative."""
    return replace(topology, tunnels={name: replace(t, failover=True) for name, t in topology.tunnels.items()})


def _held(topology: Topology) -> dict[str, list[Tunnel]]:
    """Client to the tunnels that it holds; those of which nobody says so may be any client's."""
    held = {
        here: [tunnel for _, tunnel in sorted(topology.tunnels.items()) if held_by(topology, here, tunnel) == here]
        for here in topology.clients or (LOCALHOST,)
    }
    return {here: tunnels for here, tunnels in held.items() if tunnels}


def _used(ground: Ground, plans: Iterable[Plan]) -> Used:
    used = Used()
    for plan in plans:
        for session in plan.sessions:
            used.add_dial(session.dial)
            used.hosts.add(session.server)
        for tunnel in plan.tunnels:
            used.add_tunnel(tunnel)
    for expected in ground.topology.expectations:
        if expected.verdict == "unreachable":
            used.targets.add(expected.to)
            continue
        try:
            found = explain_on(ground, expected.from_, expected.to, via=expected.via, direct=expected.direct)
        except UsageError:  # it is said that the expectation fails
            continue
        used.places.update(check.place for leg in found.legs for check in leg.checks)
        used.hosts.update(found.path)
    return used


def _unused_rules(topology: Topology, used: Used) -> Iterator[Diagnostic]:
    for host in topology.hosts.values():
        for what, rules in ((host.name, host.rules), (f"inbound of {host.name}", host.inbound or ())):
            yield from (
                _unused_rule(topology, what, rule)
                for rule in rules
                if rule.action == "allow" and rule.place is not None and rule.place not in used.places
            )


def _unused_rule(topology: Topology, what: str, rule: Rule) -> Diagnostic:
    nor = ", nor an expectation" if topology.expectations else ""
    return Diagnostic(
        code=Code.RULE_UNUSED,
        severity="info",
        message=f"no tunnel of this file needs {rule_text(rule)} of {what}{nor}",
        place=rule.place,
    )


def _unused_servers(topology: Topology, used: Used) -> Iterator[Diagnostic]:
    needed = used.hosts.union(*(_about(target) for target in topology.targets.values()))
    for name, host in sorted(topology.hosts.items()):
        if host.kind == "server" and not host.implied and name not in needed:
            yield _unused_server(host)


def _about(target: Target) -> tuple[str, ...]:
    return (target.host, *target.behind)


def _unused_server(host: Host) -> Diagnostic:
    return Diagnostic(
        code=Code.SERVER_UNUSED,
        severity="info",
        message=f"no tunnel of this file goes through {host.name}, not as an alternative either",
        place=host.place,
        path=f"servers.{host.name}",
    )


def _unreached_targets(ground: Ground, used: Used) -> Iterator[Diagnostic]:
    clients = ground.topology.clients or (LOCALHOST,)
    for name, target in sorted(ground.topology.targets.items()):
        if name not in used.targets and not any(_reaches(ground, client, target) for client in clients):
            yield _unreached_target(ground.topology, target)


def _unreached_target(topology: Topology, target: Target) -> Diagnostic:
    client = next(iter(topology.clients), LOCALHOST)
    meant = f"; if that is meant, write `expect: [{{from: {client}, to: {target.name}, verdict: unreachable}}]`"
    return Diagnostic(
        code=Code.TARGET_UNREACHED,
        severity="warning",
        message=f"no client of this file reaches {target.name} by any path",
        place=target.place,
        path=f"targets.{target.name}",
        suggestion=f"`orchestra explain {topology.file} {client} {target.name}` says what is in the way"
        + (meant if topology.clients else ""),
    )


def _reaches(ground: Ground, client: str, target: Target) -> bool:
    """Whether here, or a server that a session can be brought to, can dial it."""
    context = ground.seen_from(client)
    service = target_service(context, target)
    near = within(search(context), places_worth_trying(context, service))
    return any(attempt(context, place, service).passes for place, _ in near)
