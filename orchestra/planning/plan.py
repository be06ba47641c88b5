"""(topology, here) to plan. No clock, no network, no randomness, whatever the order of the file's keys."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestra.diagnostics import Diagnostic, in_file_order
from orchestra.errors import UsageError
from orchestra.model.frozen import dataclass
from orchestra.model.garbage import collector_off
from orchestra.model.plan import Alternative, Origin, Plan, PlannedSession, PlannedTunnel
from orchestra.planning.alternatives import MOST, Other, others
from orchestra.planning.client import choose_client
from orchestra.planning.conflicts import listen_conflicts
from orchestra.planning.context import make_context
from orchestra.planning.dials import as_dial
from orchestra.planning.elsewhere import held_by, no_holder, offered_elsewhere
from orchestra.planning.notes import no_other_path, notes_of
from orchestra.planning.sessions import hop
from orchestra.planning.tunnels import Request, Solution, make_request, solve

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from orchestra.model.plan import Direction
    from orchestra.model.topology import Host, Topology, Tunnel
    from orchestra.planning.context import Context
    from orchestra.plugin.vocabulary import Vocabulary

Ids = dict[tuple[str, ...], str]


def make_plan(
    topology: Topology,
    *,
    client: str | None = None,
    vocabulary: Vocabulary,
    tunnels: Collection[str] | None = None,
    profiles: Sequence[str] = (),
    free_ports: bool = False,
    alternatives: int = MOST,
) -> Plan:
    """Plans every tunnel that is asked for, seen from one client.

    ``tunnels`` restricts it to those names (by default: those without profiles, or with one of ``profiles``).
    ``free_ports``: a listen address that the file leaves out is any free port. ``alternatives``: how many further
    paths each tunnel lists at most. Raises UsageError for a client or a tunnel that does not exist, TopologyInvalid
    when it is not clear which client is here.
    """
    chosen = select(topology, tunnels, profiles)
    context = _context(topology, client, vocabulary)
    return plan_tunnels(context, chosen, free_ports=free_ports, alternatives=alternatives)


@collector_off()
def plan_tunnels(
    context: Context, tunnels: Iterable[Tunnel], *, free_ports: bool = False, alternatives: int = MOST
) -> Plan:
    """The same of a topology that is compiled already."""
    asked = _Asked(free_ports=free_ports, alternatives=alternatives)
    return _plan(context, [_plan_tunnel(context, each, asked) for each in tunnels])


def plan_connection(
    topology: Topology, text: str, *, client: str | None = None, vocabulary: Vocabulary, exit_: str | None = None
) -> Plan:
    """Plans one connection from here, as :func:`connection` understands the text: one tunnel, entered at STREAMS.

    Raises as :func:`make_plan`.
    """
    from orchestra.planning.connection import connection

    context = _context(topology, client, vocabulary)
    request = connection(context, text, exit_)
    return _plan(context, [_carry(context, request, context.here, _Asked())])


def _context(topology: Topology, client: str | None, vocabulary: Vocabulary) -> Context:
    here = choose_client(topology, client)
    return make_context(topology, here, vocabulary, offered_elsewhere(topology, here))


def _plan(context: Context, planned: list[_Settled | _Solved]) -> Plan:
    ids = _session_ids(chain for each in planned for chain in each.chains)
    finished = tuple(each.finish(ids) for each in planned)
    listeners = [(each.spec, each.listen) for each in finished if each.verdict == "reachable" and each.listen]
    notes = [note for each in planned for note in each.diagnostics]
    return Plan(
        topology=context.topology.name,
        client=context.here,
        sessions=_sessions(context, ids),
        tunnels=finished,
        diagnostics=in_file_order((*notes, *listen_conflicts(context, listeners))),
    )


def select(topology: Topology, tunnels: Collection[str] | None, profiles: Sequence[str]) -> tuple[Tunnel, ...]:
    """The tunnels that are asked for, in the order of their names: those that are named, else those without a profile;
    and those of the profiles. Raises UsageError for a name that does not exist."""
    profiled = {name for tunnel in topology.tunnels.values() for name in tunnel.profiles}
    _require(topology, "tunnel", tunnels or (), topology.tunnels)
    _require(topology, "profile", profiles, profiled)
    return tuple(
        tunnel
        for name, tunnel in sorted(topology.tunnels.items())
        if (name in tunnels if tunnels is not None else not tunnel.profiles) or set(tunnel.profiles) & set(profiles)
    )


def _require(topology: Topology, what: str, names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(known)) or 'none'}"
            raise UsageError(f"{topology.file} has no {what} {name!r}: {hint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settled:
    """A tunnel without sessions: another client holds it, or it cannot be carried."""

    tunnel: PlannedTunnel
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def chains(self) -> tuple[tuple[str, ...], ...]:
        """None."""
        return ()

    def finish(self, _ids: Ids) -> PlannedTunnel:
        """As it is."""
        return self.tunnel


@dataclass(frozen=True, slots=True, kw_only=True)
class _Solved:
    """A tunnel that can be carried, on its way into the plan: all but the ids of its sessions."""

    context: Context
    tunnel: PlannedTunnel
    solution: Solution
    further: tuple[Other, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def chains(self) -> tuple[tuple[str, ...], ...]:
        """The chains whose sessions have to be in the plan; those of alternatives when they may be used."""
        spare = self.further if self.tunnel.spec.failover else ()
        return (self.solution.entry.servers, self.solution.exit.servers, *(each.exit.servers for each in spare))

    def finish(self, ids: Ids) -> PlannedTunnel:
        """With the ids of its sessions."""
        entry, exit_ = self.solution.entry.servers, self.solution.exit.servers
        return replace(
            self.tunnel,
            listen=replace(self.solution.listen.planned, session=ids.get(entry)),
            sessions=_ids_of(ids, entry, exit_),
            entry=ids.get(entry),
            exit=ids.get(exit_),
            alternatives=tuple(self._alternative(ids, each) for each in self.further),
        )

    def _alternative(self, ids: Ids, other: Other) -> Alternative:
        known = self.tunnel.spec.failover
        return Alternative(
            path=replace(self.solution, exit=other.exit).path(self.context.here),
            sessions=_ids_of(ids, self.solution.entry.servers, other.exit.servers) if known else (),
            cost=other.exit.cost,
            exit=ids.get(other.exit.servers) if known else None,
            dial=as_dial(self.context, other.dial) if other.dial else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a plan was asked for beside its tunnels: see :func:`make_plan`."""

    free_ports: bool = False
    alternatives: int = MOST


