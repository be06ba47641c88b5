"""The dial verdict, one test for each sentence about it."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.graph import Judgement, code_of, compile_world, dialer_at, guest_of, judge, reasons
from orchestra.model.topology import Host, Network
from tests.planning.make import allow, client, deny, firewall, hide, host, network, numbered, publish, server, topology


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


def edge(*rules: object, name: str = "edge", **more: object) -> Host:
    return firewall(name, {"lan": "10.1.0.1", "dmz": "10.2.0.1"}, *rules, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "LOCALHOST."])
def test_loopback_only_means_the_dialer(text: str) -> None:
    closed = client("a", {"lan": "10.1.0.5"}, inbound=())
    judged = verdict([LAN, closed, B], "a", text)
    assert judged.passes
    assert judged.means == "a"


def test_own_address_is_never_judged_by_inbound() -> None:
    closed = client("a", {"lan": "10.1.0.5"}, inbound=())
    assert verdict([LAN, closed], "a", "10.1.0.5").passes
    assert codes([LAN, closed, client("c", {"lan": "10.1.0.6"})], "c", "10.1.0.5") == [Code.INBOUND_DENY]


def test_the_longest_prefix_decides() -> None:
    wide, narrow = network("wide", "10.0.0.0/8"), network("narrow", "10.2.0.0/24")
    here = client("a", {"wide": "10.9.9.9"})
    judged = verdict([wide, narrow, here, host("b", networks={"narrow": "10.2.0.7"})], "a", "10.2.0.7")
    assert [step.code for step in judged.denials] == [Code.NO_SHARED_NETWORK]
    assert verdict([wide, narrow, here, host("c", networks={"wide": "10.3.0.7"})], "a", "10.3.0.7").means == "c"


def test_a_network_without_cidr_holds_what_no_other_contains() -> None:
    things = [NET, LAN, client("a", {"net": None}), host("web", networks={"net": "203.0.113.9"})]
    assert verdict(things, "a", "203.0.113.9").means == "web"
    assert codes(things, "a", "10.1.0.9") == [Code.NO_SHARED_NETWORK]


def test_a_tie_goes_to_the_dialers_own_network() -> None:
    one, two = network("one", "192.168.1.0/24"), network("two", "192.168.1.0/24")
    x, y = host("x", networks={"one": "192.168.1.9"}), host("y", networks={"two": "192.168.1.9"})
    things = [one, two, NET, x, y, client("a", {"net": None}), server("s", {"two": "192.168.1.2"})]
    assert verdict(things, "s", "192.168.1.9").means == "y"
    assert codes(things, "a", "192.168.1.9") == [Code.AMBIGUOUS_ADDRESS]


def test_an_own_network_is_reached_directly() -> None:
    judged = verdict([LAN, A, host("c", networks={"lan": "10.1.0.9"})], "a", "10.1.0.9", 5432)
    assert judged.passes
    assert (judged.means, judged.firewalls) == ("c", ())


def test_the_way_is_the_one_with_the_fewest_firewalls_whatever_its_rules() -> None:
    mid = network("mid", "10.3.0.0/24")
    long = [
        mid,
        firewall("f1", {"lan": "10.1.0.2", "mid": "10.3.0.1"}, allow("any", "any")),
        firewall("f2", {"mid": "10.3.0.2", "dmz": "10.2.0.2"}, allow("any", "any")),
    ]
    judged = verdict([LAN, DMZ, A, B, *long], "a", "10.2.0.7")
    assert judged.passes
    assert judged.firewalls == ("f1", "f2")
    assert codes([LAN, DMZ, A, B, *long, edge()], "a", "10.2.0.7") == [Code.FIREWALL_DEFAULT_DENY]


def test_ties_between_ways_go_by_name_and_no_second_way_is_tried() -> None:
    closed, opened = edge(name="f1"), edge(allow("any", "any"), name="f2")
    assert codes([LAN, DMZ, A, B, closed, opened], "a", "10.2.0.7") == [Code.FIREWALL_DEFAULT_DENY]
    opened, closed = edge(allow("any", "any"), name="f1"), edge(name="f2")
    assert verdict([LAN, DMZ, A, B, closed, opened], "a", "10.2.0.7").firewalls == ("f1",)


def test_route_says_another_way() -> None:
    sent = client("a", {"lan": "10.1.0.5"}, route={"dmz": "f2"})
    things = [LAN, DMZ, sent, B, edge(name="f1"), edge(allow("any", "any"), name="f2")]
    assert verdict(things, "a", "10.2.0.7").firewalls == ("f2",)


def test_a_route_that_leads_nowhere_is_said() -> None:
    lost = client("a", {"lan": "10.1.0.5"}, route={"dmz": "b"})
    assert codes([LAN, DMZ, lost, B, edge(allow("any", "any"))], "a", "10.2.0.7") == [Code.NO_ROUTE_DECLARED]


def test_a_firewall_has_routes_of_its_own_and_circles_are_noticed() -> None:
    mid = network("mid", "10.3.0.0/24")
    f1 = firewall("f1", {"lan": "10.1.0.2", "mid": "10.3.0.1"}, allow("any", "any"), route={"dmz": "f2"})
    f2 = firewall("f2", {"mid": "10.3.0.2", "dmz": "10.2.0.2"}, allow("any", "any"))
    assert verdict([LAN, DMZ, mid, A, B, f1, f2], "a", "10.2.0.7").firewalls == ("f1", "f2")
    g1 = firewall("g1", {"lan": "10.1.0.2", "mid": "10.3.0.1"}, allow("any", "any"), route={"dmz": "g2"})
    g2 = firewall("g2", {"mid": "10.3.0.2", "lan": "10.1.0.3"}, allow("any", "any"), route={"dmz": "g1"})
    assert Code.NO_ROUTE_DECLARED in codes([LAN, DMZ, mid, A, B, g1, g2], "a", "10.2.0.7")


def test_only_firewalls_forward() -> None:
    both = server("both", {"lan": "10.1.0.2", "dmz": "10.2.0.2"})
    assert codes([LAN, DMZ, A, B, both], "a", "10.2.0.7") == [Code.NO_SHARED_NETWORK]


def test_a_firewall_that_leads_elsewhere_is_no_route() -> None:
    other = network("other", "10.4.0.0/24")
    away = firewall("f", {"lan": "10.1.0.1", "other": "10.4.0.1"}, allow("any", "any"))
    assert codes([LAN, DMZ, other, A, B, away], "a", "10.2.0.7") == [Code.NO_ROUTE_DECLARED]


def test_the_first_rule_that_matches_decides() -> None:
    rules = [deny("any", "any", 23), allow("any", "any", (20, 30)), deny("any", "any", protocol="any")]
    assert verdict([LAN, DMZ, A, B, edge(*rules)], "a", "10.2.0.7", 22).passes
    assert codes([LAN, DMZ, A, B, edge(*rules)], "a", "10.2.0.7", 23) == [Code.FIREWALL_DENY_RULE]
    assert codes([LAN, DMZ, A, B, edge(*rules)], "a", "10.2.0.7", 31) == [Code.FIREWALL_DENY_RULE]


def test_no_rule_that_matches_denies() -> None:
    assert codes([LAN, DMZ, A, B, edge(allow("b", "b"))], "a", "10.2.0.7") == [Code.FIREWALL_DEFAULT_DENY]


def test_the_opposite_way_being_allowed_has_a_code_of_its_own() -> None:
    things = [LAN, DMZ, A, B, edge(allow("@dmz", "@lan", 22))]
    assert codes(things, "a", "10.2.0.7") == [Code.FIREWALL_WRONG_DIRECTION]
    world = compile_world(topology(*things), "a")
    said = reasons(world, judge(world, dialer_at(world, "a"), "10.2.0.7", 22))
    back = [reason for reason in said if "opposite" in reason.text]
    assert [str(reason.place) for reason in back] == ["t.yaml:10:9"]


def test_the_nearest_rules_are_told_with_the_fields_in_which_they_differ() -> None:
    world = compile_world(topology(LAN, DMZ, A, B, edge(allow("a", "b", 80), allow("b", "b", 80))), "a")
    said = [reason.text for reason in reasons(world, judge(world, dialer_at(world, "a"), "10.2.0.7", 22))]
    assert "nearest: rule 1 (allow a to b port 80) differs in `ports`" in said
    assert "nearest: rule 2 (allow b to b port 80) differs in `from` and `ports`" in said


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_protocols_are_told_apart(protocol: str) -> None:
    things = [LAN, DMZ, A, B, edge(allow("any", "any", 53, protocol=protocol))]
    assert verdict(things, "a", "10.2.0.7", 53, protocol).passes
    assert not verdict(things, "a", "10.2.0.7", 53, "udp" if protocol == "tcp" else "tcp").passes
    anything = [LAN, DMZ, A, B, edge(allow("any", "any", 53, protocol="any"))]
    assert verdict(anything, "a", "10.2.0.7", 53, protocol).passes


@pytest.mark.parametrize(
    ("source", "destination"),
    [("any", "any"), ("@lan", "@dmz"), ("a", "b"), ("10.1.0.0/29", "10.2.0.7/32"), (["b", "a"], ["a", "b"])],
)
def test_every_form_of_selector_matches(source: str, destination: str) -> None:
    assert verdict([LAN, DMZ, A, B, edge(allow(source, destination))], "a", "10.2.0.7").passes


@pytest.mark.parametrize(("source", "destination"), [("@dmz", "@dmz"), ("b", "b"), ("10.1.0.8/29", "any")])
def test_other_selectors_do_not(source: str, destination: str) -> None:
    assert not verdict([LAN, DMZ, A, B, edge(allow(source, destination))], "a", "10.2.0.7").passes


def test_a_network_selects_addresses_however_far_away() -> None:
    mid = network("mid", "10.3.0.0/24")
    f1 = firewall("f1", {"lan": "10.1.0.2", "mid": "10.3.0.1"}, allow("@lan", "@dmz"))
    f2 = firewall("f2", {"mid": "10.3.0.2", "dmz": "10.2.0.2"}, allow("@lan", "@dmz"))
    assert verdict([LAN, DMZ, mid, A, B, f1, f2], "a", "10.2.0.7").passes


def test_a_host_selects_any_of_its_addresses() -> None:
    two = client("a", {"lan": ["10.1.0.5", "10.1.0.6"], "x": "10.9.0.1"})
    assert verdict([LAN, DMZ, network("x", "10.9.0.0/24"), two, B, edge(allow("a", "any"))], "a", "10.2.0.7").passes


def test_an_unknown_address_lies_in_its_network_and_in_cidrs_that_hold_the_whole_of_it() -> None:
    unknown = client("a", {"lan": None})
    for source, passes in [
        ("@lan", True),
        ("a", True),
        ("any", True),
        ("10.1.0.0/24", True),
        ("10.0.0.0/8", True),
        ("10.1.0.0/25", False),
        ("@dmz", False),
    ]:
        judged = verdict([LAN, DMZ, unknown, B, edge(allow(source, "any"))], "a", "10.2.0.7")
        assert judged.passes is passes, source


def test_an_unnamed_host_of_a_network_dials_like_one_of_unknown_address() -> None:
    things = [LAN, DMZ, A, B, edge(allow("@lan", "@dmz"))]
    assert verdict(things, "@lan", "10.2.0.7").passes
    assert not verdict([LAN, DMZ, A, B, edge(allow("a", "@dmz"))], "@lan", "10.2.0.7").passes


def nat(*rules: object, **more: object) -> Host:
    entries = (publish("net", 2222, "b", 22), hide("net"))
    return firewall("edge", {"net": "198.51.100.1", "dmz": "10.2.0.1"}, *rules, nat=entries, **more)  # type: ignore[arg-type]


OUT = client("a", {"net": None})


def test_destination_nat_hands_on_and_permits_nothing_by_itself() -> None:
    judged = verdict([NET, DMZ, OUT, B, nat(allow("@net", "b", 22))], "a", "198.51.100.1", 2222)
    assert judged.passes
    assert (judged.means, judged.means_port) == ("b", 22)
    assert codes([NET, DMZ, OUT, B, nat()], "a", "198.51.100.1", 2222) == [Code.FIREWALL_DEFAULT_DENY]


def test_rules_see_what_is_after_destination_nat() -> None:
    assert not verdict([NET, DMZ, OUT, B, nat(allow("@net", "any", 2222))], "a", "198.51.100.1", 2222).passes


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


def test_what_is_addressed_to_the_firewall_meets_its_inbound_not_its_rules() -> None:
    assert verdict([LAN, DMZ, A, edge()], "a", "10.1.0.1").passes
    assert verdict([LAN, DMZ, A, edge()], "a", "10.2.0.1").means == "edge"
    shut = edge(allow("any", "any"), inbound=numbered([allow("a", "any", 443)]))
    assert codes([LAN, DMZ, A, shut], "a", "10.1.0.1", 22) == [Code.INBOUND_DENY]
    assert verdict([LAN, DMZ, A, shut], "a", "10.1.0.1", 443).passes


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


def test_a_dialer_needs_an_address_of_the_family() -> None:
    dual = network("dual", "10.1.0.0/24", "fd00::/64")
    six = host("six", networks={"dual": "fd00::9"})
    assert codes([dual, client("a", {"dual": "10.1.0.5"}), six], "a", "fd00::9") == [Code.FAMILY_MISMATCH]
    assert verdict([dual, client("a", {"dual": ["10.1.0.5", "fd00::5"]}), six], "a", "fd00::9").means == "six"
    assert verdict([dual, client("a", {"dual": None}), six], "a", "fd00::9").passes


def test_names_are_resolved_by_the_dialer() -> None:
    named = host("b", networks={"lan": "10.1.0.9"}, names={"lan": ["b.lan"]})
    far = client("far", {"dmz": "10.2.0.3"})
    things = [LAN, DMZ, A, named, far, edge(allow("any", "any"))]
    assert verdict(things, "a", "B.lan").means == "b"
    judged = verdict(things, "far", "b.lan")
    assert judged.means is None
    assert judged.assumed == (Code.ASSUMED_NAME_RESOLVES,)


def test_a_name_is_judged_at_the_address_that_it_stands_for() -> None:
    named = host("b", networks={"dmz": "10.2.0.7"}, names=["b.example"])
    assert codes([LAN, DMZ, A, named, edge()], "a", "b.example") == [Code.FIREWALL_DEFAULT_DENY]


def test_a_name_of_two_machines_is_ambiguous() -> None:
    one, two = (
        host("x", networks={"lan": "10.1.0.8"}, names=["n"]),
        host("y", networks={"lan": "10.1.0.9"}, names=["n"]),
    )
    assert codes([LAN, A, one, two], "a", "n") == [Code.AMBIGUOUS_ADDRESS]


def test_an_undeclared_address_on_a_known_network_is_assumed_and_its_firewalls_judge_it() -> None:
    judged = verdict([LAN, DMZ, A, edge(allow("any", "@dmz", 80))], "a", "10.2.0.99", 80)
    assert judged.passes
    assert (judged.means, judged.assumed) == (None, (Code.ASSUMED_REACHABLE,))
    assert not verdict([LAN, DMZ, A, edge(allow("any", "@dmz", 80))], "a", "10.2.0.99", 81).passes


def test_reasons_carry_the_line_of_every_rule_passed() -> None:
    mid = network("mid", "10.3.0.0/24")
    f1 = firewall("f1", {"lan": "10.1.0.2", "mid": "10.3.0.1"}, deny("b", "any"), allow("any", "any", name="out"))
    f2 = firewall("f2", {"mid": "10.3.0.2", "dmz": "10.2.0.2"}, allow("any", "b"))
    world = compile_world(topology(LAN, DMZ, mid, A, B, f1, f2), "a")
    said = reasons(world, judge(world, dialer_at(world, "a"), "10.2.0.7", 22))
    assert [(reason.passes, reason.place.line if reason.place else None) for reason in said] == [
        (True, None),
        (True, 11),
        (True, 10),
    ]
    assert "rule 'out' of f1 allows a (10.1.0.5) to b (10.2.0.7) port 22/tcp" in said[1].text


def test_every_denying_firewall_is_told() -> None:
    mid = network("mid", "10.3.0.0/24")
    f1 = firewall("f1", {"lan": "10.1.0.2", "mid": "10.3.0.1"})
    f2 = firewall("f2", {"mid": "10.3.0.2", "dmz": "10.2.0.2"}, deny("any", "any"))
    shut = host("b", networks={"dmz": "10.2.0.7"}, inbound=())
    assert codes([LAN, DMZ, mid, A, shut, f1, f2], "a", "10.2.0.7") == [
        Code.FIREWALL_DEFAULT_DENY,
        Code.FIREWALL_DENY_RULE,
        Code.INBOUND_DENY,
    ]
