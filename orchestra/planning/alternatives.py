"""Other paths that would do, hop-disjoint first: for each server of a path one without it, when there is one."""

from __future__ import annotations

import heapq
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from orchestra.model.frozen import dataclass
from orchestra.planning.reach import places_worth_trying
from orchestra.planning.services import ssh_service
from orchestra.planning.sessions import Chain, hop
from orchestra.planning.simple_paths import Way, joined, tree_from
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
    avoid, via = frozenset(request.tunnel.avoid), _left_of(request.tunnel.via, solution.entry)
    tree = tree_from(context, via[-1] if via else context.here, avoid)
    able = islice(possible_exits(context, tree, request), max(LOOKED_AT, most + 1) if most else 0)
    dials = {chain.servers[-1]: made for chain, made in able if chain.servers}
    detours = _Detours(context, tuple(dials), via, avoid, solution.entry)
    pinned = {*solution.entry.servers, *request.tunnel.via}
    found: dict[tuple[str, ...], Other] = {}
    for chain in _ways(detours, solution.exit.servers, pinned, most) if dials else ():
        if chain.servers != solution.exit.servers:
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
    """The end of a chain: the least that the whole can cost, the place where it begins, and the servers after that."""

    whole: Chain
    place: str
    rest: tuple[str, ...]


class _Detours:
    """The best chains to one of some exits, by way of servers in order, that leave others out.

    Each leg backwards from where it ends, led by what the way to each place costs when nothing is left out (A*): that
    looks at few servers, however large the file. What passes the entry comes to it by the entry's own sessions.
    """

    def __init__(
        self, context: Context, exits: tuple[str, ...], via: tuple[str, ...], avoid: frozenset[str], entry: Chain
    ) -> None:
        self._context, self._exits, self._via, self._avoid = context, exits, via, avoid
        self._before = dict(zip(entry.servers, (context.here, *entry.servers), strict=False))

    def best(self, left_out: frozenset[str]) -> Chain | None:
        """None when there is none."""
        key = (self._exits, self._via, left_out, self._avoid, tuple(self._before))
        known = self._context.answers.detours
        if key not in known:
            whole = joined(len(self._via) + 1, lambda number, barred: self._leg(number, left_out | barred))
            known[key] = None if whole is None else whole.chain
        return known[key]

    def _leg(self, number: int, left_out: frozenset[str]) -> Way | None:
        start = self._via[number - 1] if number else self._context.here
        ends = self._via[number : number + 1] or self._exits
        tree = tree_from(self._context, start, self._avoid)
        heap = sorted(_Part(tree[end], end, ()) for end in ends if end in tree and end not in left_out)
        settled: set[str] = set()
        while heap:
            part = heapq.heappop(heap)
            if part.place == start:
                return Way(chain=part.whole)
            if part.place in settled:
                continue
            settled.add(part.place)
            rest = (part.place, *part.rest)
            for parent in self._parents(part.place, start):
                if parent in tree and parent not in left_out:
                    heapq.heappush(heap, _Part(self._whole(tree[parent], rest), parent, rest))
        return None

    def _whole(self, way: Chain, rest: tuple[str, ...]) -> Chain:
        """The least that a chain with such an end can cost."""
        return Chain(way.cost + _cost(self._context, rest), way.new + len(rest), (*way.servers, *rest))

    def _parents(self, server: str, start: str) -> tuple[str, ...]:
        """The nearest places from which a server can be dialed; on the way to the entry only the one before it."""
        if server in self._before:
            return (self._before[server],)
        return _parents(self._context, server, start, self._avoid)


def _parents(context: Context, server: str, start: str, avoid: frozenset[str]) -> tuple[str, ...]:
    """The nearest places from which a server can be dialed, as seen from a start."""
    key, known = (server, start, avoid), context.answers.parents
    if key not in known:
        tree, service = tree_from(context, start, avoid), ssh_service(context, server)
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
