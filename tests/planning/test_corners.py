"""Corners: partial topologies, unknown clients, via on the way in, entries that a network can dial."""

from __future__ import annotations

from orchestra.diagnostics import Code
from orchestra.model.plan import Plan
from orchestra.model.topology import Rule, Selector
from orchestra.planning import check_statically, make_plan
from orchestra.plugin.vocabulary import Vocabulary
from tests.planning.make import allow, client, deny, firewall, host, network, publish, server, target, topology, tunnel

NET, LAN = network("net"), network("lan", "10.1.0.0/24")
HERE = client("here", {"net": None})
GATE = server("gate", {"net": "203.0.113.2", "lan": "10.1.0.2"}, forwarding={"gateway_ports": "clientspecified"})
WEB = target("web", "127.0.0.1:3000", "here")


def plan(*things: object, **more: object) -> Plan:
    return make_plan(topology(*things), vocabulary=Vocabulary(), **more)  # type: ignore[arg-type]


def test_via_on_the_way_to_the_entry() -> None:
    bastion = server("bastion", {"net": "203.0.113.3", "lan": "10.1.0.3"})
    made = plan(NET, LAN, HERE, GATE, bastion, WEB, tunnel("web", at="gate", via=("bastion",), listen="localhost:8080"))
    found = made.tunnel("web")
    assert (found.direction, found.path) == ("remote", ("gate", "bastion", "here"))
    assert found.entry == "gate"
    assert made.session("gate").via == "bastion"


def test_a_network_enters_at_the_server_that_bears_the_address() -> None:
    other = server("aaa", {"net": "203.0.113.4", "lan": "10.1.0.4"}, forwarding={"gateway_ports": "yes"})
    made = plan(NET, LAN, HERE, GATE, other, WEB, tunnel("web", from_="lan", listen="10.1.0.2:8080"))
    assert made.tunnel("web").path == ("gate", "here")


def test_a_network_enters_at_the_nearest_server_that_it_can_dial() -> None:
    near = server("near", {"net": "203.0.113.4"}, forwarding={"gateway_ports": "clientspecified"})
    made = plan(NET, LAN, HERE, GATE, near, WEB, tunnel("web", from_="lan", listen="*:8080"))
    assert made.tunnel("web").path == ("gate", "here")
    assert str(made.tunnel("web").user) == "10.1.0.2:8080"


def test_a_host_without_a_server_enters_at_one_that_it_can_dial() -> None:
    colleague = host("colleague", networks={"lan": "10.1.0.7"})
    made = plan(NET, LAN, HERE, GATE, colleague, WEB, tunnel("web", from_="colleague", listen="10.1.0.2:8080"))
    assert (made.tunnel("web").path, made.tunnel("web").user.by) == (("gate", "here"), "colleague")  # type: ignore[union-attr]


def test_avoid_also_names_firewalls() -> None:
    far = network("far", "10.2.0.0/24")
    wall = firewall("wall", {"lan": "10.1.0.1", "far": "10.2.0.1"}, allow("any", "any"))
    db, inner = host("db", networks={"far": "10.2.0.9"}), server("inner", {"lan": "10.1.0.8", "far": "10.2.0.8"})
    things = (NET, LAN, far, HERE, GATE, wall, db, inner, target("db", "5432"))
    assert plan(*things).tunnel("db").path == ("here", "gate")
    assert plan(*things, tunnel("db", avoid=("wall",))).tunnel("db").path == ("here", "gate", "inner")


def test_an_unrelated_host_changes_no_plan() -> None:
    things = (NET, LAN, HERE, GATE, host("db", networks={"lan": "10.1.0.9"}), target("db", "5432"))
    assert (
        plan(*things, server("zzz", {"lan": "10.1.0.77"}, cost=9)).tunnel("db").dial == plan(*things).tunnel("db").dial
    )


def test_here_may_be_unknown_in_a_file_with_networks() -> None:
    gate = server("gate", {"lan": "10.1.0.2"}, ssh_host="gate.example")
    made = plan(LAN, gate, host("db", networks={"lan": "10.1.0.9"}), target("db", "5432"))
    assert str(made.session("gate").dial) == "gate.example:22"
    assert made.tunnel("db").path == ("localhost", "gate")


def test_ipv6_alone() -> None:
    six, wild = network("six", "2001:db8::/64"), network("net")
    gate = server("gate", {"net": "2001:db8:1::2", "six": "2001:db8::2"})
    made = plan(six, wild, HERE, gate, host("db", networks={"six": "2001:db8::9"}), target("db", "5432"))
    assert str(made.session("gate").dial) == "[2001:db8:1::2]:22"
    assert made.tunnel("db").dial is not None
    assert (made.tunnel("db").dial.host, str(made.tunnel("db").dial)) == ("2001:db8::9", "[2001:db8::9]:5432")  # type: ignore[union-attr]


def test_static_checks_tolerate_what_is_missing() -> None:
    lost = Rule(action="allow", sources=(Selector(kind="network", text="gone", name="gone"),), destinations=())
    wall = firewall(
        "wall", {"gone": "10.9.0.1"}, lost, nat=(publish("gone", 1, "nobody", 2),), route={"gone": "nobody"}
    )
    partial = topology(wall, client("a"), client("b"), tunnel("x", "nothing", "localhost:1", at="nobody"))
    assert check_statically(partial, vocabulary=Vocabulary()) == ()


def test_profiles_that_are_never_open_together_do_not_conflict() -> None:
    things = (NET, LAN, HERE, GATE, host("db", networks={"lan": "10.1.0.9"}), target("db", "5432"))
    apart = (tunnel("x", "db", "localhost:1", profiles=("p",)), tunnel("y", "db", "localhost:1", profiles=("q",)))
    assert check_statically(topology(*things, *apart), vocabulary=Vocabulary()) == ()
    always = (tunnel("x", "db", "localhost:1"), tunnel("y", "db", "localhost:1", profiles=("q",)))
    found = check_statically(topology(*things, *always), vocabulary=Vocabulary())
    assert {each.code for each in found} == {Code.LISTEN_CONFLICT}


def test_a_listener_where_a_target_listens_conflicts() -> None:
    made = plan(NET, LAN, HERE, GATE, WEB, target("x", "80", "gate"), tunnel("x", listen="localhost:3000"))
    assert Code.LISTEN_CONFLICT in {each.code for each in made.diagnostics}


def test_a_shadowed_rule_with_another_action_is_a_warning() -> None:
    wall = firewall(
        "w", {"net": "203.0.113.9", "lan": "10.1.0.1"}, allow("any", "@lan"), deny("any", "10.1.0.0/25", 22)
    )
    [found] = check_statically(topology(NET, LAN, wall), vocabulary=Vocabulary())
    assert (found.code, found.severity) == (Code.RULE_SHADOWED, "warning")
    assert found.place is not None
    assert found.place.line == 11
