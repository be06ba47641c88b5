"""Other paths that would do, hop-disjoint first."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from orchestra.planning.reach import places_worth_trying
from orchestra.planning.services import ssh_service
from orchestra.planning.sessions import Chain, hop, search
from orchestra.planning.tunnels import possible_exits, within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.planning.context import Context
    from orchestra.planning.dials import Attempt
    from orchestra.planning.tunnels import Request, Solution

MOST = 3
"""Alternatives that are told."""
LOOKED_AT = 4
"""Exits, and places that could dial one server, that are considered."""


@dataclass(frozen=True, slots=True)
class Other:
    """Another chain to an exit that can dial the service."""

    exit: Chain
    dial: Attempt | None


def others(context: Context, request: Request, solution: Solution) -> tuple[Other, ...]:
    """Up to three other ways out, those that share no server with the first before the rest."""
    avoid = frozenset(request.tunnel.avoid)
    tree = search(context, avoid=avoid)
    found = {solution.exit.servers: Other(solution.exit, solution.dial)}
    ways = [
        *((chain, solution.dial) for chain in _detours(context, solution.exit, avoid)),
        *islice(possible_exits(context, tree, request), LOOKED_AT),
    ]
    for chain, made in ways:
        if _passes_in_order(request.tunnel.via, (*reversed(solution.entry.servers), *chain.servers)):
            found.setdefault(chain.servers, Other(chain, made))
    del found[solution.exit.servers]
    ranked = sorted(found.values(), key=lambda each: _rank(solution.exit, each.exit))
    return _worthwhile(solution, ranked)[:MOST]


def _worthwhile(solution: Solution, ranked: list[Other]) -> tuple[Other, ...]:
    """Those that may work when the ones before them do not: they do without some server of each of them."""
    known = [set(solution.exit.servers)] if solution.exit.servers else []
    entered = set(solution.entry.servers)
    chosen: list[Other] = []
    for other in sorted(ranked, key=lambda each: len(each.exit.servers)):
        servers = set(other.exit.servers)
        if not any(each <= servers for each in known) and not _turns_back(solution, other, entered):
            known.append(servers)
            chosen.append(other)
    return tuple(each for each in ranked if each in chosen)


def _turns_back(solution: Solution, other: Other, entered: set[str]) -> bool:
    """Whether it passes a server of the entry again, other than by sharing its sessions from here."""
    shared = 0
    for mine, theirs in zip(solution.entry.servers, other.exit.servers, strict=False):
        if mine != theirs:
            break
        shared += 1
    return shared < len(other.exit.servers) and bool(entered & set(other.exit.servers[shared:]))


def _rank(first: Chain, other: Chain) -> tuple[int, int, int, tuple[str, ...]]:
    shared = len(set(first.servers) & set(other.servers))
    return (shared, other.cost, len(other.servers), other.servers)


def _detours(context: Context, chain: Chain, avoid: frozenset[str]) -> Iterator[Chain]:
    """Chains to the same place of which one server is dialed from elsewhere."""
    for index, server in enumerate(chain.servers):
        rest = chain.servers[index:]
        for parent in _parents(context, server, avoid):
            servers = (*parent.servers, *rest)
            if len(set(servers)) == len(servers) and servers != chain.servers:
                yield Chain(_cost(context, servers), len(servers), servers)


def _parents(context: Context, server: str, avoid: frozenset[str]) -> tuple[Chain, ...]:
    """The nearest places from which a server can be dialed."""
    key, known = (server, avoid), context.answers.parents
    if key not in known:
        tree, service = search(context, avoid=avoid), ssh_service(context, server)
        able = (
            chain
            for place, chain in within(tree, places_worth_trying(context, service))
            if server not in chain.servers
            and (made := hop(context, place, server)).passes
            and not avoid.intersection(made.firewalls)
        )
        known[key] = tuple(islice(able, LOOKED_AT))
    return known[key]


def _cost(context: Context, servers: tuple[str, ...]) -> int:
    parts = (context.host(name).server for name in servers)
    return sum(part.cost for part in parts if part)


def _passes_in_order(via: tuple[str, ...], hops: tuple[str, ...]) -> bool:
    left = iter(hops)
    return all(name in left for name in via)
