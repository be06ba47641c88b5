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
from tests.planning.make import host, server

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
