"""What an sshd forbids, and with which line of its configuration it would permit it."""

from __future__ import annotations

from typing import Any

import pytest

from orchestra.diagnostics import Code, Place
from orchestra.model.address import UnixPath
from orchestra.model.plan import Bind
from orchestra.planning.problems import Problem
from orchestra.planning.services import Service
from orchestra.planning.sshd import Sshd, permits, sshd_of
from tests.planning.make import allow, firewall, host, network, server, target, tunnel
from tests.planning.office import DB as DB_HOST
from tests.planning.office import GATE, HERE, LAN, NET, codes, dialed, plan

DB = Service(name="db", host="db", text="db.lan", port=5432)
DOCKER = Service(name="docker", host="gate", text=None, port=0, path="/run/docker.sock")
LOOPBACK, WIDE, ANY = Bind(host="localhost", port=80), Bind(host="10.1.0.2", port=80), Bind(host="*", port=80)


def sshd(**forwarding: Any) -> Sshd:
    found = sshd_of(server("gate", forwarding=forwarding))
    assert found is not None
    return found


def said(problem: Problem) -> tuple[Code, str | None, int | None]:
    assert problem.missing is not None
    assert (problem.missing.kind, problem.missing.at, problem.at) == ("sshd", "gate", "gate")
    return problem.code, problem.missing.address, problem.missing.port


def test_only_servers_have_one() -> None:
    assert sshd_of(host("db")) is None


def test_it_stands_where_the_file_says_what_it_permits_else_at_its_host() -> None:
    at_host, own = Place("t.yaml", 3, 1), Place("t.yaml", 7, 5)
    for place, told in ((None, at_host), (own, own)):
        found = sshd_of(server("gate", forwarding={"place": place}, place=at_host))
        assert found is not None
        assert found.place == told


def test_by_default_it_dials_anything_and_listens_on_loopback() -> None:
    gate = sshd()
    assert [*gate.dialing(DB), *gate.dialing(DOCKER), *gate.dialing_text(DB, "db.lan", 5432)] == []
    assert [*gate.listening((LOOPBACK,)), *gate.listening_at(UnixPath("/run/x")), *gate.listening(())] == []
    assert [said(each) for each in gate.listening((LOOPBACK, WIDE))] == [
        (Code.GATEWAY_PORTS_DISABLED, "10.1.0.2", 80),
    ]


@pytest.mark.parametrize(
    ("forwarding", "service", "address", "port", "keyword"),
    [
        ({"local": False}, DB, "db.lan", 5432, "AllowTcpForwarding"),
        ({"unix": False}, DOCKER, "/run/docker.sock", None, "AllowStreamLocalForwarding"),
    ],
)
def test_forwarding_that_is_off(
    forwarding: dict[str, bool], service: Service, address: str, port: int | None, keyword: str
) -> None:
    [problem] = sshd(**forwarding).dialing(service)
    assert said(problem) == (Code.FORWARDING_DISABLED, address, port)
    assert problem.suggestion == f"set {keyword} on gate, and say so here"
    other = DB if service is DOCKER else DOCKER
    assert list(sshd(**forwarding).dialing(other)) == []


def test_permit_open_is_about_the_text_that_is_sent() -> None:
    gate = sshd(permit_open=("db.lan:5432",))
    assert list(gate.dialing_text(DB, "db.lan", 5432)) == []
    [problem] = gate.dialing_text(DB, "10.1.0.9", 5432)
    assert said(problem) == (Code.PERMITOPEN_MISMATCH, "10.1.0.9", 5432)
    assert problem.text == "the sshd of gate does not permit 10.1.0.9:5432 (it compares the text), only db.lan:5432"
    [problem] = sshd(permit_open=()).dialing_text(DB, "db.lan", 5432)
    assert problem.text == "the sshd of gate does not permit db.lan:5432 (it compares the text)"


def test_listeners_that_are_off() -> None:
    [problem] = sshd(remote=False).listening((LOOPBACK,))
    assert said(problem) == (Code.FORWARDING_DISABLED, "localhost", 80)
    [problem] = sshd(unix=False).listening_at(UnixPath("/run/x"))
    assert said(problem) == (Code.FORWARDING_DISABLED, "unix:/run/x", None)


@pytest.mark.parametrize("gateway_ports", ["yes", "clientspecified"])
def test_gateway_ports_open_more_than_loopback(gateway_ports: str) -> None:
    assert list(sshd(gateway_ports=gateway_ports).listening((WIDE, ANY))) == []


def test_permit_listen_tells_every_request_that_is_missing() -> None:
    gate = sshd(gateway_ports="clientspecified", permit_listen=("localhost:80", "10.1.0.2:*"))
    assert [said(each) for each in gate.listening((LOOPBACK, WIDE, ANY))] == [(Code.PERMITLISTEN_MISMATCH, "*", 80)]


@pytest.mark.parametrize(
    ("entry", "host", "port", "covered"),
    [
        ("*:22", "db", 22, True),
        ("db:*", "db", 1, True),
        ("db:22", "DB", 22, False),
        ("[fd00::1]:22", "fd00::1", 22, True),
        ("22", "anything", 22, True),
        ("db:22", "db", 23, False),
    ],
)
def test_what_an_entry_of_sshd_permits(entry: str, host: str, port: int, covered: bool) -> None:
    assert permits(entry, host, port) is covered


NO_FORWARDS = {"local": False, "remote": False, "permit_open": (), "permit_listen": (), "gateway_ports": "no"}


def by_udp(**forwarding: Any) -> tuple[Any, ...]:
    gate = server("gate", {"net": "203.0.113.2", "lan": "10.1.0.2"}, forwarding=forwarding)
    return (NET, LAN, HERE, gate, DB_HOST, target("dns", "53", "db", protocol="udp"))


