"""Blocked tunnels: what is missing is enough, and the file's own tests say what does not hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra.diagnostics import Code
from orchestra.model.plan import Missing
from orchestra.model.topology import Host, Server, Target, Topology, Tunnel
from orchestra.planning import make_plan
from orchestra.plugin.vocabulary import Vocabulary
from tests.graph.oracle import topologies
from tests.planning.example import OFFICE as EXAMPLE
from tests.planning.example import VOCABULARY as WORDS
from tests.planning.example import loaded
from tests.planning.make import allow, firewall, hide, host, network, numbered, publish, rule, server, target, tunnel
from tests.planning.office import DB, GATE, HERE, LAN, NET, OFFICE, codes, edge, plan

PERMISSIONS = {"FIREWALL_DENY_RULE", "FIREWALL_DEFAULT_DENY", "FIREWALL_WRONG_DIRECTION", "INBOUND_DENY"}
INNER = server("gate", {"lan": "10.1.0.2"})
ON_LOOPBACK = target("db", "127.0.0.1:1", "gate")
NO_FORWARDS = server("gate", {"net": "203.0.113.2", "lan": "10.1.0.2"}, forwarding={"local": False})


def test_a_blocked_tunnel_names_rule_and_line_and_what_is_missing() -> None:
    made = plan(NET, LAN, HERE, edge(allow("any", "gate", 443)), INNER, target("db", "127.0.0.1:5432", "gate"))
    found = made.tunnel("db")
    assert (found.verdict, found.path) == ("unreachable", ("here", "gate"))
    [problem] = made.diagnostics
    assert (problem.code, problem.tunnel) == (Code.FIREWALL_DEFAULT_DENY, "db")
    assert "rule 1 (allow any to gate port 443) differs in `ports` (t.yaml:10:9)" in (problem.suggestion or "")
    assert [(each.by, str(each), each.means) for each in found.blocked] == [
        ("here", "10.1.0.2:22", "gate"),
        ("gate", "127.0.0.1:5432", "gate"),
    ]
    assert [reason.passes for reason in found.blocked[0].reasons].count(False) == 2
    [missing] = found.missing
    assert (missing.kind, missing.at, missing.from_, missing.to, missing.address, missing.port) == (
        "firewall",
        "edge",
        "here",
        "gate",
        "10.1.0.2",
        22,
    )


def test_the_opposite_way_is_offered() -> None:
    made = plan(NET, LAN, HERE, edge(allow("@lan", "@net", 22)), INNER, target("db", "127.0.0.1:5432", "gate"))
    [problem] = made.diagnostics
    assert problem.code is Code.FIREWALL_WRONG_DIRECTION
    assert (problem.suggestion or "").startswith("the opposite way passes: ")


def test_the_path_that_lacks_the_fewest_permissions_is_shown() -> None:
    far = network("far", "10.2.0.0/24")
    inner = firewall("inner", {"lan": "10.1.0.3", "far": "10.2.0.1"})
    db = host("db", networks={"far": "10.2.0.9"})
    made = plan(NET, LAN, far, HERE, edge(allow("any", "gate", 22)), inner, INNER, db, target("db", "5432"))
    assert made.tunnel("db").path == ("here", "gate")
    assert [(each.at, each.from_, each.port) for each in made.tunnel("db").missing] == [("inner", "gate", 5432)]


def test_opening_ssh_is_offered_before_opening_the_service() -> None:
    """Either takes one permission; the session protects what is carried."""
    gw = server("gw", {"lan": "10.1.0.2"}, cost=7)
    made = plan(NET, LAN, HERE, edge(allow("any", "gw", 443)), gw, DB, target("db", "5432"))
    found = made.tunnel("db")
    assert (found.path, found.direction) == (("here", "gw"), "local")
    assert [(each.at, each.from_, each.to, each.port) for each in found.missing] == [("edge", "here", "gw", 22)]


def test_no_permission_is_asked_for_an_address_that_means_another() -> None:
    """The nat entry is for what arrives from the other side; port 2222 is the firewall's own here."""
    mid = network("mid", "10.2.0.0/24")
    outer = firewall("outer", {"net": "198.51.100.1", "mid": "10.2.0.2"})
    inner = firewall("inner", {"mid": "10.2.0.1", "lan": "10.1.0.1"}, nat=(publish("lan", 2222, "gate", 22),))
    found = plan(NET, LAN, mid, HERE, outer, inner, INNER, DB, target("db", "80")).tunnel("db")
    assert {(each.at, each.to, each.address, each.port) for each in found.missing} == {
        ("outer", "gate", "10.1.0.2", 22),
        ("inner", "gate", "10.1.0.2", 22),
    }


