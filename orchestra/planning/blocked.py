"""Why there is no path: a complete one with everything that is denied on it, and the least that would open it.

One Dijkstra with denied edges at a large weight: first the fewest denials, then a path that a session protects before
one that opens the service itself, then cost, sessions and names.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code, Diagnostic
from orchestra.planning.dials import Attempt, as_dial, attempt, problems_of
from orchestra.planning.entry import entries
from orchestra.planning.sessions import HERE, Chain, hop, search
from orchestra.planning.tunnels import solve

if TYPE_CHECKING:
    from orchestra.model.plan import Dial, Missing
    from orchestra.planning.context import Context
    from orchestra.planning.entry import Entry
    from orchestra.planning.problems import Problem
    from orchestra.planning.tunnels import Request

ENOUGH = 64
"""Servers that are considered for a blocked path in a large file: those nearest to the service."""


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """A chain with what stands against it, as permissions."""

    weight: int = 0
    chain: Chain = HERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """A way out: the chain, with everything against it and its last dial, and that dial."""

    way: Way = Way()
    dial: Attempt | None = None
    bare: bool = False
    """Here dials another machine itself: what it lacks would open the service, not an SSH server."""

    @property
    def rank(self) -> tuple[int, bool, Chain]:
        """What is shown first: the fewest permissions, and of those rather one for an SSH server."""
        return self.way.weight, self.bare, self.way.chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """The answer for a tunnel without a path."""

    entry: Entry | None
    path: tuple[str, ...]
    dials: tuple[Dial, ...]
    missing: tuple[Missing, ...]
    diagnostics: tuple[Diagnostic, ...]


def explain_blocked(context: Context, request: Request, *, free_ports: bool) -> Blocked:
    """The complete path that lacks the fewest permissions."""
    entry = _entry(context, request, free_ports=free_ports)
    at = entry.at if entry else context.here
    inwards, outwards, final = _ways(context, request, at)
    attempts = _attempts(context, inwards.chain, outwards.chain, final)
    if entry is not None and entry.user is not None:
        attempts = (*attempts, entry.user)
    problems = _problems(context, request, entry, attempts)
    return Blocked(
        entry=entry,
        path=(*reversed(inwards.chain.servers), context.here, *outwards.chain.servers),
        dials=tuple(as_dial(context, made) for made in attempts),
        missing=tuple(dict.fromkeys(problem.missing for problem in problems if problem.missing)),
        diagnostics=(
            *_constraints(context, request, free_ports=free_ports),
            *(_diagnostic(request, problem) for problem in problems),
        ),
    )


def _entry(context: Context, request: Request, *, free_ports: bool) -> Entry | None:
    """The entry with the least against it."""
    options = entries(context, request.tunnel, request.service, free_ports=free_ports)
    return min(options, key=lambda each: each.weight, default=None)


def _ways(context: Context, request: Request, at: str) -> tuple[Way, Way, Attempt | None]:
    """To the entry, to the exit, and the exit's dial."""
    avoid = frozenset(request.tunnel.avoid)
    servers = _relevant(context, request, at)
    via = tuple(name for name in request.tunnel.via if name in context.servers)
    inwards = Way()
    if at != context.here and at in context.servers:
        inwards = _lenient(context, servers, avoid, HERE).get(at, Way())
    passed = set(inwards.chain.servers)
    tree = _lenient_through(context, servers, avoid, tuple(name for name in via if name not in passed))
    places = {request.exit: tree[request.exit]} if request.exit in tree else tree
    exits = [_exit(context, request, place, way) for place, way in places.items()]
    best = min(exits, key=lambda each: each.rank, default=Exit())
    return inwards, best.way, best.dial


def _exit(context: Context, request: Request, place: str, way: Way) -> Exit:
    service = request.service
    if service is None:
        return Exit(way=way)
    made = attempt(context, place, service)
    bare = not way.chain.servers and not context.world.same_machine(context.here, service.host)
    return Exit(way=Way(way.weight + made.weight, way.chain), dial=made, bare=bare)


def _lenient(
    context: Context, servers: tuple[str, ...], avoid: frozenset[str], source: Chain, weight: int = 0
) -> dict[str, Way]:
    """Servers with the chains that lack the fewest permissions. What can be reached without any is known already."""
    reached = search(context, (source,), avoid)
    known = {place: Way(weight, reached[place]) for place in (context.here, *servers) if place in reached}
    known.setdefault(source.place(context.here), Way(weight, source))
    settled: dict[str, Way] = {}
    heap = sorted(known.values())
    while heap:
        way = heapq.heappop(heap)
        place = way.chain.place(context.here)
        if place in settled:
            continue
        settled[place] = way
        for server in servers:
            if server in known or server in settled or server in avoid or server in way.chain.servers:
                continue
            made = hop(context, place, server)
            part = context.host(server).server
            cost = part.cost if part else 0
            heapq.heappush(heap, Way(way.weight + made.weight, way.chain.then(server, cost)))
    return settled


