"""The other direction: a host inside listens where FROM can dial."""

from __future__ import annotations

from orchestra.model.topology import Topology
from orchestra.planning import explain
from orchestra.planning.explaining.explanation import Offer
from orchestra.plugin.vocabulary import Vocabulary
from tests.planning.make import allow, client, deny, server, target, topology
from tests.planning.office import DB, HERE, LAN, NET, edge

INSIDE = client("inside", {"lan": "10.1.0.7"})
JUMP = server("jump", {"net": "203.0.113.9"})
OUT = edge(allow("@lan", "@net"))
WEB = target("web", "80", "db")


def offers(source: Topology, from_: str = "here", to: str = "web") -> tuple[Offer, ...]:
    return explain(source, from_, to, vocabulary=Vocabulary()).offers


def test_a_client_inside_listens_at_a_server_outside() -> None:
    first, *more = offers(topology(NET, LAN, HERE, INSIDE, JUMP, OUT, DB, WEB))
    assert (first.kind, first.holder, first.at, first.listen) == ("listener", "inside", "jump", "localhost:10080")
    assert first.path == ("here", "jump", "inside")
    assert [(leg.kind, leg.dial.by, leg.dial.means) for leg in (*first.inner, *first.outer)] == [
        ("ssh", "inside", "jump"),
        ("dial", "inside", "db"),
        ("ssh", "here", "jump"),
        ("use", "jump", "jump"),
    ]
    assert all(leg.passes for leg in (*first.inner, *first.outer))
    assert first.text == (
        "inside can listen at jump (localhost:10080), where here comes to it over its session to jump"
    )
    assert first.tunnel is not None
    assert (first.tunnel.to, first.tunnel.by, first.tunnel.at) == ("web", "inside", "jump")
    assert [(each.holder, each.tunnel) for each in more] == [("db", None)]


def test_what_is_offered_does_it_once_it_is_written() -> None:
    source = topology(NET, LAN, HERE, INSIDE, JUMP, OUT, DB, WEB)
    written = offers(source)[0].tunnel
    assert written is not None
    found = explain(
        topology(NET, LAN, HERE, INSIDE, JUMP, OUT, DB, WEB, written), "here", "web", vocabulary=Vocabulary()
    )
    assert (found.verdict, found.path, str(found.legs[-1].dial)) == ("reachable", ("here", "jump"), "127.0.0.1:10080")


def test_a_listener_beyond_loopback_needs_no_session_of_its_user() -> None:
    wide = server("jump", {"net": "203.0.113.9"}, forwarding={"gateway_ports": "clientspecified", "local": False})
    [offer, *_] = offers(topology(NET, LAN, HERE, INSIDE, wide, OUT, DB, WEB))
    assert (offer.at, offer.listen, [leg.kind for leg in offer.outer]) == ("jump", "203.0.113.9:10080", ["use"])
    assert offer.text.endswith("by dialing 203.0.113.9:10080")


def test_a_machine_of_which_nothing_is_known_is_no_holder() -> None:
    one, two = (server(name, ssh_host=f"{name}.example") for name in ("one", "two"))
    assert offers(topology(one, two, target("web", "web.internal:80")), from_="localhost") == ()


def test_nothing_is_offered_where_the_other_direction_is_shut_too() -> None:
    assert offers(topology(NET, LAN, HERE, INSIDE, JUMP, edge(deny("any", "any")), DB, WEB)) == ()
    shut = server("jump", {"net": "203.0.113.9"}, forwarding={"remote": False})
    assert offers(topology(NET, LAN, HERE, INSIDE, shut, OUT, DB, WEB)) == ()


def test_the_holder_may_need_sessions_of_its_own() -> None:
    relay = server("relay", {"lan": "10.1.0.5"})
    source = topology(NET, LAN, HERE, INSIDE, relay, JUMP, edge(allow("relay", "jump", 22)), DB, WEB)
    [offer, *_] = offers(source)
    assert (offer.holder, offer.path) == ("inside", ("here", "jump", "relay", "inside"))


def test_without_what_was_asked_for_beside_the_pair_another_path_may_do() -> None:
    gate = server("gate", {"net": "203.0.113.2", "lan": "10.1.0.2"})
    closed = server("jump", {"net": "203.0.113.9"}, forwarding={"local": False})
    source = topology(NET, LAN, HERE, gate, closed, DB, WEB)
    found = explain(source, "here", "web", vocabulary=Vocabulary(), via=("jump",))
    [offer] = found.offers
    assert (found.reachable, offer.kind, offer.path, offer.text) == (
        False, "path", ("here", "gate"), "here → gate can reach it",
    )  # fmt: skip
    [bare] = explain(source, "here", "web", vocabulary=Vocabulary(), direct=True).offers
    assert bare.path == ("here", "gate")


def test_udp_and_unix_sockets_have_no_listener_to_offer() -> None:
    dns = target("web", "53", "db", protocol="udp")
    assert offers(topology(NET, LAN, HERE, INSIDE, JUMP, OUT, DB, dns)) == ()
