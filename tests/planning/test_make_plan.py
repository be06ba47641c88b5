"""Topology in, plan out: one test for each sentence about text, path, direction and listeners."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra.diagnostics import Code
from orchestra.errors import TopologyInvalid, UsageError
from orchestra.model.plan import Plan, PlannedListen, PlannedTunnel
from orchestra.model.topology import Host, Rule, Topology, Tunnel
from orchestra.planning import choose_client, make_plan
from orchestra.plugin.vocabulary import KindSpec, TransportSpec, Vocabulary
from tests.planning.make import (
    allow,
    client,
    firewall,
    hide,
    host,
    network,
    publish,
    server,
    target,
    topology,
    tunnel,
)

VOCABULARY = Vocabulary(
    kinds={
        "tcp": KindSpec(name="tcp"),
        "udp": KindSpec(name="udp", protocols=("udp",)),
        "socks": KindSpec(name="socks", to="no"),
    },
    transports={"ssh": TransportSpec(name="ssh"), "pod": TransportSpec(name="pod", dialed=False, listen=False)},
)


def plan(*things: object, **more: object) -> Plan:
    return make_plan(topology(*things), vocabulary=VOCABULARY, **more)  # type: ignore[arg-type]


def only(*things: object, **more: object) -> PlannedTunnel:
    made = plan(*things, **more)
    assert len(made.tunnels) == 1
    return made.tunnels[0]


def codes(made: Plan) -> set[Code]:
    return {each.code for each in made.diagnostics if each.severity == "error"}


def dialed(tunnel: PlannedTunnel) -> str:
    assert tunnel.verdict == "reachable", tunnel.blocked
    assert tunnel.dial is not None
    return f"{tunnel.dial.by} dials {tunnel.dial} = {tunnel.dial.means}"


NET, LAN = network("net"), network("lan", "10.1.0.0/24")
HERE = client("here", {"net": None})
GATE = server("gate", {"net": "203.0.113.2", "lan": "10.1.0.2"})
DB = host("db", networks={"lan": "10.1.0.9"})
OFFICE = (NET, LAN, HERE, GATE, DB)


def gates_of(names: str, *costs: int) -> list[Host]:
    """Servers on both networks, one for each letter."""
    priced = dict(zip(names, costs, strict=False))
    return [
        server(name, {"net": f"203.0.113.{n}", "lan": f"10.1.0.{n}"}, cost=priced.get(name, 0))
        for n, name in enumerate(names, 1)
    ]


def edge(*rules: Rule, **more: object) -> Host:
    return firewall("edge", {"net": "198.51.100.1", "lan": "10.1.0.1"}, *rules, **more)


# without networks


def test_the_shortest_file() -> None:
    made = plan(server("bastion", ssh_host="bastion.example"), target("db", "db.internal:5432"))
    assert [str(each.dial) for each in made.sessions] == ["bastion.example:22"]
    assert dialed(made.tunnel("db")) == "bastion dials db.internal:5432 = db"
    assert made.tunnel("db").path == ("localhost", "bastion")
    assert made.tunnel("db").direction == "local"
    assert made.tunnel("db").listen.addresses == ("127.0.0.1:5432", "[::1]:5432")  # type: ignore[union-attr]
    assert {each.code for each in made.diagnostics} == {Code.ASSUMED_NAME_RESOLVES}


def test_a_server_behind_another_is_dialed_through_it() -> None:
    made = plan(
        server("outer", ssh_host="outer.example"),
        server("inner", ssh_host="inner.lan", ssh_port=2022, behind=("outer",)),
        target("db", "127.0.0.1:5432", "inner"),
    )
    assert [(each.id, each.via, each.dial.by, str(each.dial)) for each in made.sessions] == [
        ("outer", None, "localhost", "outer.example:22"),
        ("inner", "outer", "outer", "inner.lan:2022"),
    ]
    assert dialed(made.tunnel("db")) == "inner dials 127.0.0.1:5432 = inner"


def test_a_target_behind_a_host_is_dialed_by_it() -> None:
    things = (server("x", ssh_host="x"), server("y", ssh_host="y"))
    assert dialed(only(*things, target("db", "db:5432", behind=("y",)))) == "y dials db:5432 = db"


def test_with_several_servers_the_file_must_say() -> None:
    things = (server("x", ssh_host="x"), server("y", ssh_host="y"), target("db", "db:5432"))
    assert codes(plan(*things)) == {Code.AMBIGUOUS_EXIT}
    assert dialed(only(*things, tunnel("db", exit="y"))) == "y dials db:5432 = db"
    assert dialed(only(*things, tunnel("db", via=("x",)))) == "x dials db:5432 = db"


def test_without_a_server_here_dials() -> None:
    assert dialed(only(target("db", "db:5432"))) == "localhost dials db:5432 = db"


# what text is dialed


def test_what_nat_publishes_comes_first() -> None:
    published = edge(allow("any", "any"), nat=(publish("net", 2222, "gate", 22),))
    inside = server("gate", {"lan": "10.1.0.2"})
    made = plan(NET, LAN, HERE, published, inside, target("db", "127.0.0.1:5432", "gate"))
    assert str(made.session("gate").dial) == "198.51.100.1:2222"
    assert made.session("gate").dial.means == "gate"


def test_then_the_text_as_written_then_addresses_then_names() -> None:
    named = host("db", networks={"lan": "10.1.0.9"}, names=["db.lan"])
    things = (NET, LAN, HERE, named)
    assert dialed(only(*things, GATE, target("db", "db.lan:5432"))) == "gate dials db.lan:5432 = db"
    assert dialed(only(*things, GATE, target("db", "5432"))) == "gate dials 10.1.0.9:5432 = db"
    strict = server("gate", {"net": "203.0.113.2", "lan": "10.1.0.2"}, forwarding={"permit_open": ("db.lan:*",)})
    assert dialed(only(*things, strict, target("db", "5432"))) == "gate dials db.lan:5432 = db"


@pytest.mark.parametrize(
    ("permitted", "passes"),
    [
        ("localhost:5432", True),
        ("127.0.0.1:5432", False),
        ("LOCALHOST:5432", False),
        ("*:5432", True),
        ("localhost:*", True),
    ],
)
def test_permit_open_compares_the_literal_text(permitted: str, passes: bool) -> None:
    gate = server("gate", {"net": "203.0.113.2"}, forwarding={"permit_open": (permitted,)})
    made = plan(NET, HERE, gate, target("db", "localhost:5432", "gate"))
    assert (made.tunnel("db").verdict == "reachable") is passes
    if not passes:
        assert codes(made) == {Code.PERMITOPEN_MISMATCH}
        assert [(each.kind, each.at, each.address, each.port) for each in made.tunnel("db").missing] == [
            ("sshd", "gate", "localhost", 5432)
        ]


def test_a_wildcard_on_the_dialer_itself_is_dialed_on_loopback() -> None:
    web = (target("web", "8080", "gate"), tunnel("web", exit="gate"))
    assert dialed(only(NET, HERE, GATE, *web)) == "gate dials 127.0.0.1:8080 = gate"
    six = server("gate", {"net": "203.0.113.2"}, forwarding={"permit_open": ("[::1]:8080",)})
    assert dialed(only(NET, HERE, six, *web)) == "gate dials [::1]:8080 = gate"


def test_ssh_host_is_dialed_when_no_network_gives_an_address() -> None:
    gate = server("gate", {"lan": "10.1.0.2"}, ssh_host="gate.example", ssh_port=2022)
    made = plan(NET, LAN, HERE, gate, DB, target("db", "5432"))
    assert str(made.session("gate").dial) == "gate.example:2022"
    near = client("here", {"lan": None})
    made = plan(NET, LAN, near, gate, DB, target("db", "5432"), tunnel("db", via=("gate",)))
    assert str(made.session("gate").dial) == "10.1.0.2:2022"


def test_overlapping_networks_at_two_sites() -> None:
    one, two = network("one", "192.168.1.0/24"), network("two", "192.168.1.0/24")
    gates = (
        server("g1", {"net": "203.0.113.1", "one": "192.168.1.1"}),
        server("g2", {"net": "203.0.113.2", "two": "192.168.1.1"}),
    )
    x, y = host("x", networks={"one": "192.168.1.9"}), host("y", networks={"two": "192.168.1.9"})
    made = plan(NET, one, two, HERE, *gates, x, y, target("x", "80"), target("y", "192.168.1.9:80"))
    assert dialed(made.tunnel("x")) == "g1 dials 192.168.1.9:80 = x"
    assert dialed(made.tunnel("y")) == "g2 dials 192.168.1.9:80 = y"


def test_two_accounts_of_one_machine_share_its_loopback() -> None:
    ci = server("ci", {"net": "203.0.113.2"}, user="ci", cost=5)
    ops = server("ops", {"net": "203.0.113.2"}, user="ops", cost=1)
    made = plan(NET, HERE, ci, ops, target("db", "127.0.0.1:5432", "ci"))
    assert made.tunnel("db").path == ("here", "ops")


def test_unix_sockets_are_dialed_on_their_own_host() -> None:
    made = only(NET, HERE, GATE, target("docker", "unix:/run/docker.sock", "gate"))
    assert made.dial is not None
    assert (made.dial.path, made.dial.by, made.dial.means) == ("/run/docker.sock", "gate", "gate")
    closed = server("gate", {"net": "203.0.113.2"}, forwarding={"unix": False})
    assert codes(plan(NET, HERE, closed, target("docker", "unix:/run/docker.sock", "gate"))) == {
        Code.FORWARDING_DISABLED
    }


# paths


def test_each_session_is_dialed_through_the_one_before() -> None:
    far = network("far", "10.2.0.0/24")
    inner = server("inner", {"lan": "10.1.0.3", "far": "10.2.0.3"})
    made = plan(*OFFICE[:4], far, inner, host("x", networks={"far": "10.2.0.9"}), target("x", "80"))
    assert [(each.id, each.via, each.dial.by, each.depth) for each in made.sessions] == [
        ("gate", None, "here", 1),
        ("inner", "gate", "gate", 2),
    ]
    assert made.tunnel("x").path == ("here", "gate", "inner")
    assert made.tunnel("x").sessions == ("gate", "inner")


def test_least_cost_then_fewest_sessions_then_names() -> None:
    def pair(a: int, b: int) -> tuple[str, ...]:
        gates = gates_of("ab", a, b)
        return only(NET, LAN, HERE, *gates, DB, target("db", "80")).path

    assert pair(1, 0) == ("here", "b")
    assert pair(0, 0) == ("here", "a")
    assert pair(0, 1) == ("here", "a")


def test_via_in_order_avoid_and_exit() -> None:
    gates = gates_of("abc")
    things = (NET, LAN, HERE, *gates, DB, target("db", "80"))
    assert only(*things, tunnel("db", via=("c", "a"))).path == ("here", "c", "a")
    assert only(*things, tunnel("db", avoid=("a",))).path == ("here", "b")
    assert only(*things, tunnel("db", exit="c")).path == ("here", "c")
    assert only(*things, tunnel("db", exit="c", via=("b",))).path == ("here", "b", "c")


def test_constraints_that_cannot_hold_are_said() -> None:
    assert codes(plan(*OFFICE, target("db", "80"), tunnel("db", avoid=("gate",)))) >= {Code.AVOID_UNSATISFIED}
    lost = server("lost", behind=("nobody",), ssh_host="lost")
    assert Code.VIA_UNSATISFIED in codes(plan(*OFFICE, lost, target("db", "80"), tunnel("db", via=("lost",))))
    assert Code.NOT_AN_SSH_SERVER in codes(plan(*OFFICE, target("db", "80"), tunnel("db", via=("db",))))


def test_one_server_may_need_two_sessions() -> None:
    targets = (target("db", "80"), target("x", "127.0.0.1:81", "a"))
    tunnels = (tunnel("db", via=("b", "a")), tunnel("x"))
    made = plan(NET, LAN, HERE, *gates_of("ab"), DB, *targets, *tunnels)
    assert {each.id: (each.server, each.via) for each in made.sessions} == {
        "a": ("a", None),
        "b": ("b", None),
        "a~2": ("a", "b"),
    }
    assert made.tunnel("db").exit == "a~2"


def test_alternatives_are_listed_hop_disjoint_first_and_open_for_failover() -> None:
    gates = gates_of("abcde")
    made = only(NET, LAN, HERE, *gates, DB, target("db", "80"))
    assert [each.path for each in made.alternatives] == [("here", "b"), ("here", "c"), ("here", "d")]
    assert [each.sessions for each in made.alternatives] == [(), (), ()]
    made = only(NET, LAN, HERE, *gates[:2], DB, target("db", "80"), tunnel("db", failover=True))
    assert [(each.sessions, each.exit, str(each.dial)) for each in made.alternatives] == [(("b",), "b", "10.1.0.9:80")]


def test_a_transport_that_is_not_dialed_needs_no_network() -> None:
    made = plan(NET, LAN, HERE, server("pod", {"lan": "10.1.0.7"}, transport="pod"), DB, target("db", "80"))
    assert (made.session("pod").dial.transport, made.session("pod").dial.host) == ("pod", None)
    assert dialed(made.tunnel("db")) == "pod dials 10.1.0.9:80 = db"


def test_what_a_transport_cannot_do() -> None:
    pod = server("pod", {"net": "203.0.113.7"}, transport="pod")
    web = target("web", "127.0.0.1:3000", "here")
    assert codes(plan(NET, HERE, pod, web, tunnel("web", at="pod", listen="localhost:8080"))) == {Code.TRANSPORT_CANNOT}


def test_behind_narrows_whatever_the_networks_say() -> None:
    both = (*OFFICE[:4], server("other", {"net": "203.0.113.3", "lan": "10.1.0.3"}), DB)
    assert only(*both, target("db", "80", behind=("other",))).path == ("here", "other")


# direction


def test_direct_is_said_to_be_unprotected() -> None:
    made = plan(LAN, client("here", {"lan": None}), DB, target("db", "80"))
    assert made.tunnel("db").direction == "direct"
    assert made.tunnel("db").sessions == ()
    assert {each.code for each in made.diagnostics} >= {Code.UNPROTECTED_DIRECT}


def test_remote_enters_at_a_server_and_leaves_here() -> None:
    gate = server("gate", {"net": "203.0.113.2", "lan": "10.1.0.2"}, forwarding={"gateway_ports": "clientspecified"})
    web = target("web", "127.0.0.1:3000", "here")
    made = plan(NET, LAN, HERE, gate, web, tunnel("web", at="gate", from_="lan", listen="10.1.0.2:8080"))
    found = made.tunnel("web")
    assert (found.direction, found.path, found.entry, found.exit) == ("remote", ("gate", "here"), "gate", None)
    assert dialed(found) == "here dials 127.0.0.1:3000 = here"
    assert found.user is not None
    assert (found.user.by, str(found.user), found.user.means) == ("a host of lan", "10.1.0.2:8080", "gate")
    assert {each.code for each in made.diagnostics} == {Code.LISTEN_EXPOSED}


def test_an_unnamed_host_of_from_must_be_able_to_dial_the_listener() -> None:
    gate = {"net": "203.0.113.2", "lan": "10.1.0.2"}
    web = target("web", "127.0.0.1:3000", "here")
    wanted = tunnel("web", at="gate", from_="lan", listen="10.1.0.2:8080")
    shut = server("gate", gate, forwarding={"gateway_ports": "clientspecified"}, inbound=(allow("here", "any"),))
    assert codes(plan(NET, LAN, HERE, shut, web, wanted)) == {Code.INBOUND_DENY}
    opened = server("gate", gate, forwarding={"gateway_ports": "clientspecified"})
    inside = tunnel("web", at="gate", from_="lan", listen="localhost:8080")
    assert codes(plan(NET, LAN, HERE, opened, web, inside)) == {Code.LOOPBACK_ELSEWHERE}


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


def test_from_a_server_enters_there() -> None:
    made = only(*OFFICE, target("web", "127.0.0.1:3000", "here"), tunnel("web", from_="gate", listen="localhost:8080"))
    assert (made.direction, made.user) == ("remote", None)


# who holds it


def test_what_another_client_holds_is_elsewhere_and_its_listener_is_an_address_of_the_target() -> None:
    other = client("other", {"net": None})
    gate = server("gate", {"net": "203.0.113.2"}, forwarding={"gateway_ports": "clientspecified"})
    things = (NET, HERE, other, gate, target("web", "127.0.0.1:3000", "other"))
    callback = tunnel("callback", "web", "localhost:9000", at="gate", by="other")
    made = plan(*things, callback, tunnel("mine", "web", "localhost:3000", by="here"), client="here")
    assert (made.tunnel("callback").verdict, made.tunnel("callback").held_by) == ("elsewhere", "other")
    assert dialed(made.tunnel("mine")) == "gate dials 127.0.0.1:9000 = gate"
    assert codes(made) == set()


def test_who_is_here() -> None:
    assert choose_client(topology(), None) == "localhost"
    assert choose_client(topology(HERE, NET), None) == "here"
    with pytest.raises(TopologyInvalid) as raised:
        choose_client(topology(HERE, client("b"), NET), None)
    assert raised.value.diagnostics[0].code is Code.AMBIGUOUS_CLIENT
    with pytest.raises(UsageError, match="no client 'nobody'"):
        choose_client(topology(HERE, NET), "nobody")


def test_several_clients_could_hold_it() -> None:
    things = (NET, LAN, HERE, client("b", {"net": None}), GATE, target("db", "127.0.0.1:1", "gate"))
    assert codes(plan(*things, tunnel("db", at="gate", listen="auto"), client="b")) == {Code.AMBIGUOUS_CLIENT}


def test_names_and_profiles_select() -> None:
    things = (*OFFICE, target("db", "5432"), tunnel("x", "db", "auto"), tunnel("y", "db", "auto", profiles=("g",)))
    assert [each.name for each in plan(*things).tunnels] == ["x"]
    assert [each.name for each in plan(*things, profiles=["g"]).tunnels] == ["x", "y"]
    assert [each.name for each in plan(*things, tunnels=["y"]).tunnels] == ["y"]
    with pytest.raises(UsageError, match="no tunnel 'z'"):
        plan(*things, tunnels=["z"])


# listeners


def listen_of(*tunnels: Tunnel, gate: Host = GATE, **more: object) -> PlannedListen:
    targets = (target("db", "5432"), target("web", "127.0.0.1:3000", "here"))
    found = only(NET, LAN, HERE, gate, DB, *targets, *tunnels, **more).listen
    assert found is not None
    return found


def requests(listen: PlannedListen) -> list[str]:
    return [str(each) for each in listen.requests]


def test_the_default_is_the_targets_port_on_every_loopback() -> None:
    listen = listen_of(tunnel("db"))
    assert requests(listen) == ["127.0.0.1:5432", "[::1]:5432"]
    assert not listen.exposed


def test_below_1024_any_free_port_is_taken_and_said() -> None:
    made = plan(*OFFICE, target("db", "80"))
    assert made.tunnel("db").listen.addresses == ("127.0.0.1:auto", "[::1]:auto")  # type: ignore[union-attr]
    assert Code.LISTEN_ANY_PORT in {each.code for each in made.diagnostics}


def test_free_ports_are_for_what_the_file_leaves_out() -> None:
    assert requests(listen_of(tunnel("db"), free_ports=True)) == ["127.0.0.1:auto", "[::1]:auto"]
    assert requests(listen_of(tunnel("db", listen="localhost:99"), free_ports=True)) == ["127.0.0.1:99", "[::1]:99"]


@pytest.mark.parametrize(
    ("listen", "family", "expected"),
    [
        ("auto", None, ["127.0.0.1:auto", "[::1]:auto"]),
        ("localhost:8080", "ipv4", ["127.0.0.1:8080"]),
        ("localhost:8080", "ipv6", ["[::1]:8080"]),
        ("127.0.0.1:8080", None, ["127.0.0.1:8080"]),
        ("*:8080", None, ["*:8080"]),
        ("*:8080", "ipv4", ["0.0.0.0:8080"]),
        ("*:8080", "ipv6", ["[::]:8080"]),
    ],
)
def test_listeners_here(listen: str, family: str | None, expected: list[str]) -> None:
    assert requests(listen_of(tunnel("db", listen=listen, family=family))) == expected


def test_localhost_is_sent_to_a_server_once_and_makes_two_binds() -> None:
    listen = listen_of(tunnel("web", listen="localhost:8080", at="gate"))
    assert requests(listen) == ["localhost:8080"]
    assert listen.addresses == ("127.0.0.1:8080", "[::1]:8080")
    assert listen.session == "gate"


def probes(gateway_ports: str, listen: str) -> dict[str, str]:
    gate = server("gate", {"net": "203.0.113.2", "lan": "10.1.0.2"}, forwarding={"gateway_ports": gateway_ports})
    found = listen_of(tunnel("web", listen=listen, at="gate"), gate=gate)
    return {each.host: each.expect for each in found.probes}


def test_remote_listeners_are_probed_at_every_address_of_the_server() -> None:
    loopback = {"127.0.0.1": "open", "::1": "open"}
    assert probes("no", "localhost:8080") == {**loopback, "10.1.0.2": "closed", "203.0.113.2": "closed"}
    assert probes("yes", "localhost:8080") == {**loopback, "10.1.0.2": "any", "203.0.113.2": "any"}
    assert probes("clientspecified", "*:8080") == {**loopback, "10.1.0.2": "open", "203.0.113.2": "open"}
    assert probes("clientspecified", "10.1.0.2:8080") == {
        "127.0.0.1": "closed",
        "::1": "closed",
        "10.1.0.2": "open",
        "203.0.113.2": "closed",
    }


def remote(listen: str, **forwarding: object) -> Plan:
    gate = server("gate", {"net": "203.0.113.2", "lan": "10.1.0.2"}, forwarding=forwarding)
    return plan(NET, LAN, HERE, gate, target("web", "127.0.0.1:3000", "here"), tunnel("web", listen=listen, at="gate"))


def test_gateway_ports_no_cannot_listen_beyond_loopback() -> None:
    assert codes(remote("10.1.0.2:8080", gateway_ports="no")) == {Code.GATEWAY_PORTS_DISABLED}
    assert codes(remote("*:8080", gateway_ports="no")) == {Code.GATEWAY_PORTS_DISABLED}
    assert codes(remote("127.0.0.1:8080", gateway_ports="no")) == set()


def test_gateway_ports_yes_exposes_what_was_asked_for_loopback() -> None:
    made = remote("localhost:8080", gateway_ports="yes")
    assert made.tunnel("web").listen.exposed  # type: ignore[union-attr]
    assert {each.code for each in made.diagnostics} == {Code.LISTEN_EXPOSED}


@pytest.mark.parametrize(
    ("listen", "permitted", "passes"),
    [
        ("localhost:8080", "localhost:8080", True),
        ("localhost:8080", "127.0.0.1:8080", False),
        ("127.0.0.1:8080", "localhost:8080", False),
        ("localhost:8080", "8080", True),
        ("*:8080", "*:8080", True),
        ("*:8080", "localhost:8080", False),
    ],
)
def test_permit_listen_compares_the_text_that_is_sent(listen: str, permitted: str, passes: bool) -> None:
    made = remote(listen, permit_listen=(permitted,), gateway_ports="clientspecified")
    assert codes(made) == (set() if passes else {Code.PERMITLISTEN_MISMATCH})


def test_a_server_that_opens_no_listeners() -> None:
    assert codes(remote("localhost:8080", remote=False)) == {Code.FORWARDING_DISABLED}


def test_listeners_on_a_host_without_a_server() -> None:
    made = plan(*OFFICE, target("web", "127.0.0.1:3000", "here"), tunnel("web", listen="localhost:8080", at="db"))
    assert codes(made) == {Code.NOT_AN_SSH_SERVER}


@pytest.mark.parametrize(
    ("one", "other", "conflict"),
    [
        ("localhost:80", "127.0.0.1:80", True),
        ("127.0.0.1:80", "[::1]:80", False),
        ("*:80", "[::1]:80", True),
        ("0.0.0.0:80", "[::1]:80", False),
        ("*:80", "[::]:80", True),
        ("localhost:80", "localhost:81", False),
        ("auto", "auto", False),
    ],
)
def test_listeners_that_overlap_conflict(one: str, other: str, conflict: bool) -> None:
    made = plan(*OFFICE, target("db", "5432"), tunnel("x", "db", one), tunnel("y", "db", other))
    assert (Code.LISTEN_CONFLICT in codes(made)) is conflict


# kinds


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


# blocked


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
    assert (problem.suggestion or "").startswith("open it from the other side")


def test_the_path_that_lacks_the_fewest_permissions_is_shown() -> None:
    far = network("far", "10.2.0.0/24")
    inner = firewall("inner", {"lan": "10.1.0.3", "far": "10.2.0.1"})
    db = host("db", networks={"far": "10.2.0.9"})
    made = plan(NET, LAN, far, HERE, edge(allow("any", "gate", 22)), inner, INNER, db, target("db", "5432"))
    assert made.tunnel("db").path == ("here", "gate")
    assert [(each.at, each.from_, each.port) for each in made.tunnel("db").missing] == [("inner", "gate", 5432)]


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


# determinism


def shuffled(source: Topology, random: Random) -> Topology:
    def mix(mapping: Mapping[str, Any]) -> dict[str, Any]:
        items = list(mapping.items())
        random.shuffle(items)
        return dict(items)

    return replace(
        source,
        networks=mix(source.networks),
        hosts=mix(source.hosts),
        targets=mix(source.targets),
        tunnels=mix(source.tunnels),
    )


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_carries_no_meaning(random: Random) -> None:
    targets = (target("db", "5432"), target("x", "22", "b"))
    tunnels = (
        tunnel("db", failover=True, by="here"),
        tunnel("t", "db", "auto", via=("c",)),
        tunnel("u", "x", "auto", at="a", by="here"),
    )
    other, passing = client("other", {"net": None}), edge(allow("any", "any"))
    things = topology(NET, LAN, HERE, other, *gates_of("abcd"), DB, passing, *targets, *tunnels)
    first = make_plan(things, client="here", vocabulary=VOCABULARY)
    assert make_plan(shuffled(things, random), client="here", vocabulary=VOCABULARY) == first
