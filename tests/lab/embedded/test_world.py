"""Machines, owners and names, as they are looked up."""

from __future__ import annotations

from ipaddress import ip_address

from orchestra.lab.embedded.settle import settle
from orchestra.lab.embedded.world import World, canonical
from orchestra.model.topology import DnsName
from tests.lab.embedded.build import host, topology
from tests.lab.embedded.ends import DESK, GATEWAY, LAPTOP


def test_two_accounts_are_one_machine() -> None:
    world = settle(topology(GATEWAY, host("root", on={"office": "10.20.0.2"}), DESK), "laptop")
    assert world.machine("root") == world.machine("gateway") == "gateway"
    assert world.machine("desk") == "desk"


def test_localhost_is_both_loopbacks() -> None:
    world = settle(topology(GATEWAY), "laptop")
    assert [str(each) for each in world.resolve("gateway", "localhost")] == ["127.0.0.1", "::1"]


def test_near_addresses_come_first() -> None:
    multi = host("multi", on={"lab": "10.30.0.7", "office": "10.20.0.7"}, names=["multi.example"])
    world = settle(topology(GATEWAY, multi), "laptop")
    assert [str(each) for each in world.resolve("gateway", "multi.example")] == ["10.20.0.7", "10.30.0.7"]


def test_a_name_that_is_for_one_network_is_known_on_that_network_only() -> None:
    names = [DnsName(text="multi.office", network="office"), "Multi.Example."]
    multi = host("multi", on={"lab": "10.30.0.7", "office": "10.20.0.7"}, names=names)
    world = settle(topology(LAPTOP, GATEWAY, multi), "laptop")
    assert list(map(str, world.resolve("gateway", "multi.office"))) == ["10.20.0.7"]
    assert world.resolve("laptop", "multi.office") == ()
    assert len(world.resolve("laptop", "MULTI.example")) == 2
    assert canonical("Multi.Example.") == "multi.example"


def test_an_address_lies_where_the_longest_prefix_is_and_the_internet_is_the_rest() -> None:
    what = topology(LAPTOP, GATEWAY, networks=("internet", "corp", "office", "site-a", "site-b"))
    world = World(networks=what.networks, links={}, hosts=what.hosts)
    assert world.holding(ip_address("10.20.0.9")) == ("office",)
    assert world.holding(ip_address("10.99.0.9")) == ("corp",)
    assert world.holding(ip_address("192.168.1.9")) == ("site-a", "site-b")
    assert world.holding(ip_address("8.8.8.8")) == ("internet",)
    assert world.lies_in(ip_address("10.20.0.9"), "corp")
    assert not world.lies_in(ip_address("10.20.0.9"), "internet")


def test_an_address_is_owned_on_its_network_alone() -> None:
    one, other = (host(name, on={f"site-{name}": "192.168.1.2"}) for name in ("a", "b"))
    world = settle(topology(one, other), "laptop")
    address = ip_address("192.168.1.2")
    assert (world.owner("site-a", address), world.owner("site-b", address)) == ("a", "b")
    assert world.owner("site-a", ip_address("192.168.1.3")) is None
    assert world.machine("a") != world.machine("b")
