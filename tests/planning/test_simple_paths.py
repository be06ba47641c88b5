"""Paths that pass no server twice, against all of them: every order of a few servers, on random files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations, takewhile
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra.model.plan import PlannedTunnel
from orchestra.model.topology import Host, Topology
from orchestra.planning import explain, make_plan
from orchestra.planning.context import Context, make_context
from orchestra.planning.dials import attempt
from orchestra.planning.explaining.least import least
from orchestra.planning.explaining.question import destination
from orchestra.planning.services import Service
from orchestra.planning.sessions import Chain, hop
from tests.planning.make import client, server, target, topology, tunnel
from tests.planning.office import VOCABULARY

SERVERS = "abcdef"


# -- the oracle -------------------------------------------------------------------------------------------------------


def chains_of(context: Context, via: tuple[str, ...]) -> list[Chain]:
    """Every chain that passes no server twice, and some in order: best first."""
    found = (each for length in range(len(context.servers) + 1) for each in permutations(context.servers, length))
    return sorted(_priced(context, each) for each in found if in_order(each, via) and _is_dialed(context, each))


def _priced(context: Context, servers: tuple[str, ...]) -> Chain:
    return Chain(sum(part.cost for each in servers if (part := context.host(each).server)), len(servers), servers)


def _is_dialed(context: Context, servers: tuple[str, ...]) -> bool:
    return all(hop(context, *each).passes for each in zip((context.here, *servers), servers, strict=False))


def in_order(servers: tuple[str, ...], via: tuple[str, ...]) -> bool:
    left = iter(servers)
    return all(name in left for name in via)


def paths_of(source: Topology, via: tuple[str, ...]) -> list[Chain]:
    """Those at whose end the service can be dialed."""
    context, service = asked(source)
    return [each for each in chains_of(context, via) if attempt(context, each.place("here"), service).passes]


def asked(source: Topology) -> tuple[Context, Service]:
    context = make_context(source, "here", VOCABULARY)
    return context, destination(context, "db").service


# -- random files -----------------------------------------------------------------------------------------------------


@st.composite
def files(draw: st.DrawFn, most: int = 5) -> Topology:
    """A few servers, each dialed by some of the others or from here, and a service behind some of them."""
    names = SERVERS[: draw(st.integers(2, most))]
    things: list[object] = [client("here")]
    for name in names:
        others = draw(some(["here", *(each for each in names if each != name)]))
        things.append(behind(name, *others, cost=draw(st.sampled_from([0, 0, 1, 3]))))
    things.append(target("db", "db.example:80", behind=draw(some(names))))
    via = draw(st.lists(st.sampled_from(names), unique=True, max_size=3))
    things.append(tunnel("db", listen="1000", failover=True, via=tuple(via)))
    return topology(*things)  # type: ignore[arg-type]


def some(names: Sequence[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(names), unique=True, min_size=1, max_size=3).map(tuple)


def behind(name: str, *others: str, cost: int = 0) -> Host:
    """A server that only some hosts can dial: an arrow from each of them."""
    return server(name, ssh_host=f"{name}.example", behind=others, cost=cost)


def planned(source: Topology, **more: object) -> PlannedTunnel:
    changed = replace(source.tunnels["db"], **more)  # type: ignore[arg-type]
    return make_plan(replace(source, tunnels={"db": changed}), vocabulary=VOCABULARY, alternatives=50).tunnels[0]


@settings(max_examples=100, deadline=None)
@given(files(), st.integers())
def test_the_path_is_the_best_of_all_whatever_the_order_of_the_file(source: Topology, seed: int) -> None:
    via = source.tunnels["db"].via
    every, names = paths_of(source, via), list(source.hosts)
    Random(seed).shuffle(names)  # noqa: S311 - an order, no secret
    for each in (source, replace(source, hosts={name: source.hosts[name] for name in names})):
        made = planned(each)
        found = explain(each, "here", "db", vocabulary=VOCABULARY, via=via)
        assert (made.verdict == "reachable", found.reachable) == (bool(every), bool(every))
        wanted = ("here", *every[0].servers) if every else made.path
        assert (made.path, found.path) == (wanted, wanted if every else found.path)
        assert in_order(found.path, via)


@settings(max_examples=100, deadline=None)
@given(files(most=4))
def test_alternatives_are_the_best_without_the_path_and_without_each_of_its_servers(source: Topology) -> None:
    via = source.tunnels["db"].via
    every, made = paths_of(source, via), planned(source)
    told = [each.path[1:] for each in made.alternatives]
    assert {*told} <= {each.servers for each in every[1:]}
    if made.verdict == "reachable":
        needless = {*made.path[1:]} - {*via}
        apart = [each.servers for each in every if needless.isdisjoint(each.servers)]
        assert not needless or not apart or told[0] == apart[0]
        for down in needless:
            assert any(down not in path for path in told) == any(down not in each.servers for each in every)


@settings(max_examples=60, deadline=None)
@given(files(most=4), st.sampled_from("ab"))
def test_the_way_to_an_entry_passes_its_part_of_via(source: Topology, at: str) -> None:
    via, (context, _) = source.tunnels["db"].via, asked(source)
    entered = [
        split
        for split in range(len(via) + 1)
        if any(each.servers[-1:] == (at,) for each in chains_of(context, via[:split][::-1]))
        and paths_of(source, via[split:])
    ]
    made = planned(source, at=at)
    assert (made.verdict == "reachable") == bool(entered)
    for each in made.alternatives:
        entry, exit_ = each.path[: each.path.index("here")], each.path[each.path.index("here") + 1 :]
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(entry[::-1], exit_, strict=False)))
        assert {*entry}.isdisjoint(exit_[shared:])


# -- what a blocked path lacks ----------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(files(most=4))
def test_a_blocked_path_by_way_of_servers_lacks_the_least(source: Topology) -> None:
    via, (context, service) = source.tunnels["db"].via, asked(source)

    def weight(servers: tuple[str, ...]) -> int:
        places = (context.here, *servers)
        hops = (hop(context, *each).weight for each in zip(places, servers, strict=False))
        return sum(hops) + attempt(context, places[-1], service).weight

    found = least(context, service, via=via)
    orders = (each for length in range(len(via), 5) for each in permutations(context.servers, length))
    assert found.weight == weight(found.exit.servers) == min(weight(each) for each in orders if in_order(each, via))
