"""What would be lost if hosts were gone: the file is planned as it is and without them, and the plans are compared.

Without a host means without its machine: its addresses, its names, its servers with all their accounts, its rules.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from orchestra.errors import UsageError
from orchestra.graph import compile_world
from orchestra.model.address import AddressError, Endpoint, parse_address, parse_ip
from orchestra.model.frozen import dataclass
from orchestra.model.topology import Host
from orchestra.planning.client import choose_client
from orchestra.planning.context import make_context
from orchestra.planning.elsewhere import held_by, offered_elsewhere
from orchestra.planning.explaining.expect import check_expectations
from orchestra.planning.plan import make_plan
from orchestra.planning.sessions import search

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from orchestra.diagnostics import Diagnostic
    from orchestra.model.plan import Dial, Plan, PlannedTunnel
    from orchestra.model.topology import Expectation, Topology, Tunnel
    from orchestra.plugin.vocabulary import Vocabulary

ImpactVerdict: TypeAlias = Literal["lost", "rerouted", "untouched", "unreachable", "gained"]
"""``unreachable``: it has no path with them, either; ``gained``: it has one only without them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelImpact:
    """One tunnel with and without the hosts. ``after`` is None when it cannot even be asked for without them."""

    name: str
    verdict: ImpactVerdict
    before: PlannedTunnel
    after: PlannedTunnel | None = None
    reason: str | None = None
    """Why it is lost."""
    listed: bool = False
    """Its other path is one of the alternatives in the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What becomes of a topology without some hosts. Tunnels by name, each as its own client sees it."""

    topology: str
    client: str
    without: tuple[str, ...]
    """As asked, sorted."""
    gone: tuple[str, ...]
    """These, and the other accounts of their machines."""
    tunnels: tuple[TunnelImpact, ...]
    expectations: tuple[Diagnostic, ...]
    """The expectations that hold as it is, that name none of the hosts, and that fail without them."""
    servers: tuple[str, ...]
    """The servers that the client can no longer have a session to; none when it is gone itself."""

    @property
    def loses(self) -> bool:
        """Whether a tunnel is lost, or an expectation fails."""
        return bool(self.expectations) or any(each.verdict == "lost" for each in self.tunnels)


def impact(
    topology: Topology, without: Collection[str], *, client: str | None = None, vocabulary: Vocabulary
) -> Impact:
    """Compares the plans with and without some hosts.

    Raises UsageError for a host or client that does not exist, TopologyInvalid when it is not clear which client is
    here.
    """
    here = choose_client(topology, client)
    gone = _machines(topology, here, without)
    reasons = {
        name: why for name, tunnel in topology.tunnels.items() if (why := _severed(topology, here, tunnel, gone))
    }
    rest = _rest(topology, gone, reasons)
    before = _planned(topology, here, vocabulary)
    after = _planned(rest, here, vocabulary)
    return Impact(
        topology=topology.name,
        client=here,
        without=tuple(sorted(set(without))),
        gone=tuple(sorted(gone)),
        tunnels=tuple(_tunnel(name, before[name], after.get(name), reasons.get(name)) for name in sorted(before)),
        expectations=_broken(topology, rest, gone, client, vocabulary),
        servers=() if here in gone else _out_of_reach(topology, rest, here, vocabulary),
    )


def _machines(topology: Topology, here: str, without: Collection[str]) -> frozenset[str]:
    for name in without:
        if name not in topology.hosts:
            near = difflib.get_close_matches(name, topology.hosts, 1)
            known = f"did you mean {near[0]!r}?" if near else f"its hosts are {', '.join(sorted(topology.hosts)[:12])}"
            raise UsageError(f"{topology.file} has no host {name!r}: {known}")
    world = compile_world(topology, here)
    machines = {world.machine(name) for name in without}
    return frozenset(name for name in topology.hosts if world.machine(name) in machines)


def _rest(topology: Topology, gone: frozenset[str], lost: Collection[str]) -> Topology:
    """The topology without them. Their names stay, as hosts of which nothing is left, so that all others resolve."""
    shells = {name: Host(name=name, kind=topology.hosts[name].kind, place=topology.hosts[name].place) for name in gone}
    tunnels = {name: tunnel for name, tunnel in topology.tunnels.items() if name not in lost}
    return replace(topology, hosts={**topology.hosts, **shells}, tunnels=tunnels)


