"""Why a dial passes or does not, in words."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.graph import compile_world, dialer_at, judge, reasons
from orchestra.graph.reasons import rule_text
from tests.graph.ground import DMZ, LAN, A, B, codes, edge
from tests.planning.make import allow, deny, firewall, host, network, numbered, topology


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


def test_a_rule_is_called_by_its_name_or_by_what_it_says() -> None:
    named, spelled = numbered([allow("any", "b", name="ssh"), deny(["a", "@lan"], "any", 22, (80, 90))])
    assert rule_text(named) == "rule 'ssh'"
    assert rule_text(spelled) == "rule 2 (deny a, lan to any port 22, 80-90)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("localhost", "localhost dialed by a is a"),
        ("10.1.0.9", "a is on lan itself"),
        ("nobody.example", "assumed: a resolves nobody.example and reaches it"),
        ("192.0.2.1", "assumed: a reaches 192.0.2.1, which nobody declared"),
    ],
)
def test_what_passes_is_explained_too(text: str, said: str) -> None:
    world = compile_world(topology(LAN, DMZ, A, B, host("c", networks={"lan": "10.1.0.9"}), edge()), "a")
    found = reasons(world, judge(world, dialer_at(world, "a"), text, 22))
    assert (said, True) in [(each.text, each.passes) for each in found]
