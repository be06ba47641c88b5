"""What is dialed, and who may dial what no network leads to."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.model.topology import Target
from orchestra.planning.context import make_context
from orchestra.planning.services import Service, ssh_service, target_service
from tests.planning.make import server, target, topology, tunnel
from tests.planning.office import VOCABULARY, codes, dialed, only, plan


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


@pytest.mark.parametrize(
    ("text", "everywhere", "on_loopback", "one_address"),
    [
        (None, True, False, False),
        ("*", True, False, False),
        ("0.0.0.0", True, False, False),
        ("::", True, False, False),
        ("localhost", False, True, False),
        ("127.0.0.2", False, True, True),
        ("10.1.0.9", False, False, True),
        ("db.example", False, False, False),
    ],
)
def test_where_a_service_listens(text: str | None, everywhere: bool, on_loopback: bool, one_address: bool) -> None:
    service = Service(name="s", host="h", text=text, port=80)
    assert (service.everywhere, service.on_loopback, service.one_address) == (everywhere, on_loopback, one_address)


def test_the_ssh_server_of_a_host_is_dialed_by_whom_it_is_behind_else_by_here() -> None:
    plain = server("plain", ssh_host="plain.example")
    inner = server("inner", ssh_host="inner.lan", ssh_port=2022, behind=("plain",))
    context = make_context(topology(plain, inner), "localhost", VOCABULARY)
    assert (ssh_service(context, "plain").port, ssh_service(context, "plain").trusted) == (22, ("localhost",))
    found = ssh_service(context, "inner")
    assert (found.port, found.fallback, found.behind, found.trusted) == (2022, "inner.lan", ("plain",), ("plain",))


@pytest.mark.parametrize(
    ("servers", "wanted", "exit_", "trusted"),
    [
        ((), target("t", "x:80"), None, ("localhost",)),
        (("a",), target("t", "x:80"), None, ("a",)),
        (("a", "b"), target("t", "x:80"), None, None),  # nobody can tell
        (("a", "b"), target("t", "x:80"), "b", ("b",)),
        (("a", "b"), target("t", "x:80", behind=("a",)), None, ("a",)),
        (("a", "b"), target("t", "127.0.0.1:80", "b"), None, ("b",)),
    ],
)
def test_who_dials_what_no_network_leads_to(
    servers: tuple[str, ...], wanted: Target, exit_: str | None, trusted: tuple[str, ...] | None
) -> None:
    source = topology(*(server(name, ssh_host=name) for name in servers), wanted)
    assert target_service(make_context(source, "localhost", VOCABULARY), wanted, exit_).trusted == trusted