def _plan_tunnel(context: Context, tunnel: Tunnel, asked: _Asked) -> _Settled | _Solved:
    holder = held_by(context.topology, context.here, tunnel)
    if holder is None:
        nobody = PlannedTunnel(name=tunnel.name, kind=tunnel.kind, verdict="unreachable", spec=tunnel)
        return _Settled(tunnel=nobody, diagnostics=(no_holder(context.topology, tunnel),))
    return _carry(context, make_request(context, tunnel), holder, asked)


def _carry(context: Context, request: Request, holder: str, asked: _Asked) -> _Settled | _Solved:
    tunnel = request.tunnel
    base = PlannedTunnel(
        name=tunnel.name,
        kind=tunnel.kind,
        verdict="elsewhere",
        spec=tunnel,
        protocol=request.service.protocol if request.service else "tcp",
        held_by=holder,
    )
    if holder != context.here:
        return _Settled(tunnel=base)
    solution = solve(context, request, free_ports=asked.free_ports)
    if solution is None:
        return _unreachable(context, base, request, free_ports=asked.free_ports)
    reached = replace(
        base,
        verdict="reachable",
        direction=_direction(solution.entry.servers, solution.exit.servers),
        path=solution.path(context.here),
        dial=as_dial(context, solution.dial) if solution.dial else None,
        user=as_dial(context, solution.user) if solution.user else None,
    )
    further = others(context, request, solution, asked.alternatives)
    alone = [no_other_path(request)] if tunnel.failover and asked.alternatives and not further else []
    return _Solved(
        context=context,
        tunnel=reached,
        solution=solution,
        further=further,
        diagnostics=(*notes_of(context, request, solution), *alone),
    )


def _unreachable(context: Context, base: PlannedTunnel, request: Request, *, free_ports: bool) -> _Settled:
    from orchestra.planning.explaining.blocked import explain_blocked  # most plans need none

    blocked = explain_blocked(context, request, free_ports=free_ports)
    split = blocked.path.index(context.here)
    planned = replace(
        base,
        verdict="unreachable",
        listen=blocked.entry.listen.planned if blocked.entry else None,
        direction=_direction(blocked.path[:split], blocked.path[split + 1 :]),
        path=blocked.path,
        blocked=blocked.dials,
        missing=blocked.missing,
        instead=blocked.instead,
    )
    return _Settled(tunnel=planned, diagnostics=blocked.diagnostics)


def _direction(entry: tuple[str, ...], exit_: tuple[str, ...]) -> Direction:
    if entry:
        return "bridge" if exit_ else "remote"
    return "local" if exit_ else "direct"


def _session_ids(chains: Iterable[tuple[str, ...]]) -> Ids:
    """An id for every session of the chains, parents first: the server's name, `~2` for a second way to it."""
    sessions = sorted({chain[:end] for chain in chains for end in range(1, len(chain) + 1)}, key=lambda c: (len(c), c))
    ids: Ids = {}
    taken: set[str] = set()
    for chain in sessions:
        name, number = chain[-1], 1
        while name in taken:
            number += 1
            name = f"{chain[-1]}~{number}"
        taken.add(name)
        ids[chain] = name
    return ids


def _sessions(context: Context, ids: Ids) -> tuple[PlannedSession, ...]:
    return tuple(
        PlannedSession(
            id=name,
            server=chain[-1],
            via=ids.get(chain[:-1]),
            dial=as_dial(context, hop(context, chain[-2] if len(chain) > 1 else context.here, chain[-1])),
            depth=len(chain),
            origins=_origins(context.host(chain[-1])),
        )
        for chain, name in ids.items()
    )


def _origins(host: Host) -> tuple[Origin, ...]:
    """Where the settings of a server come from, if not from the file."""
    ssh = host.server.ssh if host.server else None
    if ssh is None or ssh.config is None:
        return ()
    values = {
        name: host.behind if name == "behind" else getattr(ssh, name, None) or getattr(ssh.config, name, None)
        for name in ssh.config.origins
    }
    return tuple(Origin(name, _shown(values[name]), where) for name, where in sorted(ssh.config.origins.items()))


def _shown(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return "yes" if value else "no"
    return (
        " ".join(map(str, value)) or "none"
        if isinstance(value, tuple)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def _ids_of(ids: Ids, *chains: tuple[str, ...]) -> tuple[str, ...]:
    """Ids of every session that the chains need, parents first."""
    needed = {chain[:end] for chain in chains for end in range(1, len(chain) + 1)}
    return tuple(name for chain, name in ids.items() if chain in needed)
