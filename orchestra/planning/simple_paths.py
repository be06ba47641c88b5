"""Simple paths by way of given servers: no server is passed twice, whatever has to be passed in which order.

A path with `via` has legs: to the first server, from each to the next, from the last to the end. Each leg by itself is
a plain shortest path; together they may pass a server twice. Then it is barred either from one leg or from all others,
best first, so that the first path without such a server is the best (conflict-based search: Sharon, Stern, Felner and
Sturtevant, Artificial Intelligence 219, 2015). The problem is NP-hard; where legs do not meet, it costs nothing more.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from orchestra.planning.sessions import HERE, Chain, search

if TYPE_CHECKING:
    from orchestra.planning.context import Context

MOST = 1_000
"""Drafts of one path that are looked at; what takes more is not found. Random files take 10 with three servers to pass
among 20, and 150 with four among 60."""


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """A chain with what stands against it, as permissions: nothing, on a path that is open."""

    weight: int = 0
    chain: Chain = HERE


@dataclass(frozen=True, slots=True, order=True)
class _Draft:
    """The least that a path can be, its legs, and the servers that are barred from each of them."""

    whole: Way
    legs: tuple[Way, ...] = field(compare=False)
    barred: tuple[frozenset[str], ...] = field(compare=False)


Leg = Callable[[int, frozenset[str]], Way | None]
"""The best leg of a number that passes none of some servers. The first begins here, every other with the server where
the one before it ended."""


def joined(legs: int, leg: Leg) -> Way | None:
    """The best path of so many legs that passes no server twice; None when there is none."""
    leg = cache(leg)
    heap = _drafts(leg, (None,) * legs, (frozenset(),) * legs)
    for _ in range(MOST):
        if not heap:
            break
        draft = heapq.heappop(heap)
        twice = _passed_twice(draft.whole.chain.servers)
        if not twice:
            return draft.whole
        for each in max((_without(leg, draft, server) for server in twice), key=_how_telling):
            heapq.heappush(heap, each)
    return None


def _without(leg: Leg, draft: _Draft, twice: str) -> list[_Draft]:
    """What becomes of a draft when a server is barred from the first leg that passes it, or from all the others."""
    owner = next(number for number, way in enumerate(draft.legs) if twice in way.chain.servers)
    found: list[_Draft] = []
    for numbers in ({owner}, {*range(len(draft.legs))} - {owner}):
        kept = tuple(None if number in numbers else way for number, way in enumerate(draft.legs))
        barred = tuple(each | {twice} if number in numbers else each for number, each in enumerate(draft.barred))
        found += _drafts(leg, kept, barred)
    return found


def _how_telling(drafts: list[_Draft]) -> tuple[int, Way]:
    """The fewer are left, and the more they cost, the fewer are looked at in the end."""
    return -len(drafts), min((each.whole for each in drafts), default=Way())


def _drafts(leg: Leg, kept: tuple[Way | None, ...], barred: tuple[frozenset[str], ...]) -> list[_Draft]:
    """One draft, with the legs that are not kept looked for anew; none when one of them is not found."""
    legs = tuple(way or leg(number, barred[number]) for number, way in enumerate(kept))
    found = tuple(way for way in legs if way is not None)
    return [_Draft(_whole(found), found, barred)] if len(found) == len(legs) else []


def _whole(legs: tuple[Way, ...]) -> Way:
    """Legs as one path; the server where one ends and the next begins is passed once."""
    servers = legs[0].chain.servers + tuple(name for way in legs[1:] for name in way.chain.servers[1:])
    chains = [way.chain for way in legs]
    whole = Chain(sum(each.cost for each in chains), sum(each.new for each in chains), servers)
    return Way(sum(way.weight for way in legs), whole)


def _passed_twice(servers: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for number, name in enumerate(servers) if name in servers[:number])


def through(
    context: Context,
    via: tuple[str, ...],
    avoid: frozenset[str],
    end: Callable[[Mapping[str, Chain]], Chain | None],
    sources: tuple[Chain, ...] = (HERE,),
    only: frozenset[str] | None = None,
) -> Chain | None:
    """The best chain with servers to pass, in order, to the place that ``end`` picks from what can be reached.

    ``end`` is given places with their chains, nearest first, and has to pick the nearest that will do.
    """
    via = without_here(context, via)

    def leg(number: int, barred: frozenset[str]) -> Way | None:
        tree = search(context, (onward(via[number - 1]),) if number else sources, avoid, only, barred)
        chain = tree.get(via[number]) if number < len(via) else end(tree)
        return None if chain is None else Way(chain=chain)

    whole = joined(len(via) + 1, leg)
    return None if whole is None else whole.chain


def without_here(context: Context, via: tuple[str, ...]) -> tuple[str, ...]:
    """Servers to pass, but for here in front of them, where every path begins."""
    return via[1:] if via[:1] == (context.here,) else via


def onward(server: str) -> Chain:
    """A chain that goes on from a server, whatever led there."""
    return Chain(servers=(server,))


def tree_from(context: Context, place: str, avoid: frozenset[str]) -> Mapping[str, Chain]:
    """The places that can be reached from here, or from a server on."""
    return search(context, (HERE if place == context.here else onward(place),), avoid)
