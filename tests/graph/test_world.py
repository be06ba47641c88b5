"""The indexes over a topology."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from orchestra.graph.world import canonical, compile_world
from tests.planning.make import client, network, server, topology

NET, LAN = network("net"), network("lan", "10.1.0.0/24")


def test_here_may_be_a_machine_that_no_file_declares() -> None:
    world = compile_world(topology(NET, LAN, network("other")), "localhost")
    assert world.networks_of("localhost") == {"net": (), "other": ()}
    assert not world.hosts["localhost"].forwards


def test_servers_that_share_an_address_are_accounts_of_one_machine() -> None:
    accounts = [server(name, {"lan": "10.1.0.2"}, user=name) for name in ("ops", "ci")]
    world = compile_world(topology(LAN, *accounts, server("x", {"lan": "10.1.0.3"})), "ops")
    assert {name: world.machine(name) for name in ("ops", "ci", "x", "stranger")} == {
        "ops": "ci",
        "ci": "ci",
        "x": "x",
        "stranger": "stranger",
    }
    assert world.same_machine("ops", "ci")
    assert not world.same_machine(None, None)
    assert world.located["lan", ip_address("10.1.0.2")] == ("ci", "ops")


def test_one_address_at_two_sites_is_two_machines() -> None:
    one, two = network("one", "10.1.0.0/24"), network("two", "10.1.0.0/24")
    world = compile_world(topology(one, two, server("a", {"one": "10.1.0.2"}), server("b", {"two": "10.1.0.2"})), "a")
    assert not world.same_machine("a", "b")


def test_networks_that_the_file_has_lost_are_left_out() -> None:
    world = compile_world(topology(LAN, client("a", {"lan": "10.1.0.5", "lost": "10.9.0.5"})), "a")
    assert (list(world.networks_of("a")), world.addresses["a"]) == (["lan"], {ip_address("10.1.0.5")})


@pytest.mark.parametrize(("one", "other"), [("GW.Example", "gw.example"), ("gw.example.", "gw.example")])
def test_names_are_compared_as_dns_does(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)