def test_what_is_forwarded_does_not_bind_a_helper_that_sends() -> None:
    made = plan(*by_udp(**NO_FORWARDS), tunnel("dns", kind="udp"))
    assert dialed(made.tunnel("dns")) == "gate dials 10.1.0.9:53 = db"
    (note,) = [each for each in made.diagnostics if each.code is Code.HELPER_NEEDED]
    assert (note.severity, "gate runs a helper" in note.message, "python3 or perl" in note.message) == (
        "info",
        True,
        True,
    )


def test_what_is_forwarded_does_not_bind_a_helper_that_listens() -> None:
    things = (*by_udp(**NO_FORWARDS), target("log", "127.0.0.1:514", "here", protocol="udp"))
    made = plan(*things, tunnel("log", kind="udp", at="gate", listen="10.1.0.2:5140", from_="lan"))
    found = made.tunnel("log")
    assert (found.verdict, found.direction) == ("reachable", "remote")
    assert found.listen
    assert (found.listen.addresses, found.listen.probes, found.listen.exposed) == (("10.1.0.2:5140",), (), True)
    assert found.user
    assert found.user.by == "a host of lan"


def test_a_server_that_runs_no_commands_carries_no_udp() -> None:
    for things in (by_udp(exec=False), (*by_udp()[:3], server("gate", {"net": None}, transport="mute"), *by_udp()[4:])):
        made = plan(*things, tunnel("dns", kind="udp", via=("gate",)))
        assert made.tunnel("dns").verdict == "unreachable"
        said = " ".join(each.message for each in made.diagnostics)
        assert "by UDP" in said or "no commands" in said, said
    assert codes(plan(*by_udp(exec=False), tunnel("dns", kind="udp"))) == {Code.FORWARDING_DISABLED}


def test_dns_by_tcp_is_judged_as_what_it_is() -> None:
    by_tcp = tunnel("dns", kind="udp", listen="localhost:5353", via=("gate",), options={"over": "tcp"})
    made = plan(*by_udp(exec=False), by_tcp)
    assert (made.tunnel("dns").verdict, made.tunnel("dns").protocol) == ("reachable", "tcp")
    assert not made.diagnostics
    forbidden = plan(*by_udp(permit_open=("10.1.0.9:54",)), by_tcp)
    assert forbidden.tunnel("dns").verdict == "unreachable"
    assert codes(forbidden) == {Code.PERMITOPEN_MISMATCH}


def test_dns_by_both_is_carried_where_tcp_does_not_pass_and_that_is_said() -> None:
    both = tunnel("dns", kind="udp", listen="localhost:5353", options={"over": "both"})
    assert {each.code for each in plan(*by_udp(), both).diagnostics} == {Code.HELPER_NEEDED}
    made = plan(*by_udp(**NO_FORWARDS), both)
    assert (made.tunnel("dns").verdict, made.tunnel("dns").protocol) == ("reachable", "udp")
    (said,) = [each for each in made.diagnostics if each.code is Code.FORWARDING_DISABLED]
    assert (said.severity, said.tunnel) == ("info", "dns")
    assert said.message.startswith("what is asked by TCP does not reach dns: the sshd of gate does not forward")


def test_dns_by_both_at_a_server_says_what_keeps_it_from_listening_by_tcp() -> None:
    both = tunnel("dns", kind="udp", at="gate", listen="*:5353", options={"over": "both"})
    clients: dict[str, Any] = {"gateway_ports": "clientspecified"}
    narrower: tuple[tuple[dict[str, Any], Code, str], ...] = (
        ({"remote": False}, Code.FORWARDING_DISABLED, "the sshd of gate opens no listeners"),
        ({"permit_listen": ("127.0.0.1:*",)}, Code.PERMITLISTEN_MISMATCH, "0.0.0.0:5353"),
    )
    for forbidden, code, said in narrower:
        made = plan(*by_udp(**clients, **forbidden), both)
        assert made.tunnel("dns").verdict == "reachable"
        (found,) = [each for each in made.diagnostics if each.code is code]
        assert (found.severity, found.message.startswith("nobody can ask for dns by TCP: ")) == ("info", True)
        assert said in found.message
    open_to_all = plan(*by_udp(**clients), both)
    assert {each.code for each in open_to_all.diagnostics} == {Code.HELPER_NEEDED, Code.LISTEN_EXPOSED}


def test_the_rules_of_firewalls_are_asked_for_udp() -> None:
    inner = network("inner", "10.2.0.0/24")
    things = (
        NET,
        LAN,
        inner,
        HERE,
        GATE,
        host("ns", networks={"inner": "10.2.0.53"}),
        target("dns", "53", "ns", protocol="udp"),
    )
    for protocol, verdict in (("tcp", "unreachable"), ("udp", "reachable"), ("any", "reachable")):
        wall = firewall("wall", {"lan": "10.1.0.1", "inner": "10.2.0.1"}, allow("@lan", "ns", 53, protocol=protocol))
        assert plan(*things, wall, tunnel("dns", kind="udp")).tunnel("dns").verdict == verdict


def test_one_port_may_be_listened_on_by_both_protocols() -> None:
    things = (*by_udp(), target("web", "80", "db"))
    both = (tunnel("dns", kind="udp", listen="localhost:5353"), tunnel("web", listen="localhost:5353"))
    assert codes(plan(*things, *both)) == set()
    twice = tunnel("again", "dns", "localhost:5353", kind="udp")
    assert codes(plan(*things, both[0], twice)) == {Code.LISTEN_CONFLICT}


def test_datagrams_are_not_taken_on_unix_sockets() -> None:
    made = plan(*by_udp(), tunnel("dns", kind="udp", listen="unix:/run/dns"))
    assert codes(made) == {Code.KIND_CANNOT}
