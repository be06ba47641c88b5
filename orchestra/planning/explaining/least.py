"""The complete path that lacks the least, where none is open.

One Dijkstra with denied edges at a large weight: first the fewest denials, then a path that a session protects before
one that opens the service itself, then cost, sessions and names.
"""

from __future__ import annotations

import heapq
from itertools import islice
from math import inf
from typing import TYPE_CHECKING, TypeAlias

from orchestra.model.frozen import dataclass
from orchestra.planning.dials import Attempt, attempt, problems_of
from orchestra.planning.explaining.permissions import change_of
from orchestra.planning.reach import leading_to, servers_on, servers_worth_trying
from orchestra.planning.services import ssh_service
from orchestra.planning.sessions import HERE, Chain, hop, prefixes, search
from orchestra.planning.simple_paths import Way, joined, onward

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.model.plan import Missing
    from orchestra.planning.context import Context
    from orchestra.planning.services import Service

EXACT = 16
"""Up to so many servers every place is considered at which the ways to the entry and to the exit might part."""
SMALL = 64
"""Up to so many servers all of them are considered."""
ENOUGH = 16
"""Servers that are considered in a larger file: so many beside the service, and so many that here dials itself."""


_Search: TypeAlias = tuple[tuple[Chain, ...], int, frozenset["Missing"], frozenset[str]]
"""The chains to start from, what is lacking to them, what is granted, and the servers that are barred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """A complete path: the chain to the entry, the chain to the exit, and what the exit dials (None: many things)."""

    entry: Chain = HERE
    exit: Chain = HERE
    dial: Attempt | None = None
    weight: int = 0
    """What stands against it, as permissions."""

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
    """The path to a service that lacks the fewest permissions; one that both of its ways need counts once.

    ``at``: where it is entered (here, when left out); ``exit_``: who dials the service; ``via``: servers to pass, in
    order; ``avoid``: hosts not to use.
    """
    at = at or context.here
    via = tuple(name for name in via if name in context.servers and name not in avoid)
    named = {at, exit_ or at, *via, *(service.behind if service else ())}
    lenient = _lenient(context, service, named, avoid)
    ways = [way for entry in lenient.entries(at) for way in _outwards(lenient, service, entry, exit_, via)]
    ways = [way for way in ways if not way.dial or not avoid.intersection(way.dial.firewalls)] or ways
    return min(ways, key=lambda each: _rank(context, service, each))


def _outwards(
    lenient: Lenient, service: Service | None, entry: Way, exit_: str | None, via: tuple[str, ...]
) -> Iterator[Lacking]:
    """From an entry to every place that might dial the service; by way of servers to the one that lacks the least."""
    context, granted = lenient.context, lenient.permissions(entry.chain)
    left = tuple(name for name in via if name not in entry.chain.servers)

    def ends(tree: dict[str, Way]) -> list[Lacking]:
        """The ends of the last leg, but for those to which the way alone lacks more than another one as a whole."""
        found: list[Lacking] = []
        able, enough = list[Lacking](), inf
        for way in [tree[exit_]] if exit_ in tree else tree.values():
            if enough < way.weight:
                break
            made = attempt(context, way.chain.place(context.here), service) if service else None
            weight = way.weight + (_weight(context, made, granted) if made else 0)
            found.append(Lacking(entry=entry.chain, exit=way.chain, dial=made, weight=weight))
            if made is None or not lenient.avoid.intersection(made.firewalls):
                able.append(found[-1])
                enough = min(enough, weight)
        return able or found

    def leg(number: int, barred: frozenset[str]) -> Way | None:
        if number == 0:
            tree = lenient.ways(weight=entry.weight, granted=granted, barred=barred)
        else:
            tree = lenient.ways((onward(left[number - 1]),), granted=granted, barred=barred)
        if number < len(left):
            return tree.get(left[number])
        return min(Way(each.weight, each.exit) for each in ends(tree))

    whole = joined(len(left) + 1, leg) if left else None
    if whole is None:
        yield from ends(lenient.ways(prefixes(entry.chain), entry.weight, granted))
        return
    made = attempt(context, whole.chain.place(context.here), service) if service else None
    yield Lacking(entry=entry.chain, exit=whole.chain, dial=made, weight=whole.weight)


def _rank(context: Context, service: Service | None, way: Lacking) -> tuple[int, bool, Chain, Chain]:
    """What is shown first: the fewest permissions, and of those rather one for an SSH server."""
    whole = Chain(way.entry.cost + way.exit.cost, way.entry.new + way.exit.new, way.exit.servers)
    return way.weight, not way.exit.servers and _opens_service(context, service), whole, way.entry


def _opens_service(context: Context, service: Service | None) -> bool:
    """Whether what here lacks to dial it would open the service itself: another machine's, and not SSH."""
    if service is None or context.world.same_machine(context.here, service.host):
        return False
    return service.host not in context.servers or service.port != ssh_service(context, service.host).port


