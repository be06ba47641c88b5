"""One connection, by name or address: what it leads to, and by which way."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.errors import UsageError
from orchestra.model.plan import Plan
from orchestra.model.topology import Topology
from orchestra.planning import STREAMS, plan_connection
from tests.planning.make import client, host, network, server, target, topology, tunnel
from tests.planning.office import VOCABULARY

OFFICE = topology(
    network("internet"),
    network("office", "10.20.0.0/24"),
    client("laptop", {"internet": None}),
    server("bastion", {"internet": "198.51.100.1", "office": "10.20.0.1"}),
    server("gateway", {"office": "10.20.0.2"}, names=["gw.office.example"], ssh_port=2222),
    server("spare", {"internet": "198.51.100.2", "office": "10.20.0.3"}),
    host("store", "target", {"office": "10.20.0.30"}),
    target("db", "5432", "store"),
    target("engine", "unix:/run/engine.sock", "gateway"),
    target("clock", "123", "store", protocol="udp"),
    tunnel("reports", "db", "6000", via=("spare",)),
    tunnel("callback", "db", "9000", at="gateway", via=("spare",)),
    tunnel("clock", "db"),
)
SHORT = topology(server("bastion", ssh_host="bastion.example", ssh_port=2200))


def connected(text: str, exit_: str | None = None, at: Topology = OFFICE) -> Plan:
    return plan_connection(at, text, vocabulary=VOCABULARY, exit_=exit_)


@pytest.mark.parametrize(
    ("text", "path", "dial"),
    [
        ("db", ("laptop", "bastion"), "10.20.0.30:5432"),
        ("reports", ("laptop", "spare"), "10.20.0.30:5432"),
        ("callback", ("laptop", "bastion"), "10.20.0.30:5432"),
        ("gateway", ("laptop", "bastion"), "10.20.0.2:2222"),
        ("gateway:2222", ("laptop", "bastion"), "10.20.0.2:2222"),
        ("gw.office.example:2222", ("laptop", "bastion"), "gw.office.example:2222"),
        ("store:80", ("laptop", "bastion"), "10.20.0.30:80"),
        ("10.20.0.77:80", ("laptop", "bastion"), "10.20.0.77:80"),
        ("engine", ("laptop", "bastion", "gateway"), "unix:/run/engine.sock"),
        ("localhost:3000", ("laptop",), "localhost:3000"),
        ("unix:/run/x", ("laptop",), "unix:/run/x"),
    ],
)
def test_what_is_dialed_and_by_which_way(text: str, path: tuple[str, ...], dial: str) -> None:
    (made,) = connected(text).tunnels
    assert (made.verdict, made.path, str(made.dial)) == ("reachable", path, dial)


@pytest.mark.parametrize(
    ("text", "dial"),
    [
        ("localhost:3000", "localhost:3000"),
        ("127.0.0.1:3000", "127.0.0.1:3000"),
        ("unix:/run/x", "unix:/run/x"),
        ("db.internal:5432", "db.internal:5432"),
        ("db", "10.20.0.30:5432"),
        ("reports", "10.20.0.30:5432"),
    ],
)
def test_the_exit_is_the_one_who_dials(text: str, dial: str) -> None:
    (made,) = connected(text, "gateway").tunnels
    assert (made.path, str(made.dial)) == (("laptop", "bastion", "gateway"), dial)


def test_with_one_server_an_undeclared_name_is_its_to_dial() -> None:
    (made,) = connected("db.internal:5432", at=SHORT).tunnels
    assert (made.path, str(made.dial)) == (("localhost", "bastion"), "db.internal:5432")
    (made,) = connected("bastion", at=SHORT).tunnels
    assert (made.path, str(made.dial)) == (("localhost",), "bastion.example:2200")


def test_with_several_it_is_not_dialed_by_chance() -> None:
    made = connected("db.internal:5432")
    assert made.tunnels[0].verdict == "unreachable"
    assert [(each.code, each.suggestion) for each in made.diagnostics if each.severity == "error"] == [
        (Code.AMBIGUOUS_EXIT, "say which: `connect --exit SERVER`, or `explain` it from there")
    ]


def test_it_is_entered_by_the_streams_and_proves_nothing() -> None:
    (made,) = connected("reports").tunnels
    assert made.listen is not None
    assert (made.listen.unix, made.listen.at, made.listen.session) == (STREAMS, "laptop", None)
    assert (made.spec.check.type, made.kind, made.name) == ("none", "tcp", "reports")


def test_a_target_comes_before_a_tunnel_of_its_name_that_leads_elsewhere() -> None:
    (made,) = connected("clock").tunnels
    assert made.verdict == "unreachable"  # over udp


@pytest.mark.parametrize(
    ("text", "exit_", "said"),
    [("dbb", None, "did you mean 'db'"), ("laptop", None, "no SSH server"), ("db", "gatewy", "did you mean 'gateway'")],
)
def test_names_that_nothing_bears(text: str, exit_: str | None, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        connected(text, exit_)


def test_an_exit_that_is_no_server_is_no_way() -> None:
    (made,) = connected("db", "store").tunnels
    assert made.verdict == "unreachable"


@pytest.mark.parametrize("text", ["bastion.example", "Bastion.Example.", "bastion.example:2200"])
def test_what_ssh_fills_into_a_proxy_command_means_that_server(text: str) -> None:
    (made,) = connected(text, at=SHORT).tunnels
    assert made.dial is not None
    assert (str(made.dial), made.dial.means) == ("bastion.example:2200", "bastion")


def test_a_host_that_several_servers_have_is_none_of_them() -> None:
    several = topology(server("a", ssh_host="gw.example", ssh_port=2200), server("b", ssh_host="gw.example"))
    with pytest.raises(UsageError, match=r"gw\.example"):
        connected("gw.example", at=several)
