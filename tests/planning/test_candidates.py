"""What text is dialed, in which order."""

from __future__ import annotations

from tests.planning.make import (
    allow,
    host,
    publish,
    server,
    target,
    tunnel,
)
from tests.planning.office import (
    GATE,
    HERE,
    LAN,
    NET,
    dialed,
    edge,
    only,
    plan,
)


def test_what_nat_publishes_comes_first() -> None:
    published = edge(allow("any", "any"), nat=(publish("net", 2222, "gate", 22),))
    inside = server("gate", {"lan": "10.1.0.2"})
    made = plan(NET, LAN, HERE, published, inside, target("db", "127.0.0.1:5432", "gate"))
    assert str(made.session("gate").dial) == "198.51.100.1:2222"
    assert made.session("gate").dial.means == "gate"


def test_then_the_text_as_written_then_addresses_then_names() -> None:
    named = host("db", networks={"lan": "10.1.0.9"}, names=["db.lan"])
    things = (NET, LAN, HERE, named)
    assert dialed(only(*things, GATE, target("db", "db.lan:5432"))) == "gate dials db.lan:5432 = db"
    assert dialed(only(*things, GATE, target("db", "5432"))) == "gate dials 10.1.0.9:5432 = db"
    strict = server("gate", {"net": "203.0.113.2", "lan": "10.1.0.2"}, forwarding={"permit_open": ("db.lan:*",)})
    assert dialed(only(*things, strict, target("db", "5432"))) == "gate dials db.lan:5432 = db"


def test_a_wildcard_on_the_dialer_itself_is_dialed_on_loopback() -> None:
    web = (target("web", "8080", "gate"), tunnel("web", exit="gate"))
    assert dialed(only(NET, HERE, GATE, *web)) == "gate dials 127.0.0.1:8080 = gate"
    six = server("gate", {"net": "203.0.113.2"}, forwarding={"permit_open": ("[::1]:8080",)})
    assert dialed(only(NET, HERE, six, *web)) == "gate dials [::1]:8080 = gate"
