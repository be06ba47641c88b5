"""What a firewall publishes, and what it hides."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.graph import compile_world, dialer_at, judge, reasons
from orchestra.graph.nat import handed_to, port_forward, publications
from tests.graph.ground import DMZ, LAN, NET, OUT, A, B, codes, edge, nat, verdict
from tests.planning.make import allow, client, firewall, hide, host, network, numbered, publish, topology


def test_what_is_masqueraded_is_reached_by_nat_only() -> None:
    things = [NET, DMZ, OUT, B, nat(allow("any", "any"))]
    assert codes(things, "a", "10.2.0.7", 22) == [Code.NAT_UNMAPPED]
    assert verdict(things, "a", "198.51.100.1", 2222).passes


def test_nat_is_for_what_arrives_from_its_network() -> None:
    inside = host("c", networks={"dmz": "10.2.0.9"})
    judged = verdict([NET, DMZ, OUT, B, inside, nat(allow("any", "any"))], "c", "198.51.100.1", 2222)
    assert judged.means == "edge"


def test_a_dial_that_nat_sends_back_to_its_dialer_does_not_pass() -> None:
    around = (publish("lan", 2222, "a", 22),)
    sent_back = [LAN, DMZ, A, edge(allow("any", "any"), nat=around)]
    assert codes(sent_back, "a", "10.1.0.1", 2222) == [Code.NAT_HAIRPIN]
    world = compile_world(topology(*sent_back), "a")
    [why] = [each for each in reasons(world, judge(world, dialer_at(world, "a"), "10.1.0.1", 2222)) if not each.passes]
    assert why.text == (
        "edge sends it back to a, which sees 10.1.0.5, an address of its own, as the source and does not answer"
    )


def test_what_is_masqueraded_on_its_way_back_does() -> None:
    judged = verdict(
        [LAN, DMZ, A, edge(allow("any", "any"), nat=(publish("lan", 2222, "a", 22), hide("lan")))],
        "a",
        "10.1.0.1",
        2222,
    )
    assert (judged.passes, judged.means, judged.means_port) == (True, "a", 22)


def test_a_neighbour_of_the_dialer_is_no_hairpin() -> None:
    c = host("c", networks={"lan": "10.1.0.9"})
    judged = verdict(
        [LAN, DMZ, A, c, edge(allow("any", "any"), nat=(publish("lan", 2222, "c", 22),))], "a", "10.1.0.1", 2222
    )
    assert (judged.passes, judged.means) == (True, "c")


def test_a_hairpin_through_the_dialer_does_not_pass_either() -> None:
    mid = network("mid", "10.3.0.0/24")
    f1 = firewall("f1", {"lan": "10.1.0.2", "mid": "10.3.0.1"}, allow("any", "any"))
    f2 = firewall("f2", {"mid": "10.3.0.2"}, allow("any", "any"), nat=(publish("mid", 2222, "a", 22),))
    assert codes([LAN, mid, A, f1, f2], "f1", "10.3.0.2", 2222) == [Code.NAT_HAIRPIN]


def test_a_filter_judges_before_its_own_masquerade_and_the_next_after_it() -> None:
    web = host("web", networks={"net": "203.0.113.9"}, inbound=numbered([allow("edge", "any")]))
    out = nat(allow("b", "@net"))
    assert verdict([NET, DMZ, B, web, out], "b", "203.0.113.9", 443).passes
    closed = host("web", networks={"net": "203.0.113.9"}, inbound=numbered([allow("b", "any")]))
    assert codes([NET, DMZ, B, closed, out], "b", "203.0.113.9", 443) == [Code.INBOUND_DENY]


def test_nat_through_two_firewalls() -> None:
    mid = network("mid", "10.3.0.0/24")
    outer = firewall(
        "outer",
        {"net": "198.51.100.1", "mid": "10.3.0.1"},
        allow("@net", "inner", 2022),
        nat=(publish("net", 2222, "inner", 2022),),
    )
    inner = firewall(
        "inner", {"mid": "10.3.0.2", "dmz": "10.2.0.1"}, allow("@net", "b", 22), nat=(publish("mid", 2022, "b", 22),)
    )
    judged = verdict([NET, mid, DMZ, OUT, B, outer, inner], "a", "198.51.100.1", 2222)
    assert judged.passes
    assert (judged.means, judged.firewalls) == ("b", ("outer", "inner"))


@pytest.mark.parametrize(
    ("net", "port", "protocol", "to"),
    [("net", 2222, "tcp", "b:22"), ("net", 2222, "udp", "b:53"), ("net", 22, "tcp", None), ("dmz", 2222, "tcp", None)],
)
def test_the_first_entry_for_network_port_and_protocol_decides(net: str, port: int, protocol: str, to: str) -> None:
    entries = (publish("net", 2222, "b", 22), publish("net", 2222, "b", 53, "udp"), publish("net", 2222, "a", 1))
    wall = firewall("edge", {"net": "198.51.100.1", "dmz": "10.2.0.1"}, nat=entries)
    entry = port_forward(compile_world(topology(NET, DMZ, B, wall), "here"), "edge", net, port, protocol)
    assert (f"{entry.host}:{entry.to_port}" if entry else None) == to


def test_an_entry_hands_on_the_families_of_its_machine_at_its_nearest_address() -> None:
    dual, far = network("dual", "10.3.0.0/24", "fd00::/64"), network("far", "10.4.0.0/24")
    machine = host("m", networks={"far": "10.4.0.9", "dual": ["10.3.0.9", "fd00::9"], "dmz": None})
    wall = firewall("edge", {"net": "198.51.100.1", "dual": "10.3.0.1"})
    world = compile_world(topology(NET, DMZ, dual, far, B, machine, wall), "here")
    entry = publish("net", 1, "m", 2)
    assert [str(handed_to(world, "edge", entry, version)) for version in (4, 6, None)] == [
        "m (10.3.0.9)",
        "m (fd00::9)",
        "m (10.3.0.9)",
    ]
    assert handed_to(world, "edge", publish("net", 1, "b", 2), 6) is None
    assert str(handed_to(world, "edge", publish("net", 1, "edge", 2), 6)) == "edge"


def test_what_is_published_on_the_way_also_by_one_firewall_to_another() -> None:
    mid = network("mid", "10.3.0.0/24")
    outer = firewall("outer", {"net": "198.51.100.1", "mid": "10.3.0.1"}, nat=(publish("net", 2222, "inner", 2022),))
    inner = firewall("inner", {"mid": "10.3.0.2", "dmz": "10.2.0.1"}, nat=(publish("mid", 2022, "b", 22),))
    aside = firewall("zside", {"net": "198.51.100.9", "mid": "10.3.0.9"}, nat=(publish("net", 2299, "inner", 2022),))
    world = compile_world(topology(NET, mid, DMZ, OUT, B, outer, inner, aside), "a")
    seen = publications(world, dialer_at(world, "a"), "b", 22, "tcp")
    assert [(str(each.address), each.port) for each in seen] == [("10.3.0.2", 2022), ("198.51.100.1", 2222)]
    assert publications(world, dialer_at(world, "inner"), "b", 22, "tcp") == ()


def test_what_is_published_at_another_site_is_not_dialed_by_the_address_that_it_has_there() -> None:
    """Two sites with one range: to who is at one of them, the address is of some host of its own site."""
    sites = (network("site1", "192.168.1.0/24"), network("site2", "192.168.1.0/24"))
    outer = firewall("outer", {"site1": "192.168.1.1", "net": "198.51.100.1"})
    inner = firewall("inner", {"net": "198.51.100.2", "site2": "192.168.1.2"}, nat=(publish("site2", 2222, "b", 22),))
    inside = (host("b", networks={"site2": "192.168.1.9"}), client("a", {"site1": "192.168.1.7"}))
    world = compile_world(topology(NET, *sites, outer, inner, *inside), "a")
    assert publications(world, dialer_at(world, "a"), "b", 22, "tcp") == ()
