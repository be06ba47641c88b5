"""One tunnel: its kind, its entry and exit, and the way between them."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.model.topology import Tunnel
from orchestra.planning.context import make_context
from orchestra.planning.sessions import search
from orchestra.planning.tunnels import make_request, possible_exits, solve
from tests.planning.make import allow, firewall, host, network, server, target, topology, tunnel
from tests.planning.office import DB, HERE, LAN, NET, OFFICE, OPEN_GATE, VOCABULARY, WEB, codes, gates_of, only, plan


def test_via_in_order_avoid_and_exit() -> None:
    gates = gates_of("abc")
    things = (NET, LAN, HERE, *gates, DB, target("db", "80"))
    assert only(*things, tunnel("db", via=("c", "a"))).path == ("here", "c", "a")
    assert only(*things, tunnel("db", avoid=("a",))).path == ("here", "b")
    assert only(*things, tunnel("db", exit="c")).path == ("here", "c")
    assert only(*things, tunnel("db", exit="c", via=("b",))).path == ("here", "b", "c")


def test_bridge_is_joined_here() -> None:
    north, south = network("north", "10.1.0.0/24"), network("south", "10.2.0.0/24")
    gates = (
        server("n", {"net": "203.0.113.1", "north": "10.1.0.2"}, forwarding={"gateway_ports": "clientspecified"}),
        server("s", {"net": "203.0.113.2", "south": "10.2.0.2"}),
    )
    erp = host("erp", networks={"south": "10.2.0.40"})
    wanted = tunnel("erp", from_="north", listen="10.1.0.2:8443")
    made = only(NET, north, south, HERE, *gates, erp, target("erp", "8443"), wanted)
    assert (made.direction, made.path) == ("bridge", ("n", "here", "s"))
    assert (made.entry, made.exit) == ("n", "s")


def test_entry_and_exit_share_sessions() -> None:
    made = only(*OFFICE, target("db", "5432"), tunnel("db", at="gate", listen="localhost:8080"))
    assert (made.direction, made.path, made.sessions) == ("bridge", ("gate", "here", "gate"), ("gate",))


def test_a_kind_without_one_target_has_an_exit_and_no_dial() -> None:
    made = only(*OFFICE, Tunnel(name="proxy", kind="socks", exit="gate"))
    assert (made.verdict, made.dial, made.exit, made.direction) == ("reachable", None, "gate", "local")


def test_what_a_kind_does_not_take() -> None:
    dns = target("dns", "53", "db", protocol="udp")
    assert codes(plan(*OFFICE, dns)) == {Code.KIND_CANNOT}
    made = plan(*OFFICE, dns, tunnel("dns", kind="udp"))
    assert made.tunnel("dns").verdict == "reachable"
    assert made.tunnel("dns").protocol == "udp"
    assert codes(plan(*OFFICE, target("db", "1"), tunnel("db", kind="socks", exit="gate"))) == {Code.KIND_CANNOT}


def test_via_on_the_way_to_the_entry() -> None:
    bastion = server("bastion", {"net": "203.0.113.3", "lan": "10.1.0.3"})
    made = plan(
        NET, LAN, HERE, OPEN_GATE, bastion, WEB, tunnel("web", at="gate", via=("bastion",), listen="localhost:8080")
    )
    found = made.tunnel("web")
    assert (found.direction, found.path) == ("remote", ("gate", "bastion", "here"))
    assert found.entry == "gate"
    assert made.session("gate").via == "bastion"


def test_avoid_also_names_firewalls() -> None:
    far = network("far", "10.2.0.0/24")
    wall = firewall("wall", {"lan": "10.1.0.1", "far": "10.2.0.1"}, allow("any", "any"))
    db, inner = host("db", networks={"far": "10.2.0.9"}), server("inner", {"lan": "10.1.0.8", "far": "10.2.0.8"})
    things = (NET, LAN, far, HERE, OPEN_GATE, wall, db, inner, target("db", "5432"))
    assert plan(*things).tunnel("db").path == ("here", "gate")
    assert plan(*things, tunnel("db", avoid=("wall",))).tunnel("db").path == ("here", "gate", "inner")


@pytest.mark.parametrize(
    ("wanted", "exit_", "codes"),
    [
        (Tunnel(name="p", kind="socks"), "gate", []),  # the only server
        (Tunnel(name="p", kind="socks", via=("gate",)), "gate", []),
        (Tunnel(name="p", kind="tcp"), None, [Code.KIND_CANNOT]),  # it leads nowhere
        (Tunnel(name="p", kind="socks", exit="db"), "db", [Code.NOT_AN_SSH_SERVER]),
        (Tunnel(name="p", to="t", via=("db", "gate")), None, [Code.NOT_AN_SSH_SERVER]),
        (Tunnel(name="p", to="t", kind="udp"), None, [Code.KIND_CANNOT]),
    ],
)
def test_what_is_resolved_before_any_path(wanted: Tunnel, exit_: str | None, codes: list[Code]) -> None:
    context = make_context(topology(*OFFICE, target("t", "80", "db")), "here", VOCABULARY)
    request = make_request(context, wanted)
    assert (request.exit, [each.code for each in request.problems]) == (exit_, codes)
    if codes:
        assert solve(context, request, free_ports=False) is None


def test_with_several_servers_a_tunnel_without_a_target_must_name_its_exit() -> None:
    context = make_context(topology(NET, LAN, HERE, *gates_of("ab")), "here", VOCABULARY)
    request = make_request(context, Tunnel(name="p", kind="socks"))
    assert [each.code for each in request.problems] == [Code.AMBIGUOUS_EXIT]


def test_via_is_split_between_the_ways_in_and_out_so_that_nothing_is_passed_twice() -> None:
    context = make_context(topology(NET, LAN, HERE, *gates_of("abc"), DB, target("t", "80", "db")), "here", VOCABULARY)
    request = make_request(context, Tunnel(name="p", to="t", at="a", via=("b",)))
    solution = solve(context, request, free_ports=False)
    assert solution is not None
    assert (solution.path("here"), solution.hops) == (("a", "here", "b"), ("a", "b"))
    found = possible_exits(context, search(context), request)
    exits = [(chain.servers, made.text if made else None) for chain, made in found]
    assert exits == [(("a",), "10.1.0.9"), (("b",), "10.1.0.9"), (("c",), "10.1.0.9")]