def test_fewer_permissions_come_before_protection() -> None:
    two = network("two", "10.2.0.0/24")
    inner = firewall("inner", {"lan": "10.1.0.3", "two": "10.2.0.1"})
    gw = server("gw", {"two": "10.2.0.2"})
    found = plan(NET, LAN, two, HERE, edge(), inner, gw, DB, target("db", "5432")).tunnel("db")
    assert (found.path, found.direction) == (("here",), "direct")
    assert [(each.at, each.to, each.port) for each in found.missing] == [("edge", "db", 5432)]


def test_a_service_of_this_machine_needs_no_protection() -> None:
    closed = server("gate", {"net": "203.0.113.2"}, forwarding={"remote": False})
    web = target("web", "127.0.0.1:3000", "here")
    found = plan(NET, HERE, closed, web, tunnel("web", listen="localhost:1", at="gate")).tunnel("web")
    assert (found.verdict, found.path, found.direction) == ("unreachable", ("gate", "here"), "remote")


def test_the_opposite_way_to_the_server_is_the_first_that_is_said() -> None:
    rules = edge(allow("any", "gate", 443), allow("@lan", "@net", 22))
    [problem] = plan(NET, LAN, HERE, rules, INNER, DB, target("db", "5432")).diagnostics
    assert problem.code is Code.FIREWALL_WRONG_DIRECTION
    first, second = (problem.suggestion or "").split("; ")[:2]
    assert first == ("the opposite way passes: rule 2 (allow lan to net port 22) of edge (t.yaml:11:9)")
    assert second.startswith("nearest: ")


@pytest.mark.parametrize(
    ("things", "code"),
    [
        ((edge(allow("any", "any"), nat=(hide("net"),)), INNER, ON_LOOPBACK), Code.NAT_UNMAPPED),
        ((INNER, ON_LOOPBACK), Code.NO_SHARED_NETWORK),
        ((GATE, DB, target("db", "127.0.0.1:1")), Code.LOOPBACK_ELSEWHERE),
        ((GATE, host("x", networks={"lan": None}), target("x", "1")), Code.NO_ADDRESS_AT_HOP),
        ((NO_FORWARDS, DB, target("db", "1")), Code.FORWARDING_DISABLED),
    ],
)
def test_codes_of_what_blocks(things: tuple[object, ...], code: Code) -> None:
    made = plan(NET, LAN, HERE, *things)
    assert made.tunnels[0].verdict == "unreachable"
    assert code in codes(made)
    assert all(each.message and (each.place or each.tunnel) for each in made.diagnostics)


def test_every_diagnostic_of_a_blocked_tunnel_says_what_to_do() -> None:
    made = plan(NET, LAN, HERE, edge(), INNER, target("db", "127.0.0.1:5432", "gate"))
    assert all(each.suggestion for each in made.diagnostics if each.severity == "error")


def test_constraints_that_cannot_hold_are_said() -> None:
    assert codes(plan(*OFFICE, target("db", "80"), tunnel("db", avoid=("gate",)))) >= {Code.AVOID_UNSATISFIED}
    lost = server("lost", behind=("nobody",), ssh_host="lost")
    assert Code.VIA_UNSATISFIED in codes(plan(*OFFICE, lost, target("db", "80"), tunnel("db", via=("lost",))))
    assert Code.NOT_AN_SSH_SERVER in codes(plan(*OFFICE, target("db", "80"), tunnel("db", via=("db",))))


def test_ways_that_need_no_change_are_told_with_the_blocked_path() -> None:
    out, jump = edge(allow("@lan", "@net", 22)), server("jump", {"net": "203.0.113.9"})
    found = plan(NET, LAN, HERE, out, INNER, jump, DB, target("db", "5432")).tunnel("db")
    assert found.instead[0] == (
        "db can listen at jump (localhost:5432), where here comes to it over its session to jump"
    )
    assert plan(NET, LAN, HERE, edge(), INNER, jump, DB, target("db", "5432")).tunnel("db").instead == ()


def test_nothing_is_said_to_be_missing_where_no_permission_would_do() -> None:
    apart = server("gate", {"lan": "10.1.0.2"}, forwarding={"permit_open": ()})
    found = plan(NET, LAN, HERE, apart, DB, target("db", "5432")).tunnel("db")
    assert (found.verdict, found.missing) == ("unreachable", ())
    assert any(not reason.passes for dial in found.blocked for reason in dial.reasons)


