"""Listeners in each other's way."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from tests.planning.make import server, target, tunnel
from tests.planning.office import DB, GATE, HERE, LAN, NET, OFFICE, OPEN_GATE, WEB, codes, plan


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


@pytest.mark.parametrize(("over", "conflict"), [("udp", False), ("both", True), ("tcp", True)])
def test_what_takes_tcp_as_well_holds_that_port_too(over: str, conflict: bool) -> None:
    dns = target("dns", "53", "db", protocol="udp")
    both = (tunnel("dns", None, "localhost:5353", kind="udp", options={"over": over}), tunnel("db", None, "[::1]:5353"))
    assert (Code.LISTEN_CONFLICT in codes(plan(*OFFICE, target("db", "5432"), dns, *both))) is conflict


def test_a_listener_where_a_target_listens_conflicts() -> None:
    made = plan(NET, LAN, HERE, OPEN_GATE, WEB, target("x", "80", "gate"), tunnel("x", listen="localhost:3000"))
    assert Code.LISTEN_CONFLICT in {each.code for each in made.diagnostics}


def test_unix_sockets_of_one_path_conflict_and_accounts_are_one_machine() -> None:
    accounts = [server(name, {"lan": "10.1.0.2", "net": "203.0.113.2"}, user=name) for name in ("ci", "ops")]
    things = (NET, LAN, HERE, *accounts, WEB)
    for listen in ("unix:/run/x", "localhost:8080"):
        made = plan(*things, tunnel("x", "web", listen, at="ci"), tunnel("y", "web", listen, at="ops"))
        found = [each for each in made.diagnostics if each.code is Code.LISTEN_CONFLICT]
        assert [(each.tunnel, each.path) for each in found] == [("y", "tunnels.y.listen")]
        assert "which tunnel x has already" in found[0].message


def test_a_target_of_another_protocol_or_where_nothing_of_ours_listens_is_in_nobodys_way() -> None:
    dns = target("dns", "3000", "here", protocol="udp")
    made = plan(NET, LAN, HERE, GATE, DB, dns, target("db", "8080"), tunnel("x", "db", "localhost:3000"))
    assert Code.LISTEN_CONFLICT not in codes(made)
