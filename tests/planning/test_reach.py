"""The bound on pairs worth an attempt leaves nothing out."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from orchestra.model.topology import Server, Topology
from orchestra.planning.context import make_context
from orchestra.planning.dials import attempt
from orchestra.planning.reach import leading_to, places_worth_trying, servers_worth_trying
from orchestra.planning.services import Service
from tests.graph.oracle import topologies
from tests.planning.make import allow, firewall, host, network, server, target, topology
from tests.planning.office import GATE, HERE, LAN, NET, OPEN_GATE, VOCABULARY, plan


def test_an_unrelated_host_changes_no_plan() -> None:
    things = (NET, LAN, HERE, OPEN_GATE, host("db", networks={"lan": "10.1.0.9"}), target("db", "5432"))
    assert (
        plan(*things, server("zzz", {"lan": "10.1.0.77"}, cost=9)).tunnel("db").dial == plan(*things).tunnel("db").dial
    )


def places(made: frozenset[str] | None) -> set[str] | None:
    return None if made is None else set(made)


def test_only_its_own_machine_is_asked_about_a_loopback() -> None:
    accounts = [server(name, {"lan": "10.1.0.2"}, user=name) for name in ("ci", "ops")]
    context = make_context(topology(NET, LAN, HERE, *accounts), "here", VOCABULARY)
    on_loopback = Service(name="db", host="ci", text="127.0.0.1", port=5432)
    assert places(places_worth_trying(context, on_loopback)) == {"ci", "ops"}


def test_who_shares_a_network_or_has_a_rule_is_worth_trying() -> None:
    far = network("far", "10.2.0.0/24")
    wall = firewall("wall", {"lan": "10.1.0.1", "far": "10.2.0.1"}, allow("gate", "db", 5432))
    db, other = host("db", networks={"far": "10.2.0.9"}), server("other", {"lan": "10.1.0.7"})
    near = server("near", {"far": "10.2.0.2"})
    context = make_context(topology(NET, LAN, far, HERE, GATE, other, near, wall, db), "here", VOCABULARY)
    service = Service(name="db", host="db", text=None, port=5432)
    assert places(places_worth_trying(context, service)) == {"gate", "near"}
    assert places(places_worth_trying(context, replace(service, port=80))) == {"near"}
    assert places_worth_trying(context, replace(service, text="db.example")) is None


def test_servers_without_networks_are_always_worth_trying() -> None:
    named, hidden = server("named", ssh_host="x.example"), server("hidden", {"lan": "10.1.0.9"})
    context = make_context(topology(NET, LAN, HERE, named, hidden, GATE), "here", VOCABULARY)
    assert servers_worth_trying(context, "here", {"named", "hidden", "gate"}) == ["gate", "named"]
    assert servers_worth_trying(context, "gate", {"named", "hidden"}) == ["hidden", "named"]


@settings(max_examples=40, deadline=None)
@given(topologies())
def test_nobody_who_can_dial_a_service_is_left_out(source: Topology) -> None:
    hosts = {name: replace(each, server=Server()) if name[0] == "h" else each for name, each in source.hosts.items()}
    context = make_context(replace(source, hosts=hosts), "h0", VOCABULARY)
    for whom in source.hosts:
        service = Service(name="s", host=whom, text=None, port=22)
        worth = places_worth_trying(context, service)
        able = {place for place in ("h0", "h1", "h2") if attempt(context, place, service).passes}
        assert worth is None or able <= worth


def test_the_servers_that_lead_to_a_service_are_those_that_may_dial_it_and_one_another() -> None:
    far, off = network("far", "10.2.0.0/24"), network("off", "10.9.0.0/24")
    step = server("step", {"lan": "10.1.0.3", "far": "10.2.0.3"})
    lost = server("lost", {"off": "10.9.0.3"})
    db = host("db", networks={"far": "10.2.0.9"})
    context = make_context(topology(NET, LAN, far, off, HERE, GATE, step, lost, db), "here", VOCABULARY)
    assert leading_to(context, (Service(name="db", host="db", text=None, port=80),)) == {"gate", "step"}


@settings(max_examples=80, deadline=None)
@given(topologies())
def test_an_address_is_dialed_only_from_places_worth_trying(source: Topology) -> None:
    hosts = {name: replace(each, server=Server()) if name == "h1" else each for name, each in source.hosts.items()}
    context = make_context(replace(source, hosts=hosts), "h0", VOCABULARY)
    for text in ("10.0.0.6", "10.1.0.5", "10.2.0.77", "10.1.0.1"):
        service = Service(name=text, host=text, text=text, port=80, trusted=("h0",))
        tried = places_worth_trying(context, service)
        for place in ("h0", "h1"):
            assert not attempt(context, place, service).passes or tried is None or place in tried