def _lenient_through(
    context: Context, servers: tuple[str, ...], avoid: frozenset[str], via: tuple[str, ...]
) -> dict[str, Way]:
    way = Way()
    for server in via:
        way = _lenient(context, servers, avoid, way.chain, way.weight).get(server, way)
    return _lenient(context, servers, avoid, way.chain, way.weight)


def _relevant(context: Context, request: Request, at: str) -> tuple[str, ...]:
    """All servers, or in a large file those that matter to the service, and those on the way to them."""
    if len(context.servers) <= ENOUGH:
        return context.servers
    tunnel, service = request.tunnel, request.service
    wanted = {at, request.exit or at, *tunnel.via, *(service.behind if service else ())}
    named = wanted & set(context.servers)
    networks = set(context.world.networks_of(service.host)) if service else set()
    tree = search(context, avoid=frozenset(tunnel.avoid))
    near = [name for name in context.servers if networks.intersection(context.world.networks_of(name))]
    chosen = {*named, *near[:ENOUGH], *[place for place in tree if place != context.here][:ENOUGH]}
    chosen |= {server for name in chosen if name in tree for server in tree[name].servers}
    return tuple(sorted(chosen))


def _attempts(context: Context, inwards: Chain, outwards: Chain, final: Attempt | None) -> tuple[Attempt, ...]:
    """Every dial of a path, in the order in which they would be made."""
    made: dict[tuple[str, ...], Attempt] = {}
    for chain in (inwards, outwards):
        for index, server in enumerate(chain.servers):
            place = chain.servers[index - 1] if index else context.here
            made.setdefault(chain.servers[: index + 1], hop(context, place, server))
    return (*made.values(), *([final] if final else []))


def _problems(
    context: Context, request: Request, entry: Entry | None, attempts: tuple[Attempt, ...]
) -> tuple[Problem, ...]:
    listen = entry.listen.problems if entry else ()
    on_path = tuple(_said_of(made, problem) for made in attempts for problem in problems_of(context, made))
    return tuple(dict.fromkeys((*request.problems, *listen, *on_path)))


def _said_of(made: Attempt, problem: Problem) -> Problem:
    """The problem, with who dials what in front."""
    if made.text is None:
        return problem
    address = f"[{made.text}]:{made.port}" if ":" in made.text else f"{made.text}:{made.port}"
    return replace(problem, text=f"{made.dialer} cannot dial {address} ({made.service.name}): {problem.text}")


def _constraints(context: Context, request: Request, *, free_ports: bool) -> tuple[Diagnostic, ...]:
    """Whether the tunnel's own `via` or `avoid` excludes every path."""
    tunnel = request.tunnel
    found = []
    for key, code, value in (
        ("via", Code.VIA_UNSATISFIED, tunnel.via),
        ("avoid", Code.AVOID_UNSATISFIED, tunnel.avoid),
    ):
        if not value:
            continue
        freed = replace(tunnel, via=()) if key == "via" else replace(tunnel, avoid=())
        if solve(context, replace(request, tunnel=freed), free_ports=free_ports) is None:
            continue
        found.append(
            Diagnostic(
                code=code,
                severity="error",
                message=f"{tunnel.name} has paths, but none with `{key}: [{', '.join(value)}]`",
                place=context.topology.place_of("tunnels", tunnel.name, key) or tunnel.place,
                path=f"tunnels.{tunnel.name}.{key}",
                suggestion=f"leave `{key}` out, or change it",
                tunnel=tunnel.name,
            )
        )
    return tuple(found)


SUGGESTIONS = {
    Code.FIREWALL_DENY_RULE: "an allow rule in front of it would let this pass",
    Code.FIREWALL_DEFAULT_DENY: "a rule that allows this flow would let it pass",
    Code.INBOUND_DENY: "a rule in `inbound` that allows this flow would let it pass",
    Code.NAT_UNMAPPED: "a nat entry that publishes it would do, or another server inside",
    Code.NAT_HAIRPIN: "dial an address of its own there, or let the firewall masquerade on that network",
    Code.NO_SHARED_NETWORK: "attach both to one network, or declare the firewall between their networks",
    Code.NO_ROUTE_DECLARED: "declare the firewall that leads there, or name a server that can dial it",
    Code.AMBIGUOUS_ADDRESS: "dial it from a host on its own network, or by a name",
    Code.FAMILY_MISMATCH: "give both ends an address of the same family",
}


def _diagnostic(request: Request, problem: Problem) -> Diagnostic:
    hint = problem.suggestion
    if problem.code is Code.FIREWALL_WRONG_DIRECTION:
        hint = f"open it from the other side: {hint}"
    elif default := SUGGESTIONS.get(problem.code):
        hint = f"{default} ({hint})" if hint else default
    return Diagnostic(
        code=problem.code,
        severity="error",
        message=problem.text,
        place=problem.place or request.tunnel.place,
        suggestion=hint,
        tunnel=request.tunnel.name,
    )
