"""Explanations of one small office, with and without a way."""

from __future__ import annotations

from orchestra.model.topology import Topology
from orchestra.planning import Explanation, explain
from orchestra.plugin.vocabulary import Vocabulary
from tests.planning.make import allow, client, deny, firewall, host, network, server, target, topology

VOCABULARY = Vocabulary()
INTERNET, LAN = network("internet"), network("lan", "10.1.0.0/24")
LAPTOP = client("laptop", {"internet": None})
INSIDE = client("inside", {"lan": "10.1.0.7"})
JUMP = server("jump", {"internet": "203.0.113.9"})
GATE = server("gate", {"lan": "10.1.0.2"})
DB = host("db", networks={"lan": "10.1.0.9"})
PLACES = {"internet": "198.51.100.1", "lan": "10.1.0.1"}
SHUT = firewall(
    "edge",
    PLACES,
    allow("@internet", "gate", 443, name="https"),
    allow("@lan", "@internet", name="out"),
    deny("any", "any", name="rest"),
)
OPENED = firewall("edge", PLACES, allow("any", "gate", 22, name="ssh-in"))


def office(*edge: object) -> Topology:
    return topology(INTERNET, LAN, LAPTOP, INSIDE, JUMP, GATE, DB, target("web", "80", "db"), *edge)  # type: ignore[arg-type]


def shut() -> Explanation:
    return explain(office(SHUT), "laptop", "web", vocabulary=VOCABULARY)


def opened() -> Explanation:
    return explain(office(OPENED), "laptop", "web", vocabulary=VOCABULARY)


def apart() -> Explanation:
    return explain(office(), "laptop", "gate", vocabulary=VOCABULARY)
