"""The path that lacks the least: never more than any other, always the same, and what it lacks is enough."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, permutations, product

from hypothesis import given, settings

from orchestra.model.plan import Missing
from orchestra.model.topology import Topology
from orchestra.planning.context import Context
from orchestra.planning.dials import attempt
from orchestra.planning.explaining.least import least
from orchestra.planning.explaining.permissions import with_permissions
from orchestra.planning.explaining.question import Ground, destination
from orchestra.planning.services import Service
from orchestra.planning.sessions import hop
from tests.planning.pairs import WORDS, asked, pairs, shuffled


def every_way(context: Context, service: Service) -> Iterator[int]:
    """What every order of servers lacks on the way to a service."""
    for length in range(len(context.servers) + 1):
        for servers in permutations(context.servers, length):
            places = (context.here, *servers)
            sessions = (hop(context, place, server) for place, server in zip(places, servers, strict=False))
            yield sum(made.weight for made in sessions) + attempt(context, places[-1], service).weight


@settings(max_examples=100, deadline=None)
@given(pairs())
def test_no_other_path_lacks_less(pair: tuple[Topology, str, str]) -> None:
    source, from_, to = pair
    context = Ground(source, "h0", WORDS).seen_from(from_)
    service = destination(context, to).service
    found = least(context, service)
    assert found.weight == min(every_way(context, service))
    assert sum(made.weight for made in found.attempts(context)) == found.weight


@settings(max_examples=100, deadline=None)
@given(pairs())
def test_what_is_missing_opens_it_and_nothing_less_of_it_does(pair: tuple[Topology, str, str]) -> None:
    source, from_, to = pair
    missing = asked(pair).missing
    if not missing:
        return
    assert asked((with_permissions(source, missing), from_, to)).reachable
    for fewer in combinations(missing, len(missing) - 1):
        assert not asked((with_permissions(source, fewer), from_, to)).reachable


def atoms(source: Topology, from_: str) -> Iterator[Missing]:
    """Every single permission that a small topology could be given."""
    hosts, texts = source.hosts, ["127.0.0.1", "::1", *addresses(source)]
    for at, host in hosts.items():
        filters = ("rules",) * host.forwards + ("inbound",) * (host.inbound is not None)
        for setting, source_, to, port in product(filters, {*hosts, from_}, hosts, (22, 80)):
            yield permission("firewall", at, setting, from_=source_, to=to, port=port)
        if host.server is not None:
            yield permission("sshd", at, "local")
            yield from (permission("sshd", at, "permit_open", address=text, port=p) for text in texts for p in (22, 80))


def addresses(source: Topology) -> list[str]:
    return [str(each) for host in source.hosts.values() for net in host.attachments for each in net.addresses]


def permission(kind: str, at: str, setting: str, **more: object) -> Missing:
    given = {"from_": at, "to": None, "address": None, "port": None, "protocol": "tcp", **more}
    return Missing(kind=kind, at=at, setting=setting, **given)  # type: ignore[arg-type]


@settings(max_examples=100, deadline=None)
@given(pairs())
def test_where_two_are_missing_no_single_permission_would_do(pair: tuple[Topology, str, str]) -> None:
    source, from_, to = pair
    if len(asked(pair).missing) != 2:
        return
    for atom in atoms(source, from_):
        opened = with_permissions(source, (atom,))
        context = Ground(opened, "h0", WORDS).seen_from(from_)
        assert least(context, destination(context, to).service).weight > 0, atom


@settings(max_examples=100, deadline=None)
@given(pairs())
def test_the_answer_does_not_depend_on_the_order_of_the_keys(pair: tuple[Topology, str, str]) -> None:
    source, from_, to = pair
    assert asked((shuffled(source), from_, to)) == asked(pair)


@settings(max_examples=60, deadline=None)
@given(pairs())
def test_a_listener_that_is_offered_makes_it_reachable_once_it_is_in_the_file(pair: tuple[Topology, str, str]) -> None:
    source, from_, to = pair
    source = replace(source, hosts={**source.hosts, "h2": replace(source.hosts["h2"], kind="client")})
    offers = [each for each in asked((source, from_, to)).offers if each.tunnel is not None]
    for offer in offers:
        assert offer.tunnel is not None
        assert all(leg.passes for leg in (*offer.inner, *offer.outer))
        written = replace(source, tunnels={offer.tunnel.name: offer.tunnel})
        assert asked((written, from_, to)).reachable
