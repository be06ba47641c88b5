"""Dials: the first candidate that networks, firewalls and sshd all pass."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.planning.context import make_context
from orchestra.planning.dials import as_dial, attempt, problems_of
from orchestra.planning.services import ssh_service
from tests.planning.make import allow, client, firewall, host, network, server, target, topology, tunnel
from tests.planning.office import DB, GATE, HERE, LAN, NET, OFFICE, VOCABULARY, codes, dialed, edge, only, plan


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


def test_ssh_host_is_dialed_when_no_network_gives_an_address() -> None:
    gate = server("gate", {"lan": "10.1.0.2"}, ssh_host="gate.example", ssh_port=2022)
    made = plan(NET, LAN, HERE, gate, DB, target("db", "5432"))
    assert str(made.session("gate").dial) == "gate.example:2022"
    near = client("here", {"lan": None})
    made = plan(NET, LAN, near, gate, DB, target("db", "5432"), tunnel("db", via=("gate",)))
    assert str(made.session("gate").dial) == "10.1.0.2:2022"


def test_a_server_answers_where_its_ssh_host_says_also_on_loopback() -> None:
    """A virtual machine or a container whose port 22 is published here."""
    made = plan(
        server("vm", None, ssh_host="127.0.0.1", ssh_port=2222), target("db", "db.internal:5432", behind=("vm",))
    )
    assert (str(made.session("vm").dial), made.session("vm").dial.means) == ("127.0.0.1:2222", "vm")


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


def test_unix_sockets_are_dialed_on_their_own_host() -> None:
    made = only(NET, HERE, GATE, target("docker", "unix:/run/docker.sock", "gate"))
    assert made.dial is not None
    assert (made.dial.path, made.dial.by, made.dial.means) == ("/run/docker.sock", "gate", "gate")
    closed = server("gate", {"net": "203.0.113.2"}, forwarding={"unix": False})
    assert codes(plan(NET, HERE, closed, target("docker", "unix:/run/docker.sock", "gate"))) == {
        Code.FORWARDING_DISABLED
    }


def test_behind_narrows_whatever_the_networks_say() -> None:
    both = (*OFFICE[:4], server("other", {"net": "203.0.113.3", "lan": "10.1.0.3"}), DB)
    assert only(*both, target("db", "80", behind=("other",))).path == ("here", "other")


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


def test_the_attempt_with_the_least_against_it_is_told() -> None:
    """One address lacks a rule, the other a network: a rule is less than a network."""
    two = server("gate", {"lan": "10.1.0.2", "off": "10.9.0.2"})
    context = make_context(topology(NET, LAN, network("off", "10.9.0.0/24"), HERE, two, edge()), "here", VOCABULARY)
    made = attempt(context, "here", ssh_service(context, "gate"))
    assert (made.passes, made.text, made.weight) == (False, "10.1.0.2", 1)
    [problem] = problems_of(context, made)
    assert (problem.code, problem.at) == (Code.FIREWALL_DEFAULT_DENY, "edge")
    assert problem.missing is not None
    assert str(as_dial(context, made)) == "10.1.0.2:22"


def test_an_address_at_another_site_is_not_the_host_that_has_it_here() -> None:
    """Two sites with one range: what the dialer would reach there is some host that nobody declared."""
    sites = (network("site1", "192.168.1.0/24"), network("site2", "192.168.1.0/24"))
    wall = firewall("edge", {"site1": "192.168.1.1", "site2": "192.168.1.2"}, allow("any", "any"))
    things = (*sites, client("here", {"site1": "192.168.1.7"}), server("gate", {"site2": "192.168.1.5"}), wall)
    made = plan(*things, target("web", "127.0.0.1:80", "gate"))
    assert made.tunnels[0].verdict == "unreachable"
    assert codes(made) == {Code.NO_ADDRESS_AT_HOP}
    assert "192.168.1.5 dialed by here is a host that nobody declared, not gate" in made.diagnostics[0].message
