"""Can FROM reach TO, and why: the path that would be taken, or the one that lacks the least and what to do instead."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from orchestra.errors import UsageError
from orchestra.model.garbage import collector_off
from orchestra.planning.client import choose_client
from orchestra.planning.dials import attempt, attempt_by
from orchestra.planning.explaining.explanation import Explanation, Leg, Offer, Rejected
from orchestra.planning.explaining.least import Lacking, least
from orchestra.planning.explaining.legs import leg
from orchestra.planning.explaining.offers import reverse_offers
from orchestra.planning.explaining.question import Ground, destination
from orchestra.planning.notes import assumptions
from orchestra.planning.reach import leading_to, places_worth_trying
from orchestra.planning.services import ssh_service
from orchestra.planning.sessions import Chain, hop, search
from orchestra.planning.simple_paths import through
from orchestra.planning.tunnels import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra.model.plan import Missing
    from orchestra.model.topology import Topology
    from orchestra.planning.context import Context
    from orchestra.planning.services import Service
    from orchestra.plugin.vocabulary import Vocabulary

MOST_REJECTED = 5
"""Shorter paths that are told."""
LOOKED_AT = 16
"""Servers that are looked at for shorter paths."""


def explain(
    topology: Topology,
    from_: str,
    to: str,
    *,
    client: str | None = None,
    vocabulary: Vocabulary,
    via: tuple[str, ...] = (),
    direct: bool = False,
) -> Explanation:
    """Whether ``from_`` can reach ``to``, and why.

    ``from_``: a host, which then is here, or a network: one unnamed host of it. ``to``: a target, a host,
    ``host:port`` or an address. ``via``: servers to pass, in order; ``direct``: one bare dial, without any session.
    Raises UsageError for names that do not exist, with the nearest, and for a ``to`` without a port that cannot do
    without.
    """
    return explain_on(Ground(topology, any_client(topology, client), vocabulary), from_, to, via=via, direct=direct)


def any_client(topology: Topology, client: str | None) -> str:
    """The client that was asked for; of several, the first: FROM is who dials, so that it hardly matters."""
    return topology.clients[0] if client is None and topology.clients else choose_client(topology, client)


@collector_off()
def explain_on(ground: Ground, from_: str, to: str, *, via: tuple[str, ...] = (), direct: bool = False) -> Explanation:
    """The same of a topology that is compiled already."""
    context = ground.seen_from(from_)
    wanted = destination(context, to, direct=direct)
    service = wanted.service
    for name in via:
        if name not in context.servers:
            raise UsageError(f"no way leads via {name}: it is no SSH server that {context.here} could use")
    found = _bare(context, service) if direct else _open(context, service, via)
    taken = found or (_bare_lacking(context, service) if direct else least(context, service, via=via))
    legs = _legs(context, taken)
    reachable = found is not None
    return Explanation(
        topology=ground.topology.name,
        file=ground.topology.file,
        from_=from_,
        to=to,
        dialer=context.here,
        host=service.host if service.host in context.world.hosts else None,
        port=service.port or None,
        protocol=service.protocol if service.path is None else "unix",
        reachable=reachable,
        direction="local" if taken.exit.servers else "direct",
        path=taken.path(context),
        cost=taken.exit.cost,
        legs=legs,
        missing=() if reachable else missing_of(legs),
        offers=() if reachable else _offers(ground, context, service, to, via=via, direct=direct),
        rejected=() if direct else tuple(islice(_rejected(context, service, taken, via, legs), MOST_REJECTED)),
        assumed=(*wanted.assumed, *assumptions(taken.attempts(context), service.place)),
        via=via,
        direct=direct,
    )


# -- paths ------------------------------------------------------------------------------------------------------------


def _bare(context: Context, service: Service) -> Lacking | None:
    tried = _bare_lacking(context, service)
    return tried if tried.dial is not None and tried.dial.passes else None


def _bare_lacking(context: Context, service: Service) -> Lacking:
    return Lacking(dial=attempt_by(context, context.dialer(context.here), service))


def _open(context: Context, service: Service, via: tuple[str, ...]) -> Lacking | None:
    """The best path on which everything passes."""

    def end(tree: Mapping[str, Chain]) -> Chain | None:
        able = within(tree, places_worth_trying(context, service))
        return next((chain for place, chain in able if attempt(context, place, service).passes), None)

    chain = through(context, via, frozenset(), end, only=_leading(context, service, via))
    return None if chain is None else Lacking(exit=chain, dial=attempt(context, chain.place(context.here), service))


def _leading(context: Context, service: Service, via: tuple[str, ...]) -> frozenset[str] | None:
    """The servers that might be on a path; few of those of a large file are."""
    found = leading_to(context, (service, *(ssh_service(context, name) for name in via)))
    return found if found is None else found.union(via)


def _legs(context: Context, way: Lacking) -> tuple[Leg, ...]:
    sessions = tuple(leg(context, "ssh", made) for made in way.sessions(context))
    return (*sessions, leg(context, "dial", way.dial)) if way.dial else sessions


def missing_of(legs: tuple[Leg, ...]) -> tuple[Missing, ...]:
    """The permissions that would open a path; none when it takes more than permissions."""
    denials = [check for each in legs for check in each.denials]
    if any(check.missing is None for check in denials):
        return ()
    return tuple(dict.fromkeys(check.missing for check in denials if check.missing))


# -- what else there is -----------------------------------------------------------------------------------------------


def _offers(
    ground: Ground, context: Context, service: Service, to: str, *, via: tuple[str, ...], direct: bool
) -> tuple[Offer, ...]:
    """Ways that need no change: without what was asked for beside TO, else in the other direction."""
    free = _open(context, service, ()) if via or direct else None
    if free is not None:
        path = free.path(context)
        text = f"{' → '.join(path)} can reach it" if len(path) > 1 else f"{path[0]} can dial it itself"
        return (Offer(kind="path", text=text, holder=context.here, path=path, inner=_legs(context, free)),)
    return reverse_offers(ground, context, to)


def _rejected(
    context: Context, service: Service, taken: Lacking, via: tuple[str, ...], legs: tuple[Leg, ...]
) -> Iterator[Rejected]:
    """Paths with fewer sessions than the one that is told, shortest first, and the first dial that stops each."""
    servers = taken.exit.servers
    found = [*_shortcuts(context, service, (context.here, *servers))]
    if all(each.passes for each in legs):
        found += _by_others(context, service, taken)
    in_order = sorted(found, key=lambda each: (len(each.path), each.path))
    told = {each.dial for each in legs}
    yield from (each for each in in_order if _passes(via, each.path) and each.leg.dial not in told)


def _shortcuts(context: Context, service: Service, path: tuple[str, ...]) -> Iterator[Rejected]:
    """The path with hosts left out."""
    for index, place in enumerate(path[:-1]):
        made = attempt(context, place, service)
        if not made.passes:
            yield Rejected(path=path[: index + 1], leg=leg(context, "dial", made))
        for skipped in range(index + 2, len(path)):
            made = hop(context, place, path[skipped])
            if not made.passes:
                yield Rejected(path=(*path[: index + 1], *path[skipped:]), leg=leg(context, "ssh", made))


def _by_others(context: Context, service: Service, taken: Lacking) -> Iterator[Rejected]:
    """Other servers with a shorter way to them, or with a way that is as long and costs less."""
    tree = search(context, only=_leading(context, service, ()))
    for place, chain in islice(within(tree, places_worth_trying(context, service)), LOOKED_AT):
        shorter = len(chain.servers) < len(taken.exit.servers)
        if place in (context.here, *taken.exit.servers) or not (shorter or _before(chain, taken.exit)):
            continue
        made = attempt(context, place, service)
        yield Rejected(
            path=(context.here, *chain.servers), leg=leg(context, "dial", made), cost=chain.cost if made.passes else 0
        )


def _before(one: Chain, other: Chain) -> bool:
    return len(one.servers) == len(other.servers) and one < other


def _passes(via: tuple[str, ...], path: tuple[str, ...]) -> bool:
    left = iter(path)
    return all(name in left for name in via)
