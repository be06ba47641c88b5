"""What each server has to permit, from plans by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestra.model.address import Endpoint
from orchestra.model.topology import Tunnel
from orchestra.planning import make_plan
from orchestra.planning.authorize import Needs, needs_of
from orchestra.plugin.vocabulary import KindSpec, Vocabulary
from tests.planning.make import server, target, topology, tunnel
from tests.planning.office import DB, GATE, LAN, NET, OFFICE, OPEN_GATE, VOCABULARY, WEB, gates_of


def needs(*things: object, vocabulary: Vocabulary = VOCABULARY) -> dict[str, Needs]:
    made = topology(*things)
    plan = make_plan(made, vocabulary=vocabulary)
    return {each.server: each for each in needs_of(plan, made, vocabulary)}


def texts(need: Needs, act: str) -> dict[str, tuple[str, ...]]:
    return {str(at): why for at, why in need.texts(act).items()}  # type: ignore[arg-type]


def test_a_dial_is_the_text_that_is_sent() -> None:
    (gate,) = needs(*OFFICE, target("sql", "DB.corp.example:5432", behind=("gate",)), tunnel("sql")).values()
    assert texts(gate, "open") == {"DB.corp.example:5432": ("tunnel sql",)}
    assert (gate.user, gate.dialed_by, gate.texts("listen")) == (None, {"here"}, {})


def test_a_session_through_a_server_is_a_dial_of_it() -> None:
    inner = server("inner", {"lan": "10.1.0.7"}, ssh_port=2022, user="ops")
    found = needs(*OFFICE, inner, target("x", "127.0.0.1:80", "inner"), tunnel("x"), tunnel("y", to="x", listen="auto"))
    assert texts(found["gate"], "open") == {"10.1.0.7:2022": ("session to inner",)}
    assert texts(found["inner"], "open") == {"127.0.0.1:80": ("tunnel x", "tunnel y")}
    assert (found["inner"].dialed_by, found["inner"].user) == ({"gate"}, "ops")


@pytest.mark.parametrize(
    ("listen", "sent", "beyond"),
    [
        ("localhost:8080", Endpoint("localhost", 8080), False),
        ("127.0.0.1:8080", Endpoint("127.0.0.1", 8080), False),
        ("10.1.0.2:8080", Endpoint("10.1.0.2", 8080), True),
        ("*:8080", Endpoint("", 8080), True),
    ],
)
def test_a_listener_is_the_request_that_is_sent_and_its_proof(listen: str, sent: Endpoint, beyond: bool) -> None:
    gate = needs(*OFFICE[:3], OPEN_GATE, WEB, tunnel("web", at="gate", listen=listen))["gate"]
    assert (gate.texts("listen"), gate.beyond_loopback) == ({sent: ("tunnel web",)}, beyond)
    proof = {"127.0.0.1:8080", "[::1]:8080", "203.0.113.2:8080", "10.1.0.2:8080"}
    assert texts(gate, "open") == dict.fromkeys(proof, ("proof of web",))


def test_any_free_port_is_not_proven() -> None:
    gate = needs(*OFFICE[:3], OPEN_GATE, WEB, tunnel("web", at="gate", listen="auto"))["gate"]
    assert gate.texts("listen") == {Endpoint("localhost", 0): ("tunnel web",)}
    assert (gate.texts("open"), gate.reasons("listen unproven")) == ({}, ("tunnel web",))


def test_paths_of_failover_are_permitted_and_others_are_not() -> None:
    both = (NET, LAN, OFFICE[2], *gates_of("ab"), DB, target("sql", "5432", "db"))
    assert list(needs(*both, tunnel("sql"))) == ["a"]
    spare = needs(*both, tunnel("sql", failover=True))["b"]
    assert texts(spare, "open") == {"10.1.0.9:5432": ("tunnel sql",)}


def test_unix_sockets_and_kinds_without_one_target() -> None:
    docker = target("docker", "unix:/run/docker.sock", "gate")
    gate = needs(*OFFICE, docker, tunnel("docker", listen="localhost:2375"), tunnel("web", kind="socks", exit="gate"))[
        "gate"
    ]
    assert gate.reasons("open unix") == ("tunnel docker",)
    assert gate.reasons("open any") == ("tunnel web",)
    gate = needs(*OFFICE[:4], WEB, tunnel("web", at="gate", listen="unix:/run/web.sock"))["gate"]
    assert (gate.reasons("listen unix"), gate.texts("open")) == (("tunnel web",), {})


def test_a_kind_that_runs_commands_says_so() -> None:
    runs = replace(VOCABULARY, kinds={"udp": KindSpec(name="udp", protocols=("udp",), exec=True)})
    dns = target("dns", "10.1.0.9:53", "db", protocol="udp")
    gate = needs(*OFFICE, dns, tunnel("dns", kind="udp", listen="localhost:5353"), vocabulary=runs)["gate"]
    assert (gate.reasons("run"), gate.texts("open")) == (("tunnel dns",), {})


@pytest.mark.parametrize(("over", "runs", "dials"), [("udp", True, 0), ("both", True, 1), ("tcp", False, 1)])
def test_what_goes_by_tcp_is_dialed_and_what_goes_by_udp_is_run(over: str, runs: bool, dials: int) -> None:
    dns = target("dns", "10.1.0.9:53", "db", protocol="udp")
    gate = needs(*OFFICE, dns, tunnel("dns", None, "localhost:5353", kind="udp", options={"over": over}))["gate"]
    assert (bool(gate.reasons("run")), len(gate.texts("open"))) == (runs, dials)


def test_what_is_unreachable_or_not_sshd_needs_nothing() -> None:
    blocked = Tunnel(name="x", to="x", listen=Endpoint("localhost", 80), via=("gate",))
    assert needs(*OFFICE, target("x", "127.0.0.1:80", "db"), blocked) == {}
    pod = server("pod", transport="pod")
    assert needs(NET, OFFICE[2], pod, target("x", "127.0.0.1:80", "pod"), tunnel("x")) == {}
    assert GATE.server
