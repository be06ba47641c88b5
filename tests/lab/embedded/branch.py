"""A branch office behind a firewall, and how its hosts talk."""

from __future__ import annotations

import pytest

from orchestra.model.topology import PortForward, Topology
from orchestra.session import DialRefused, Session
from orchestra.testing.collect import Collector
from tests.lab.embedded.build import allow, host, target, topology


def branch() -> Topology:
    publish = PortForward(network="internet", port=2222, host="gateway", to_port=22)
    edge = {"internet": "198.51.100.1", "office": "10.20.0.1"}
    return topology(
        host("laptop", "client", {"internet": None}),
        host("edge", "firewall", edge, rules=(allow("internet", "gateway", "22"),), nat=(publish,)),
        host("gateway", on={"office": "10.20.0.2"}),
        host("desk", "target", {"office": "10.20.0.30"}),
        target("desk", "10.20.0.30:5900"),
        target("dev-web", "127.0.0.1:3000", on="laptop"),
    )


async def talk(place: Session, address: str, port: int) -> bytes:
    stream, collector = await place.create_connection(Collector, address, port)
    stream.write_eof()
    await collector.eof.wait()
    stream.close()
    await collector.ended.wait()
    return bytes(collector.data)


async def refused(place: Session, address: str, port: int) -> DialRefused:
    with pytest.raises(DialRefused) as caught:
        await place.create_connection(Collector, address, port)
    return caught.value
