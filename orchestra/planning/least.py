"""The complete path that lacks the least, where none is open.

One Dijkstra with denied edges at a large weight: first the fewest denials, then a path that a session protects before
one that opens the service itself, then cost, sessions and names.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from orchestra.planning.dials import Attempt, attempt
from orchestra.planning.reach import leading_to, servers_worth_trying
from orchestra.planning.services import ssh_service
from orchestra.planning.sessions import HERE, Chain, hop, search

if TYPE_CHECKING:
    from orchestra.planning.context import Context
    from orchestra.planning.services import Service

SMALL = 64
"""Up to so many servers all of them are considered."""
ENOUGH = 16
"""Servers that are considered in a larger file: so many beside the service, and so many that here dials itself."""


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """A chain with what stands against it, as permissions."""

    weight: int = 0
    chain: Chain = HERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """A complete path: the chain to the entry, the chain to the exit, and what the exit dials (None: many things)."""

    entry: Chain = HERE
    exit: Chain = HERE
    dial: Attempt | None = None
    weight: int = 0
    """What stands against the way out, as permissions."""

    def path(self, context: Context) -> tuple[str, ...]:
        """Hosts in the order of flow, entry to exit."""
        return (*reversed(self.entry.servers), context.here, *self.exit.servers)

    def sessions(self, context: Context) -> tuple[Attempt, ...]:
        """The dials of its sessions, in the order in which they would be made."""
        made: dict[tuple[str, ...], Attempt] = {}
        for chain in (self.entry, self.exit):
            for index, server in enumerate(chain.servers):
                place = chain.servers[index - 1] if index else context.here
                made.setdefault(chain.servers[: index + 1], hop(context, place, server))
        return tuple(made.values())

    def attempts(self, context: Context) -> tuple[Attempt, ...]:
        """Every dial, in the order in which they would be made."""
        return (*self.sessions(context), *([self.dial] if self.dial else []))


def least(
    context: Context,
    service: Service | None,
    *,
    at: str | None = None,
    exit_: str | None = None,
    via: tuple[str, ...] = (),
    avoid: frozenset[str] = frozenset(),
) -> Lacking:
    """The path to a service that lacks the fewest permissions.

    ``at``: where it is entered (here, when left out); ``exit_``: who dials the service; ``via``: servers to pass, in
    order; ``avoid``: hosts not to use.
    """
    at = at or context.here
    via = tuple(name for name in via if name in context.servers)
    named = {at, exit_ or at, *via, *(service.behind if service else ())}
    servers = _relevant(context, service, named, avoid)
    inwards = Way()
    if at != context.here and at in context.servers:
        inwards = _lenient(context, servers, avoid, HERE).get(at, Way())
    passed = set(inwards.chain.servers)
    tree = _lenient_through(context, servers, avoid, tuple(name for name in via if name not in passed))
    places = {exit_: tree[exit_]} if exit_ in tree else tree
    ways = [_out(context, service, inwards.chain, place, way) for place, way in places.items()]
    ways = [way for way in ways if not way.dial or not avoid.intersection(way.dial.firewalls)] or ways
    return min(ways, key=lambda each: _rank(context, service, each), default=Lacking(entry=inwards.chain))


def _out(context: Context, service: Service | None, entry: Chain, place: str, way: Way) -> Lacking:
    made = attempt(context, place, service) if service else None
    return Lacking(entry=entry, exit=way.chain, dial=made, weight=way.weight + (made.weight if made else 0))


def _rank(context: Context, service: Service | None, way: Lacking) -> tuple[int, bool, Chain]:
    """What is shown first: the fewest permissions, and of those rather one for an SSH server."""
    return way.weight, not way.exit.servers and _opens_service(context, service), way.exit


def _opens_service(context: Context, service: Service | None) -> bool:
    """Whether what here lacks to dial it would open the service itself: another machine's, and not SSH."""
    if service is None or context.world.same_machine(context.here, service.host):
        return False
    return service.host not in context.servers or service.port != ssh_service(context, service.host).port


def _lenient(
    context: Context, servers: tuple[str, ...], avoid: frozenset[str], source: Chain, weight: int = 0
) -> dict[str, Way]:
    """Servers with the chains that lack the fewest permissions. What can be reached without any is known already."""
    only = frozenset(servers) if len(servers) < len(context.servers) else None
    reached = search(context, (source,), avoid, only)
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
            if avoid.intersection(made.firewalls):
                continue
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


def _relevant(context: Context, service: Service | None, named: set[str], avoid: frozenset[str]) -> tuple[str, ...]:
    """All servers, or in a large file those that matter to the service, and those on the way to them."""
    if len(context.servers) <= SMALL:
        return context.servers
    networks = set(context.world.networks_of(service.host)) if service else set()
    near = [name for name in context.servers if networks.intersection(context.world.networks_of(name))]
    first = servers_worth_trying(context, context.here, set(context.servers) - avoid)
    mine = islice((name for name in first if hop(context, context.here, name).passes), ENOUGH)
    chosen = {*(named & set(context.servers)), *near[:ENOUGH], *mine}
    services = tuple(ssh_service(context, name) for name in chosen)
    tree = search(context, avoid=avoid, only=leading_to(context, services))
    chosen |= {server for name in chosen if name in tree for server in tree[name].servers}
    return tuple(sorted(chosen))
