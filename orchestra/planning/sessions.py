"""Chains of sessions: each is dialed through the one before it. Least cost, then fewest sessions, then names."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orchestra.planning.dials import Attempt, attempt
from orchestra.planning.problems import Problem
from orchestra.planning.reach import servers_worth_trying
from orchestra.planning.services import ssh_service

if TYPE_CHECKING:
    from orchestra.planning.context import Context


@dataclass(frozen=True, slots=True, order=True)
class Chain:
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


def search(
    context: Context,
    sources: tuple[Chain, ...] = (HERE,),
    avoid: frozenset[str] = frozenset(),
    only: frozenset[str] | None = None,
    barred: frozenset[str] = frozenset(),
) -> dict[str, Chain]:
    """Dijkstra over places: every host that sessions can be brought to, with the best chain, nearest first.

    Costs belong to servers, not to dials, so the first place that can dial a server is the best one to dial it from.
    ``only``: the servers that matter, with all that lead to them; None is all. ``barred``: servers to bring no session
    to; unlike those to avoid they may be dialed through, as the firewalls that they are as well.
    """
    key, known = (sources, avoid, only, barred), context.answers.searches
    if key not in known:
        passed = {server for chain in sources for server in chain.servers}
        servers = context.servers if only is None else only
        known[key] = _search(context, sources, avoid, set(servers) - avoid - barred - passed)
    return known[key]


def _search(context: Context, sources: tuple[Chain, ...], avoid: frozenset[str], waiting: set[str]) -> dict[str, Chain]:
    settled: dict[str, Chain] = {}
    heap = sorted(sources)
    while heap:
        chain = heapq.heappop(heap)
        place = chain.place(context.here)
        if place in settled:
            continue
        settled[place] = chain
        for server in servers_worth_trying(context, place, waiting) if waiting else ():
            made = hop(context, place, server)
            if made.passes and not avoid.intersection(made.firewalls):
                part = context.host(server).server
                heapq.heappush(heap, chain.then(server, part.cost if part else 0))
                waiting.remove(server)
    return settled


def prefixes(chain: Chain) -> tuple[Chain, ...]:
    """Every place on a chain, as sources that cost nothing: its sessions are open anyway."""
    return tuple(Chain(0, 0, chain.servers[:length]) for length in range(len(chain.servers) + 1))
