"""Where a tunnel is entered, and whether those in `from` can dial it."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.model.topology import Tunnel
from orchestra.planning.context import make_context
from orchestra.planning.entry import entries, fixed_entry
from orchestra.planning.problems import STRUCTURAL
from orchestra.planning.services import target_service
from tests.planning.make import allow, host, server, target, topology, tunnel
from tests.planning.office import HERE, LAN, NET, OFFICE, OPEN_GATE, VOCABULARY, WEB, codes, dialed, only, plan


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


def test_from_a_server_enters_there() -> None:
    made = only(*OFFICE, target("web", "127.0.0.1:3000", "here"), tunnel("web", from_="gate", listen="localhost:8080"))
    assert (made.direction, made.user) == ("remote", None)


def test_a_network_enters_at_the_server_that_bears_the_address() -> None:
    other = server("aaa", {"net": "203.0.113.4", "lan": "10.1.0.4"}, forwarding={"gateway_ports": "yes"})
    made = plan(NET, LAN, HERE, OPEN_GATE, other, WEB, tunnel("web", from_="lan", listen="10.1.0.2:8080"))
    assert made.tunnel("web").path == ("gate", "here")


def test_a_network_enters_at_the_nearest_server_that_it_can_dial() -> None:
    near = server("near", {"net": "203.0.113.4"}, forwarding={"gateway_ports": "clientspecified"})
    made = plan(NET, LAN, HERE, OPEN_GATE, near, WEB, tunnel("web", from_="lan", listen="*:8080"))
    assert made.tunnel("web").path == ("gate", "here")
    assert str(made.tunnel("web").user) == "10.1.0.2:8080"


def test_a_host_without_a_server_enters_at_one_that_it_can_dial() -> None:
    colleague = host("colleague", networks={"lan": "10.1.0.7"})
    made = plan(NET, LAN, HERE, OPEN_GATE, colleague, WEB, tunnel("web", from_="colleague", listen="10.1.0.2:8080"))
    assert (made.tunnel("web").path, made.tunnel("web").user.by) == (("gate", "here"), "colleague")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("wanted", "at"),
    [
        (tunnel("t", at="gate"), "gate"),
        (tunnel("t"), "here"),
        (tunnel("t", from_="gate"), "gate"),
        (tunnel("t", from_="lan", listen="10.1.0.2:80"), "gate"),
        (tunnel("t", from_="lan", listen="*:80"), None),  # whichever they can dial
        (tunnel("t", from_="lan", listen="10.1.0.77:80"), None),
    ],
)
def test_where_it_is_entered_when_no_path_has_to_be_known(wanted: Tunnel, at: str | None) -> None:
    context = make_context(topology(NET, LAN, HERE, OPEN_GATE, WEB), "here", VOCABULARY)
    assert fixed_entry(context, wanted) == at


def test_who_cannot_dial_a_loopback_is_told_what_to_write() -> None:
    context = make_context(topology(NET, LAN, HERE, OPEN_GATE, WEB), "here", VOCABULARY)
    service = target_service(context, WEB)
    [entry] = entries(context, tunnel("t", "web", "localhost:80", at="gate", from_="lan"), service, free_ports=False)
    assert entry.user is not None
    [problem] = entry.user.further
    assert (problem.code, problem.suggestion) == (
        Code.LOOPBACK_ELSEWHERE,
        "write `listen: ADDRESS:80` with an address of gate that a host of lan can dial",
    )
    assert entry.weight == STRUCTURAL