class Lenient:
    """Searches over some of the servers that pass what is denied, at its weight; each is made once."""

    def __init__(self, context: Context, servers: tuple[str, ...], avoid: frozenset[str]) -> None:
        self.context, self.servers, self.avoid = context, servers, avoid
        self._found: dict[_Search, dict[str, Way]] = {}

    def entries(self, at: str) -> list[Way]:
        """The chain to the entry that lacks the least; in a small file also those by way of every other place, where
        the way out may branch off."""
        if at == self.context.here or at not in self.context.servers:
            return [Way()]
        nearest = self.ways()
        by_way = nearest.values() if len(self.servers) <= EXACT else ()
        found = {nearest.get(at, Way()), *(self.ways((way.chain,), way.weight).get(at, Way()) for way in by_way)}
        return sorted(way for way in found if way.chain.servers) or [Way()]

    def permissions(self, chain: Chain) -> frozenset[Missing]:
        """What the sessions of a chain lack."""
        return frozenset(
            each for made in Lacking(exit=chain).sessions(self.context) for each in _permissions(self.context, made)
        )

    def ways(
        self,
        sources: tuple[Chain, ...] = (HERE,),
        weight: int = 0,
        granted: frozenset[Missing] = frozenset(),
        barred: frozenset[str] = frozenset(),
    ) -> dict[str, Way]:
        """Every place with the chain that lacks the fewest permissions beside those that are granted, and passes no
        server that is barred; those that lack few first. What can be reached without any is known already."""
        asked = (sources, weight, granted, barred)
        if asked not in self._found:
            self._found[asked] = self._ways(*asked)
        return self._found[asked]

    def _ways(
        self, sources: tuple[Chain, ...], weight: int, granted: frozenset[Missing], barred: frozenset[str]
    ) -> dict[str, Way]:
        context, servers = self.context, self.servers
        only = frozenset(servers) if len(servers) < len(context.servers) else None
        reached, out = search(context, sources, self.avoid, only, barred), self.avoid | barred
        known = {place: Way(weight, reached[place]) for place in (context.here, *servers) if place in reached}
        for source in sources:
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
                if server in known or server in settled or server in out or server in way.chain.servers:
                    continue
                made = hop(context, place, server)
                if not self.avoid.intersection(made.firewalls):
                    part = context.host(server).server
                    chain = way.chain.then(server, part.cost if part else 0)
                    heapq.heappush(heap, Way(way.weight + _weight(context, made, granted), chain))
        return settled


def _weight(context: Context, made: Attempt, granted: frozenset[Missing]) -> int:
    """What stands against a dial beside what is granted already."""
    return made.weight - (len(granted & _permissions(context, made)) if granted else 0)


def _permissions(context: Context, made: Attempt) -> frozenset[Missing]:
    """What a dial lacks, each as the change that would be made for it."""
    return frozenset(change_of(each.missing) for each in problems_of(context, made) if each.missing)


def _lenient(context: Context, service: Service | None, named: set[str], avoid: frozenset[str]) -> Lenient:
    """Searches over all servers, or in a large file over those that matter to the service and to what is named."""
    networks = frozenset(context.world.networks_of(service.host)) if service else frozenset[str]()
    key, known = (networks, frozenset(named.intersection(context.servers)), avoid), context.answers.lenient
    if key not in known:
        known[key] = Lenient(context, _relevant(context, *key), avoid)
    return known[key]


def _relevant(
    context: Context, networks: frozenset[str], named: frozenset[str], avoid: frozenset[str]
) -> tuple[str, ...]:
    """All servers, or in a large file those that are named or on the service's networks, and those on the way there."""
    if len(context.servers) <= SMALL:
        return context.servers
    near = sorted(servers_on(context, networks))[:ENOUGH]
    first = servers_worth_trying(context, context.here, set(context.servers) - avoid)
    mine = islice((name for name in first if hop(context, context.here, name).passes), ENOUGH)
    chosen = {*named, *near, *mine}
    services = tuple(ssh_service(context, name) for name in chosen)
    tree = search(context, avoid=avoid, only=leading_to(context, services))
    chosen |= {server for name in chosen if name in tree for server in tree[name].servers}
    return tuple(sorted(chosen))
