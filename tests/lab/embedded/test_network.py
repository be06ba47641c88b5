"""Who listens where, and the errors of dials: those of a kernel."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from orchestra.lab.embedded.network import VirtualNetwork
from orchestra.lab.embedded.settle import settle
from orchestra.lab.embedded.walk import Passage
from orchestra.model.address import IPAddress
from tests.lab.embedded.build import allow, host, topology
from tests.lab.embedded.ends import DESK, GATEWAY, LAPTOP, edge


@pytest.fixture
def network() -> Iterator[VirtualNetwork]:
    multi = host("multi", on={"office": "10.20.0.7", "lab": "10.30.0.7"}, names=["multi.example"])
    world = settle(topology(LAPTOP, edge(allow("internet", "gateway", "22")), GATEWAY, DESK, multi), "laptop")
    made = VirtualNetwork(world)
    yield made
    made.close()


class Taken:
    """Keeps where connections came from."""

    def __init__(self) -> None:
        self.sources: list[str] = []

    def __call__(self, sock: socket.socket, address: IPAddress, _port: int) -> None:
        self.sources.append(str(address))
        sock.close()


def dial(network: VirtualNetwork, dialer: str, to: str, port: int) -> str:
    """``connected``, or the name of the error."""
    try:
        asyncio.run(network.connect(dialer, to, port)).close()
    except socket.gaierror:
        return "no name"
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "connected"


def test_a_dial_arrives_with_its_source_and_is_counted_where_it_passed(network: VirtualNetwork) -> None:
    taken = Taken()
    network.bind("gateway", ip_address("10.20.0.2"), 22, taken)
    assert dial(network, "laptop", "10.20.0.2", 22) == "connected"
    assert taken.sources == [str(network.world.addresses("laptop")[0])]
    assert network.passed == {Passage("edge", 22): 1}


def test_dials_fail_as_a_kernel_s(network: VirtualNetwork) -> None:
    assert dial(network, "laptop", "10.20.0.2", 80) == "ETIMEDOUT"
    assert dial(network, "laptop", "10.20.0.2", 22) == "ECONNREFUSED"
    assert dial(network, "gateway", "10.20.0.99", 80) == "EHOSTUNREACH"
    assert dial(network, "gateway", "nobody.example", 80) == "no name"


def test_every_address_of_a_name_is_tried(network: VirtualNetwork) -> None:
    assert dial(network, "multi", "multi.example", 80) == "ECONNREFUSED"
    network.bind("multi", ip_address("10.30.0.7"), 80, Taken())
    assert dial(network, "multi", "multi.example", 80) == "connected"


def test_a_wildcard_is_for_its_own_family_and_holds_the_port_there(network: VirtualNetwork) -> None:
    binding = network.bind("gateway", ip_address("0.0.0.0"), 80, Taken())
    assert dial(network, "desk", "10.20.0.2", 80) == "connected"
    assert dial(network, "gateway", "::1", 80) == "ECONNREFUSED"
    for held in ("0.0.0.0", "127.0.0.1", "10.20.0.2"):
        with pytest.raises(OSError, match="in use"):
            network.bind("gateway", ip_address(held), 80, Taken())
    network.bind("gateway", ip_address("::1"), 80, Taken())
    network.unbind(binding)
    network.unbind(binding)
    network.bind("gateway", ip_address("127.0.0.1"), 80, Taken())


def test_only_what_a_host_has_can_be_listened_on(network: VirtualNetwork) -> None:
    with pytest.raises(OSError, match="assign"):
        network.bind("gateway", ip_address("10.20.0.30"), 80, Taken())
    with pytest.raises(OSError, match="assign"):
        network.local_addresses("gateway", "10.20.0.30")
    assert list(map(str, network.local_addresses("gateway", "*"))) == ["0.0.0.0", "::"]
    assert list(map(str, network.local_addresses("gateway", "localhost"))) == ["127.0.0.1", "::1"]
    assert list(map(str, network.local_addresses("multi", "multi.example"))) == ["10.20.0.7", "10.30.0.7"]


def test_free_ports_are_free_in_both_families(network: VirtualNetwork) -> None:
    first = network.free_port("gateway")
    network.bind("gateway", ip_address("::1"), first + 1, Taken())
    assert network.free_port("gateway") == first + 2
