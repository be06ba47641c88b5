"""Who holds a tunnel, and what other clients offer."""

from __future__ import annotations

from orchestra.diagnostics import Code
from tests.planning.make import (
    client,
    server,
    target,
    tunnel,
)
from tests.planning.office import (
    GATE,
    HERE,
    LAN,
    NET,
    codes,
    dialed,
    plan,
)


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
