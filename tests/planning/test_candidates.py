"""What text is dialed, in which order."""

from __future__ import annotations

import pytest

from orchestra.graph import compile_world, dialer_at
from orchestra.model.topology import Host, Network
from orchestra.planning.candidates import candidates
from orchestra.planning.services import Listening, Service
from tests.planning.make import allow, firewall, host, network, publish, server, target, topology, tunnel
from tests.planning.office import GATE, HERE, LAN, NET, dialed, edge, only, plan


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


def texts(dialer: str, service: Service, *things: Network | Host) -> list[str]:
    world = compile_world(topology(NET, LAN, HERE, *things), "here")
    return [f"{each.text} {each.port}" for each in candidates(world, dialer_at(world, dialer), service)]


DUAL = network("dual", "10.2.0.0/24", "fd00::/64")
TWICE = host("db", networks={"lan": "10.1.0.9", "dual": ["10.2.0.9", "fd00::9"]}, names={"lan": ["db.lan"]})
NEAR = server("near", {"lan": "10.1.0.3"})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, ["10.1.0.9 80", "10.2.0.9 80", "fd00::9 80", "db.lan 80"]),
        ("0.0.0.0", ["10.1.0.9 80", "10.2.0.9 80", "db.lan 80"]),
        ("db.example", ["db.example 80", "10.1.0.9 80", "10.2.0.9 80", "fd00::9 80", "db.lan 80"]),
        ("10.2.0.9", ["10.2.0.9 80"]),
        ("127.0.0.1", []),
    ],
)
def test_from_outside(text: str | None, found: list[str]) -> None:
    wall = firewall("wall", {"lan": "10.1.0.1", "dual": "10.2.0.1"})
    assert texts("near", Service(name="s", host="db", text=text, port=80), DUAL, TWICE, NEAR, wall) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, ["127.0.0.1 80", "::1 80", "10.1.0.3 80"]),
        ("0.0.0.0", ["127.0.0.1 80", "10.1.0.3 80"]),
        ("::", ["::1 80", "10.1.0.3 80"]),
        ("localhost", ["localhost 80"]),
        ("10.1.0.3", ["10.1.0.3 80"]),
    ],
)
def test_at_home(text: str | None, found: list[str]) -> None:
    assert texts("near", Service(name="s", host="near", text=text, port=80), NEAR) == found


def test_listeners_of_others_come_last_and_their_loopback_is_theirs() -> None:
    offered = (Listening("gate", "localhost", 9000), Listening("gate", "*", 9001))
    service = Service(name="s", host="db", text="127.0.0.1", port=80, listeners=offered)
    assert texts("near", service, DUAL, TWICE, NEAR, GATE) == ["10.1.0.2 9001"]
    assert texts("gate", service, DUAL, TWICE, NEAR, GATE)[:4] == [
        "127.0.0.1 9000",
        "::1 9000",
        "127.0.0.1 9001",
        "::1 9001",
    ]