def _severed(topology: Topology, here: str, tunnel: Tunnel, gone: frozenset[str]) -> str | None:
    """Why a tunnel makes no sense without the hosts: it names one of them, or is held or served by one."""
    target = topology.targets.get(tunnel.to or "")
    parts = (
        (held_by(topology, here, tunnel), "which holds it"),
        (tunnel.from_, "which uses it"),
        (tunnel.at, "where it is entered"),
        (
            target.host if target else None,
            "the machine of its target" if target and target.host != target.name else "its target",
        ),
        (tunnel.exit, "its `exit`"),
        *((name, "which it has to pass (`via`)") for name in tunnel.via),
    )
    return next((_is_gone(name, what) for name, what in parts if name in gone), None)


def _is_gone(name: str | None, what: str) -> str:
    return f"{name}, {what}, is gone"


# -- plans ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Way:
    """A tunnel of a plan, with every dial that it takes, and what stands against it."""

    tunnel: PlannedTunnel
    dials: tuple[Dial | None, ...]
    problems: tuple[str, ...]


def _planned(topology: Topology, here: str, vocabulary: Vocabulary) -> dict[str, _Way]:
    """Every tunnel, as the client sees it that holds it."""
    held: dict[str, list[str]] = {}
    for name, tunnel in topology.tunnels.items():
        held.setdefault(held_by(topology, here, tunnel) or here, []).append(name)
    ways: dict[str, _Way] = {}
    for holder, names in held.items():
        asked = holder if topology.clients else None
        plan = make_plan(topology, client=asked, vocabulary=vocabulary, tunnels=names)
        ways.update((tunnel.name, _way(plan, tunnel)) for tunnel in plan.tunnels)
    return ways


def _way(plan: Plan, tunnel: PlannedTunnel) -> _Way:
    sessions = {session.id: session.dial for session in plan.sessions}
    dials = (*(sessions[id_] for id_ in tunnel.sessions), tunnel.user, tunnel.dial)
    said = (d.message for d in plan.diagnostics if d.tunnel == tunnel.name and d.severity == "error")
    return _Way(tunnel, dials, tuple(said))


def _tunnel(name: str, before: _Way, after: _Way | None, severed: str | None) -> TunnelImpact:
    found = TunnelImpact(name=name, verdict="lost", before=before.tunnel, after=after.tunnel if after else None)
    passes = after is not None and after.tunnel.verdict == "reachable"
    if before.tunnel.verdict != "reachable":
        return replace(found, verdict="gained" if passes else "unreachable")
    if after is None or not passes:
        return replace(found, reason=severed or _no_other(after.problems if after else ()))
    if after.dials == before.dials and after.tunnel.listen == before.tunnel.listen:
        return replace(found, verdict="untouched")
    listed = after.tunnel.path in [each.path for each in before.tunnel.alternatives]
    return replace(found, verdict="rerouted", listed=listed)


def _no_other(problems: Sequence[str]) -> str:
    more = f" (and {len(problems) - 1} more in the way)" if len(problems) > 1 else ""
    return f"no other path: {problems[0]}{more}" if problems else "no other path"


def _out_of_reach(topology: Topology, rest: Topology, here: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The servers that are left, and to which no session can be brought without the others."""
    before, after = (
        search(make_context(each, here, vocabulary, offered_elsewhere(each, here))) for each in (topology, rest)
    )
    return tuple(sorted(name for name in before if name not in after and rest.hosts[name].server is not None))


# -- expectations -----------------------------------------------------------------------------------------------------


def _broken(
    topology: Topology, rest: Topology, gone: frozenset[str], client: str | None, vocabulary: Vocabulary
) -> tuple[Diagnostic, ...]:
    """What fails without the hosts and not with them."""
    kept = tuple(each for each in topology.expectations if gone.isdisjoint(_named(topology, each)))
    before, after = (
        check_expectations(replace(each, expectations=kept), client=client, vocabulary=vocabulary)
        for each in (topology, rest)
    )
    failing = {each.place for each in before}
    return tuple(replace(each, suggestion=None) for each in after if each.place not in failing)


def _named(topology: Topology, expectation: Expectation) -> Iterator[str]:
    """The hosts that an expectation is about."""
    yield from (expectation.from_, *expectation.via)
    if expectation.to in topology.targets:
        yield topology.targets[expectation.to].host
        return
    yield expectation.to
    try:
        address = parse_address(expectation.to)
    except AddressError:
        return
    if isinstance(address, Endpoint) and address.host is not None:
        yield address.host
        literal = parse_ip(address.host)
        yield from (
            host.name for host in topology.hosts.values() for each in host.attachments if literal in each.addresses
        )
