"""Rules as sets of packets."""

from __future__ import annotations

from orchestra.graph import compile_world
from orchestra.model.topology import Rule
from orchestra.planning.lint.regions import Regions, is_held, without
from tests.planning.make import allow, client, host, network, topology

NET, LAN, V6 = network("net"), network("lan", "10.1.0.0/24"), network("six", "fd00::/64")
DB, LAPTOP = host("db", networks={"lan": "10.1.0.9"}), client("laptop", {"net": None})
WORLD = compile_world(topology(NET, LAN, V6, DB, LAPTOP), "laptop")


def same(one: Rule, other: Rule) -> bool:
    first, second = Regions(WORLD, (one, other)).boxes
    return first == second


def test_what_is_taken_from_a_box_leaves_boxes_that_do_not_overlap() -> None:
    left = without((0b11, 0b11, 0b1, 0b1), (0b01, 0b10, 0b1, 0b1))
    assert left == [(0b10, 0b11, 0b1, 0b1), (0b01, 0b01, 0b1, 0b1)]
    assert without((0b11, 0b1, 0b1, 0b1), (0b11, 0b1, 0b1, 0b1)) == []
    assert without((0b10, 0b1, 0b1, 0b1), (0b01, 0b1, 0b1, 0b1)) is None


def test_one_set_may_be_written_in_many_ways() -> None:
    assert same(allow("@lan", "db"), allow(["10.1.0.0/25", "10.1.0.128/25"], "10.1.0.9"))
    assert same(allow("any", "any", (1, 20), (15, 30)), allow("any", "any", (1, 30)))
    assert same(allow("any", "any"), allow("any", "any", (0, 65535)))
    assert same(allow("any", "any"), allow(["0.0.0.0/0", "::/0"], "any"))


def test_the_internet_is_what_no_other_network_holds() -> None:
    net, rest = Regions(WORLD, (allow("@net", "any"), allow(["@lan", "@six"], "any"))).boxes
    assert not net[0] & rest[0]
    [everything] = Regions(WORLD, (allow("any", "any"),)).boxes
    assert everything[0]
    assert is_held(WORLD, LAN.cidrs[0])
    assert not is_held(WORLD, network("x", "10.0.0.0/8").cidrs[0])


def test_no_packet_has_addresses_of_two_families() -> None:
    mixed, four = Regions(WORLD, (allow("@lan", "@six"), allow("@lan", "any"))), Regions(WORLD, (allow("@lan", "any"),))
    assert mixed.packets(0) == []
    assert len(mixed.packets(1)) == len(four.packets(0)) == 1
