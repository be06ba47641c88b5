"""The ground that plans stand on."""

from __future__ import annotations

from orchestra.model.topology import Forwarding
from orchestra.planning.context import make_context
from orchestra.planning.sessions import search
from orchestra.plugin.vocabulary import KindSpec, TransportSpec, Vocabulary
from tests.planning.make import client, server, topology
from tests.planning.office import GATE, HERE, LAN, NET, VOCABULARY


def test_servers_are_those_that_sessions_can_be_opened_to() -> None:
    here = server("here", {"net": None}, kind="client")
    colleague = server("colleague", {"lan": "10.1.0.7"}, kind="client")
    context = make_context(topology(NET, LAN, here, GATE, colleague, client("c", {"net": None})), "here", VOCABULARY)
    assert context.servers == ("colleague", "gate")


def test_what_a_server_and_its_transport_can_do() -> None:
    pod, odd = server("pod", transport="pod"), server("odd", transport="unheard-of")
    context = make_context(topology(HERE, NET, pod, odd, GATE), "here", VOCABULARY)
    assert not context.transport("pod").dialed
    assert context.transport("odd") == TransportSpec(name="unheard-of")
    assert (context.transport("gate").name, context.transport("here").name) == ("ssh", "ssh")
    assert (context.forwarding("gate"), context.forwarding("here")) == (Forwarding(), None)


def test_a_kind_that_nobody_provides_is_one_to_a_target() -> None:
    context = make_context(topology(HERE, NET), "here", Vocabulary())
    assert context.kind("smoke") == KindSpec(name="smoke")
    assert context.kind("smoke").to == "required"


def test_a_dialer_is_asked_for_once() -> None:
    context = make_context(topology(HERE, NET, LAN, GATE), "here", VOCABULARY)
    assert context.dialer("gate") is context.dialer("gate")
    assert context.dialer("gate").networks == ("lan", "net")


def test_answers_belong_to_one_context() -> None:
    ground = topology(HERE, NET, LAN, GATE)
    one, other = (make_context(ground, "here", VOCABULARY) for _ in range(2))
    assert search(one) is search(one)
    assert list(search(one)) == ["here", "gate"]
    assert (list(one.answers.ssh_services), other.answers.ssh_services) == (["gate"], {})
    assert search(one) == search(other)
