"""Names and ranges with several meanings."""

from __future__ import annotations

from orchestra.graph import compile_world
from orchestra.model.topology import Host, Network
from orchestra.planning.lint.meanings import differing_names, overlapping_networks
from tests.planning.make import client, firewall, host, network, server, topology

A, B = network("a", "10.0.0.0/24"), network("b", "10.0.0.0/24")


def names(*things: Network | Host) -> list[tuple[str, str]]:
    world = compile_world(topology(*things), "here")
    return [(each.severity, each.message) for each in differing_names(world)]


def overlaps(*things: Network | Host) -> list[tuple[str, str]]:
    world = compile_world(topology(*things), "here")
    return [(each.severity, each.message) for each in overlapping_networks(world)]


def test_a_name_that_depends_on_who_resolves_it() -> None:
    one = host("db1", networks={"a": "10.0.0.1"}, names={"a": ["db.internal"]})
    two = host("db2", networks={"b": "10.0.0.2"}, names={"b": ["DB.internal."]})
    said = "db.internal means db1 to hosts of a and db2 to hosts of b"
    assert names(A, B, one, two) == [("info", said)]
    wall = firewall("w", {"a": "10.0.0.254", "b": "10.0.0.253"})
    assert names(A, B, one, two, wall) == [("info", said)]  # it dials nobody
    both = client("laptop", {"a": "10.0.0.7", "b": "10.0.0.8"})
    assert names(A, B, one, two, both) == [("warning", f"{said}, so that laptop cannot tell which")]
    assert names(A, B, one, host("x", networks={"b": "10.0.0.3"}, names={"b": ["other.internal"]})) == []


def test_a_name_that_two_hosts_bear_for_everybody() -> None:
    one, two = (host(name, networks={"a": f"10.0.0.{n}"}, names=["www"]) for n, name in enumerate("xy", 1))
    said = "www means x to everybody and y to everybody, so that everybody cannot tell which"
    assert names(A, one, two) == [("warning", said)]


def test_accounts_of_one_machine_share_its_names() -> None:
    accounts = [server(name, {"a": "10.0.0.1"}, user=name, names=["gw"]) for name in ("root", "ops")]
    assert names(A, *accounts) == []


def test_one_range_at_two_sites() -> None:
    one, two = host("x", networks={"a": "10.0.0.1"}), host("y", networks={"b": "10.0.0.1"})
    said = "a and b have one range, 10.0.0.0/24"
    assert overlaps(A, B, one, two) == [("info", f"{said}: which is meant depends on who dials")]
    both = client("laptop", {"a": "10.0.0.7", "b": "10.0.0.8"})
    trouble = f"{said}: laptop is on a and b, so to it no other address of 10.0.0.0/24 means anybody"
    assert overlaps(A, B, one, two, both) == [("warning", trouble)]


def test_networks_within_networks() -> None:
    corp = network("corp", "10.0.0.0/8", "fd00::/16")
    inner = [network(f"n{n}", f"10.{n}.0.0/16") for n in range(1, 7)]
    deeper, six = network("deeper", "10.1.2.0/24"), network("six", "fd00:1::/64")
    wall = firewall("w", {"corp": "10.200.0.1", "n1": "10.1.0.1"})
    said = [text for severity, text in overlaps(corp, *inner, deeper, six, wall) if severity == "info"]
    assert said == [
        "corp contains n1, n2, n3, n4 and 3 more: the longer prefix has the address",
        "n1 contains deeper: the longer prefix has the address",
    ]
    assert overlaps(*inner, network("beside", "10.7.0.0/16", "10.8.0.0/16", "10.8.1.0/24")) == []


def test_an_address_that_a_longer_prefix_takes() -> None:
    corp, office = network("corp", "10.0.0.0/8"), network("office", "10.20.0.0/16")
    lost = host("x", networks={"corp": "10.20.0.5"})
    [(severity, text)] = overlaps(corp, office, lost)
    assert severity == "warning"
    assert text == "corp contains office: whoever dials 10.20.0.5 of x on corp is led to office"