def test_without_the_constraint_a_path_that_would_do_is_named() -> None:
    other = server("other", {"net": "203.0.113.7"}, forwarding={"local": False})
    made = plan(NET, LAN, HERE, GATE, other, DB, target("db", "80"), tunnel("db", via=("other",)))
    [said] = [each for each in made.diagnostics if each.code is Code.VIA_UNSATISFIED]
    assert said.suggestion == "leave `via` out, or change it: here → gate would do"


def test_a_blocked_path_passes_no_firewall_that_is_to_be_avoided() -> None:
    side = firewall("side", {"net": "198.51.100.9", "lan": "10.1.0.8"}, allow("any", "any"))
    here = replace(HERE, route={"lan": "side"})
    made = plan(NET, LAN, here, edge(), side, INNER, DB, target("db", "80"), tunnel("db", avoid=("side",)))
    assert made.tunnel("db").verdict == "unreachable"
    assert Code.AVOID_UNSATISFIED in codes(made)


def permitted(source: Topology, missing: tuple[Missing, ...]) -> Topology:
    """The topology with the missing permissions as first rules."""
    hosts = dict(source.hosts)
    for each in missing:
        host: Host = hosts[each.at]
        opened = rule("allow", each.from_, each.to or "any", *([each.port] if each.port else []))
        inbound = None if host.inbound is None else numbered([opened, *host.inbound])
        hosts[each.at] = replace(host, rules=numbered([opened, *host.rules]), inbound=inbound)
    return replace(source, hosts=hosts)


@settings(max_examples=80, deadline=None)
@given(topologies(), st.booleans())
def test_what_is_missing_is_enough(source: Topology, both: bool) -> None:
    servers = ("h1", "h2") if both else ("h1",)
    hosts = {name: replace(each, server=Server()) if name in servers else each for name, each in source.hosts.items()}
    wanted: Target = target("t", "80", "h2")
    source = replace(source, hosts=hosts, targets={"t": wanted}, tunnels={"t": Tunnel(name="t", to="t")})
    plan = make_plan(source, vocabulary=Vocabulary())
    found = plan.tunnel("t")
    assert (found.verdict == "unreachable") == any(each.severity == "error" for each in plan.diagnostics)
    if found.verdict == "reachable":
        return
    assert found.blocked
    assert any(not reason.passes for dial in found.blocked for reason in dial.reasons)
    if all(each.code in PERMISSIONS for each in plan.diagnostics if each.severity == "error"):
        assert found.missing
        assert make_plan(permitted(source, found.missing), vocabulary=Vocabulary()).tunnel("t").verdict == "reachable"


def test_a_denying_firewall_is_named_with_file_and_line(tmp_path: Path) -> None:
    made = make_plan(loaded(tmp_path, EXAMPLE.replace("ports: [22]}", "ports: [2022]}")), vocabulary=WORDS)
    denied = [each for each in made.diagnostics if each.tunnel == "desk" and each.severity == "error"]
    line = 1 + EXAMPLE[: EXAMPLE.index("- {deny: {from: any")].count("\n")
    assert [(each.code, each.place.line if each.place else None) for each in denied] == [
        (Code.FIREWALL_DENY_RULE, line)
    ]
    assert "'ops-ssh' differs in `ports`" in (denied[0].suggestion or "")


AT_A = (NET, LAN, network("inner", "10.2.0.0/24"), HERE, server("a", {"lan": "10.1.0.7"}))
INSIDE = (host("box", networks={"inner": "10.2.0.9"}), target("box", "10.2.0.9:80", "box"))


def test_what_both_ways_of_a_tunnel_lack_is_missing_once() -> None:
    gate = server("gate", {"net": "203.0.113.2", "lan": "10.1.0.2", "inner": "10.2.0.2"}, forwarding={"local": False})
    made = plan(*AT_A, *INSIDE, gate, tunnel("box", to="box", at="a", listen="localhost:80"))
    assert [(each.at, each.setting) for each in made.tunnels[0].missing] == [("gate", "local")]
    assert {dial.by for dial in made.tunnels[0].blocked} == {"here", "gate"}


def test_the_way_in_is_the_one_that_the_way_out_can_share() -> None:
    """By itself either gate would do for the way in, and the first would be taken."""
    gates = (
        server("gate1", {"net": "203.0.113.1", "lan": "10.1.0.1"}, forwarding={"local": False}),
        server("gate2", {"net": "203.0.113.2", "lan": "10.1.0.2", "inner": "10.2.0.2"}, forwarding={"local": False}),
    )
    made = plan(*AT_A, *INSIDE, *gates, tunnel("box", to="box", at="a", listen="localhost:80"))
    assert [(each.at, each.setting) for each in made.tunnels[0].missing] == [("gate2", "local")]
    assert made.tunnels[0].path == ("a", "gate2", "here", "gate2")
