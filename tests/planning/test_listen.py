"""Listeners: what is bound, what is sent to sshd, and what sshd makes of it."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.model.plan import Plan, PlannedListen
from orchestra.model.topology import Host, Tunnel
from tests.planning.make import server, target, tunnel
from tests.planning.office import DB, GATE, HERE, LAN, NET, OFFICE, codes, only, plan


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


def test_what_a_transport_cannot_do() -> None:
    pod = server("pod", {"net": "203.0.113.7"}, transport="pod")
    web = target("web", "127.0.0.1:3000", "here")
    assert codes(plan(NET, HERE, pod, web, tunnel("web", at="pod", listen="localhost:8080"))) == {Code.TRANSPORT_CANNOT}


def test_what_a_server_leaves_of_a_unix_socket_is_removed_where_it_runs_commands() -> None:
    silent = server("gate", {"net": "203.0.113.2", "lan": "10.1.0.2"}, forwarding={"exec": False})
    there = tunnel("web", listen="unix:/run/x", at="gate")
    assert listen_of(there).removable
    assert not listen_of(there, gate=silent).removable
    assert not listen_of(tunnel("db", listen="unix:/run/x")).removable
