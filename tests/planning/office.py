"""A small network to plan in: a client on the internet, a server on both networks, a database inside."""

from __future__ import annotations

from orchestra.diagnostics import Code
from orchestra.model.plan import Plan, PlannedTunnel
from orchestra.model.topology import Host, Rule
from orchestra.planning import make_plan
from orchestra.plugin.vocabulary import KindSpec, TransportSpec, Vocabulary
from tests.planning.make import client, firewall, host, network, server, target, topology

VOCABULARY = Vocabulary(
    kinds={
        "tcp": KindSpec(name="tcp"),
        "udp": KindSpec(name="udp", protocols=("udp",), exec=True, datagrams=True, over="over"),
        "socks": KindSpec(name="socks", to="no"),
    },
    transports={
        "ssh": TransportSpec(name="ssh"),
        "pod": TransportSpec(name="pod", dialed=False, listen=False),
        "mute": TransportSpec(name="mute", exec=False),
    },
)


def plan(*things: object, **more: object) -> Plan:
    return make_plan(topology(*things), vocabulary=VOCABULARY, **more)  # type: ignore[arg-type]


def only(*things: object, **more: object) -> PlannedTunnel:
    made = plan(*things, **more)
    assert len(made.tunnels) == 1
    return made.tunnels[0]


def codes(made: Plan) -> set[Code]:
    return {each.code for each in made.diagnostics if each.severity == "error"}


def dialed(tunnel: PlannedTunnel) -> str:
    assert tunnel.verdict == "reachable", tunnel.blocked
    assert tunnel.dial is not None
    return f"{tunnel.dial.by} dials {tunnel.dial} = {tunnel.dial.means}"


NET, LAN = network("net"), network("lan", "10.1.0.0/24")
HERE = client("here", {"net": None})
GATE = server("gate", {"net": "203.0.113.2", "lan": "10.1.0.2"})
OPEN_GATE = server("gate", {"net": "203.0.113.2", "lan": "10.1.0.2"}, forwarding={"gateway_ports": "clientspecified"})
WEB = target("web", "127.0.0.1:3000", "here")
DB = host("db", networks={"lan": "10.1.0.9"})
OFFICE = (NET, LAN, HERE, GATE, DB)


def gates_of(names: str, *costs: int) -> list[Host]:
    """Servers on both networks, one for each letter."""
    priced = dict(zip(names, costs, strict=False))
    return [
        server(name, {"net": f"203.0.113.{n}", "lan": f"10.1.0.{n}"}, cost=priced.get(name, 0))
        for n, name in enumerate(names, 1)
    ]


def edge(*rules: Rule, **more: object) -> Host:
    return firewall("edge", {"net": "198.51.100.1", "lan": "10.1.0.1"}, *rules, **more)
