"""Other paths that would do, hop-disjoint first: for each server of a path one without it, when there is one."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass
from itertools import islice, takewhile
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
"""Alternatives that are told, unless another number is asked for."""
LOOKED_AT = 4
"""Exits, and places that could dial one server, that are considered: the nearest."""


@dataclass(frozen=True, slots=True)
class Other:
    """Another chain to an exit that can dial the service."""

    exit: Chain
    dial: Attempt | None


def others(context: Context, request: Request, solution: Solution, most: int = MOST) -> tuple[Other, ...]:
    """Up to ``most`` other ways out, those that share no server with the first before the rest, then by cost."""
    avoid = frozenset(request.tunnel.avoid)
    able = islice(
        possible_exits(context, search(context, avoid=avoid), request), max(LOOKED_AT, most + 1) if most else 0
    )
    dials = {chain.servers[-1]: made for chain, made in able if chain.servers}
    detours = _Detours(context, tuple(dials), _left_of(request.tunnel.via, solution.entry), avoid)
    pinned = {*solution.entry.servers, *request.tunnel.via}
    found: dict[tuple[str, ...], Other] = {}
    for chain in _ways(detours, solution.exit.servers, pinned, most) if dials else ():
        if chain.servers != solution.exit.servers and not _turns_back(solution.entry, chain):
            found.setdefault(chain.servers, Other(chain, dials[chain.servers[-1]]))
    ranked = sorted(found.values(), key=lambda each: _rank(solution.exit, each.exit))
    return _worthwhile(solution, ranked)[:most]


def _left_of(via: tuple[str, ...], entry: Chain) -> tuple[str, ...]:
    """The servers of `via` that the way to the entry has not passed."""
    for server in reversed(entry.servers):
        via = via[via[:1] == (server,) :]
    return via


def _ways(detours: _Detours, first: tuple[str, ...], pinned: set[str], most: int) -> Iterator[Chain]:
    """Greedily what shares no server with all before it; then, breadth first, what does without one server of each."""
    left_out = frozenset(first) - pinned
    for _ in range(most if left_out else 0):
        chain = detours.best(left_out)
        if chain is None or left_out.issuperset(left_out := left_out | set(chain.servers) - pinned):
            break
        yield chain
    waiting, seen = deque([frozenset[str]()]), {frozenset[str]()}
    for _ in range(4 * most):
        if not waiting:
            return
        left_out = waiting.popleft()
        chain = detours.best(left_out)
        if chain is None:
            continue
        yield chain
        further = [left_out | {server} for server in chain.servers if server not in pinned]
        waiting.extend(each for each in further if each not in seen)
        seen.update(further)


@dataclass(frozen=True, slots=True, order=True)
class _Part:
    """The end of a chain: the least that the whole can cost, its servers, and how many of `via` come before them."""

    whole: Chain
    servers: tuple[str, ...]
    via: int
    complete: bool = False


class _Detours:
    """The best chains to one of some exits, by way of servers in order, that leave others out.

    Backwards from the exits, led by what the way to each place costs when nothing is left out (A*): that looks at few
    servers, however large the file.
    """

    def __init__(self, context: Context, exits: tuple[str, ...], via: tuple[str, ...], avoid: frozenset[str]) -> None:
        self._context, self._exits, self._via, self._avoid = context, exits, via, avoid
        self._tree = search(context, avoid=avoid)

    def best(self, left_out: frozenset[str]) -> Chain | None:
        """None when there is none."""
        key, known = (self._exits, self._via, left_out, self._avoid), self._context.answers.detours
        if key not in known:
            known[key] = self._search(left_out)
        return known[key]

    def _search(self, left_out: frozenset[str]) -> Chain | None:
        here = self._context.here
        exits = (exit_ for exit_ in self._exits if exit_ not in left_out)
        heap = [_Part(self._tree[exit_], (exit_,), self._before(exit_, len(self._via))) for exit_ in exits]
        heapq.heapify(heap)
        settled: set[tuple[str, int]] = set()
        while heap:
            part = heapq.heappop(heap)
            if part.complete:
                return part.whole
            first = part.servers[0]
            if (first, part.via) in settled:
                continue
            settled.add((first, part.via))
            for parent in _parents(self._context, first, self._avoid):
                if parent == here and not part.via:
                    whole = Chain(_cost(self._context, part.servers), len(part.servers), part.servers)
                    heapq.heappush(heap, _Part(whole, part.servers, 0, complete=True))
                elif parent != here and parent not in left_out and parent not in part.servers:
                    estimate = self._estimate(parent, part.servers)
                    heapq.heappush(heap, _Part(estimate, (parent, *part.servers), self._before(parent, part.via)))
        return None

    def _before(self, server: str, via: int) -> int:
        """How many servers have yet to be passed, before one that is passed now."""
        return via - 1 if via and self._via[via - 1] == server else via

    def _estimate(self, parent: str, servers: tuple[str, ...]) -> Chain:
        """The least that a chain through a parent can cost."""
        way = self._tree[parent]
        return Chain(way.cost + _cost(self._context, servers), way.new + len(servers), (*way.servers, *servers))


def _parents(context: Context, server: str, avoid: frozenset[str]) -> tuple[str, ...]:
    """The nearest places from which a server can be dialed."""
    key, known = (server, avoid), context.answers.parents
    if key not in known:
        tree, service = search(context, avoid=avoid), ssh_service(context, server)
        able = (
            place
            for place, _ in within(tree, places_worth_trying(context, service))
            if place != server
            and (made := hop(context, place, server)).passes
            and not avoid.intersection(made.firewalls)
        )
        known[key] = tuple(islice(able, LOOKED_AT))
    return known[key]


def _cost(context: Context, servers: tuple[str, ...]) -> int:
    parts = (context.host(name).server for name in servers)
    return sum(part.cost for part in parts if part)


def _turns_back(entry: Chain, chain: Chain) -> bool:
    """Whether it passes a server of the entry again, other than by sharing its sessions from here."""
    pairs = zip(entry.servers, chain.servers, strict=False)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return not set(entry.servers).isdisjoint(chain.servers[shared:])


def _rank(first: Chain, other: Chain) -> tuple[int, int, int, tuple[str, ...]]:
    shared = len(set(first.servers) & set(other.servers))
    return (shared, other.cost, len(other.servers), other.servers)


def _worthwhile(solution: Solution, ranked: list[Other]) -> tuple[Other, ...]:
    """Those that may work when others do not: none needs every server of the path, or of a shorter alternative."""
    known = [set(solution.exit.servers)] if solution.exit.servers else []
    chosen: list[Other] = []
    for other in sorted(ranked, key=lambda each: len(each.exit.servers)):
        servers = set(other.exit.servers)
        if not any(each <= servers for each in known):
            known.append(servers)
            chosen.append(other)
    return tuple(each for each in ranked if each in chosen)
