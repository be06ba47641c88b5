"""Chains of sessions: each is dialed through the one before it. Least cost, then fewest sessions, then names."""

from __future__ import annotations

import heapq
from collections.abc import Callable, ItemsView, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from orchestra.planning.dials import Attempt, attempt
from orchestra.planning.problems import Problem
from orchestra.planning.reach import servers_worth_trying
from orchestra.planning.services import ssh_service

if TYPE_CHECKING:
    from orchestra.planning.context import Context


class Chain(NamedTuple):
    """Sessions from here to a place. ``cost`` and ``new`` leave out those that are open anyway."""

    cost: int = 0
    new: int = 0
    servers: tuple[str, ...] = ()

    def place(self, here: str) -> str:
        """The host at its end."""
        return self.servers[-1] if self.servers else here

    def then(self, server: str, cost: int) -> Chain:
        """One session more."""
        return Chain(self.cost + cost, self.new + 1, (*self.servers, server))


HERE = Chain()


def hop(context: Context, place: str, server: str) -> Attempt:
    """The dial that opens a session from a place: here, or the server at the end of a chain."""
    spec = context.transport(server)
    if not spec.dialed:
        return _undialed(context, place, server)
    made = attempt(context, place, ssh_service(context, server))
    refused = _refused(context, server)
    return replace(made, further=(*made.further, *refused)) if refused else made


def _refused(context: Context, server: str) -> tuple[Problem, ...]:
    """Why ssh_config says that a server is not to be dialed, whoever would dial it."""
    part = context.host(server).server
    return tuple(
        Problem(
            code=each.code,
            text=each.message.removeprefix(f"{server}: "),
            at=server,
            place=each.place,
            suggestion=each.suggestion,
        )
        for each in (part.ssh.config.refusals if part and part.ssh.config else ())
    )


def _undialed(context: Context, place: str, server: str) -> Attempt:
    """A transport that finds its own way does so from here, past every network and firewall of the file."""
    service = ssh_service(context, server)
    dialer = context.dialer(place)
    if place != context.here:
        return attempt(context, place, service)
    return Attempt(dialer=dialer, service=service, means=server, transport=context.transport(server).name)


class Tree(Mapping[str, Chain]):
    """Places with the best chain to each, nearest first: found one by one, as far as anybody has asked."""

    def __init__(self, begin: Callable[[], Iterator[tuple[str, Chain]]]) -> None:
        """``begin`` gives the same ones each time that it is called."""
        self._begin, self._coming, self._complete = begin, begin(), False
        self._found: dict[str, Chain] = {}
        self._places: list[str] = []

    def _find(self) -> bool:
        """Whether there is a place more."""
        try:
            place, chain = next(self._coming)
        except StopIteration:
            self._complete = True
            return False
        except BaseException:  # after which an iterator has ended, though these are not all
            self._coming = islice(self._begin(), len(self._places), None)
            raise
        self._found[place] = chain
        self._places.append(place)
        return True

    def __getitem__(self, place: str) -> Chain:
        while place not in self._found:
            if not self._find():
                raise KeyError(place)
        return self._found[place]

    def __iter__(self) -> Iterator[str]:
        known = 0
        while known < len(self._places) or self._find():
            yield self._places[known]
            known += 1

    def __len__(self) -> int:
        while self._find():
            pass
        return len(self._found)

    def items(self) -> ItemsView[str, Chain]:
        """All of them; those that nobody has asked for yet are found on the way."""
        return self._found.items() if self._complete else super().items()


def search(
    context: Context,
    sources: tuple[Chain, ...] = (HERE,),
    avoid: frozenset[str] = frozenset(),
    only: frozenset[str] | None = None,
    barred: frozenset[str] = frozenset(),
) -> Tree:
    """Dijkstra over places: every host that sessions can be brought to, with the best chain, nearest first.

    Costs belong to servers, not to dials, so the first place that can dial a server is the best one to dial it from.
    ``only``: the servers that matter, with all that lead to them; None is all. ``barred``: servers to bring no session
    to; unlike those to avoid they may be dialed through, as the firewalls that they are as well. Several ``sources``
    are in order, lead to different places, and cost nothing.
    """
    key, known = (sources, avoid, only, barred), context.answers.searches
    if key not in known:
        ends = {chain.place(context.here): chain for chain in sources}
        assert list(sources) == sorted(ends.values())  # noqa: S101 - as prefixes are; a tree has each place once
        passed = {server for chain in sources for server in chain.servers}
        servers = frozenset(context.servers if only is None else only) - avoid - barred - passed
        known[key] = Tree(partial(_search, context, sources, avoid, servers))
    return known[key]


def _search(
    context: Context, sources: tuple[Chain, ...], avoid: frozenset[str], servers: frozenset[str]
) -> Iterator[tuple[str, Chain]]:
    """What ``search`` finds, place by place. No dial is judged before it would be the next one."""

    def dials(place: str, server: str) -> bool:
        made = hop(context, place, server)
        return made.passes and not avoid.intersection(made.firewalls)

    waiting, first = {*servers}, [chain.place(context.here) for chain in sources]
    heap = [(chain.then("", 0), _onward(context, chain, waiting)) for chain in sources]
    yield from zip(first, sources, strict=True)
    while heap and waiting:
        chain, siblings = heapq.heappop(heap)
        *before, server = chain.servers
        place = before[-1] if before else context.here
        # of several sources the first that can dial a server does so, though another one's chain may come before its
        rivals = first[: first.index(place)] if place in first else ()
        if server in waiting and dials(place, server) and not any(dials(each, server) for each in rivals):
            waiting.remove(server)
            heapq.heappush(heap, (chain.then("", 0), _onward(context, chain, waiting)))
            yield server, chain
        if (sibling := next(siblings, None)) is not None:
            heapq.heappush(heap, (sibling, siblings))


def _onward(context: Context, chain: Chain, waiting: set[str]) -> Iterator[Chain]:
    """A chain with one session more to each of those waiting that its end might dial, the best first."""
    servers = servers_worth_trying(context, chain.place(context.here), waiting)
    yield from sorted(
        chain.then(server, part.cost if (part := context.host(server).server) else 0) for server in servers
    )


def prefixes(chain: Chain) -> tuple[Chain, ...]:
    """Every place on a chain, as sources that cost nothing: its sessions are open anyway."""
    return tuple(Chain(0, 0, chain.servers[:length]) for length in range(len(chain.servers) + 1))
