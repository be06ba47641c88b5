"""A small office, and where dials end in the world that is made of it."""

from __future__ import annotations

from ipaddress import ip_address

from orchestra.lab.embedded.settle import settle
from orchestra.lab.embedded.walk import Arrival, Lost, walk
from orchestra.model.topology import Host, Topology
from tests.lab.embedded.build import host


def edge(*rules: object, **fields: object) -> Host:
    on = {"internet": "198.51.100.1", "office": "10.20.0.1 2001:db8:20::1"}
    return host("edge", "firewall", on, rules=rules, **fields)


LAPTOP = host("laptop", "client", {"internet": None})
GATEWAY = host("gateway", on={"office": "10.20.0.2 2001:db8:20::2"})
DESK = host("desk", "target", {"office": "10.20.0.30"})


def end(what: Topology, dialer: str, address: str, port: int = 80, protocol: str = "tcp") -> str:
    """The end of a walk, as one line."""
    found = walk(settle(what, "laptop"), dialer, ip_address(address), port, protocol)
    return f"{found.how} at {found.at}" if isinstance(found, Lost) else f"{found.host} port {found.flow.port}"


def end_host(what: Topology, dialer: str, text: str) -> str | None:
    """Whom a dial by name or literal arrives at."""
    client = "laptop" if dialer == "laptop" else "localhost"
    world = settle(what, client)
    for address in world.resolve(dialer, text):
        found = walk(world, dialer, address, 1)
        if isinstance(found, Arrival):
            return found.host
    return None
