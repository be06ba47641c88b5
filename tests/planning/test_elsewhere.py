"""Who holds a tunnel, and what other clients offer."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.model.topology import Host, Network, Tunnel
from orchestra.planning.elsewhere import held_by, offered_elsewhere
from orchestra.planning.services import Listening
from tests.planning.make import client, server, target, topology, tunnel
from tests.planning.office import GATE, HERE, LAN, NET, codes, dialed, plan


def test_what_another_client_holds_is_elsewhere_and_its_listener_is_an_address_of_the_target() -> None:
    other = client("other", {"net": None})
    gate = server("gate", {"net": "203.0.113.2"}, forwarding={"gateway_ports": "clientspecified"})
    things = (NET, HERE, other, gate, target("web", "127.0.0.1:3000", "other"))
    callback = tunnel("callback", "web", "localhost:9000", at="gate", by="other")
    made = plan(*things, callback, tunnel("mine", "web", "localhost:3000", by="here"), client="here")
    assert (made.tunnel("callback").verdict, made.tunnel("callback").held_by) == ("elsewhere", "other")
    assert dialed(made.tunnel("mine")) == "gate dials 127.0.0.1:9000 = gate"
    assert codes(made) == set()


def test_several_clients_could_hold_it() -> None:
    things = (NET, LAN, HERE, client("b", {"net": None}), GATE, target("db", "127.0.0.1:1", "gate"))
    assert codes(plan(*things, tunnel("db", at="gate", listen="auto"), client="b")) == {Code.AMBIGUOUS_CLIENT}


CLIENTS = (NET, LAN, HERE, client("other", {"net": None}), GATE)


@pytest.mark.parametrize(
    ("things", "wanted", "holder"),
    [
        (CLIENTS, tunnel("t", "x"), "here"),
        (CLIENTS, tunnel("t", "x", from_="other"), "other"),
        (CLIENTS, tunnel("t", "x", at="other"), "other"),
        (CLIENTS, tunnel("t", "x", at="gate", by="other"), "other"),
        (CLIENTS, tunnel("t", "x", at="gate"), None),
        ((NET, LAN, HERE, GATE), tunnel("t", "x", at="gate"), "here"),
        ((NET, LAN, GATE), tunnel("t", "x", from_="lan"), "here"),
    ],
)
def test_who_holds_a_tunnel(things: tuple[Network | Host, ...], wanted: Tunnel, holder: str | None) -> None:
    assert held_by(topology(*things), "here", wanted) == holder


def test_what_others_offer_in_the_order_of_the_tunnels_names() -> None:
    source = topology(
        *CLIENTS,
        target("web", "127.0.0.1:3000", "other"),
        tunnel("b", "web", "*:9000", at="gate", by="other"),
        tunnel("a", "web", at="gate", by="other"),
        tunnel("auto", "web", "auto", at="gate", by="other"),  # a port that nobody knows yet
        tunnel("mine", "web", "localhost:9001", at="gate", by="here"),
    )
    assert offered_elsewhere(source, "here") == {
        "web": (Listening("gate", "localhost", 3000), Listening("gate", "*", 9000))
    }
