"""Two networks, a host on each, and firewalls between them: who is asked, and what is said."""

from __future__ import annotations

from orchestra.diagnostics import Code
from orchestra.graph import Judgement, code_of, compile_world, dialer_at, guest_of, judge
from orchestra.model.topology import Host, Network
from tests.planning.make import client, firewall, hide, host, network, publish, topology


def verdict(things: list[Network | Host], who: str, text: str, port: int = 22, protocol: str = "tcp") -> Judgement:
    world = compile_world(topology(*things), "a")
    dialer = guest_of(who[1:]) if who.startswith("@") else dialer_at(world, who)
    return judge(world, dialer, text, port, protocol)


def codes(things: list[Network | Host], who: str, text: str, port: int = 22, protocol: str = "tcp") -> list[Code]:
    world = compile_world(topology(*things), "a")
    dialer = guest_of(who[1:]) if who.startswith("@") else dialer_at(world, who)
    return [code_of(world, step) for step in judge(world, dialer, text, port, protocol).denials]


LAN = network("lan", "10.1.0.0/24")
DMZ = network("dmz", "10.2.0.0/24")
NET = network("net")
A = client("a", {"lan": "10.1.0.5"})
B = host("b", networks={"dmz": "10.2.0.7"})
OUT = client("a", {"net": None})


def edge(*rules: object, name: str = "edge", **more: object) -> Host:
    return firewall(name, {"lan": "10.1.0.1", "dmz": "10.2.0.1"}, *rules, **more)  # type: ignore[arg-type]


def nat(*rules: object, **more: object) -> Host:
    entries = (publish("net", 2222, "b", 22), hide("net"))
    return firewall("edge", {"net": "198.51.100.1", "dmz": "10.2.0.1"}, *rules, nat=entries, **more)  # type: ignore[arg-type]
