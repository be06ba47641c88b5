"""Rules that never decide."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.graph import compile_world
from orchestra.model.topology import Rule
from orchestra.planning import check_statically
from orchestra.planning.shadows import shadowed_rules
from orchestra.plugin.vocabulary import Vocabulary
from tests.planning.make import allow, deny, firewall, host, numbered, topology
from tests.planning.office import LAN, NET


def test_a_shadowed_rule_with_another_action_is_a_warning() -> None:
    wall = firewall(
        "w", {"net": "203.0.113.9", "lan": "10.1.0.1"}, allow("any", "@lan"), deny("any", "10.1.0.0/25", 22)
    )
    [found] = check_statically(topology(NET, LAN, wall), vocabulary=Vocabulary())
    assert (found.code, found.severity) == (Code.RULE_SHADOWED, "warning")
    assert found.place is not None
    assert found.place.line == 11


@pytest.mark.parametrize(
    ("earlier", "later", "shadowed"),
    [
        (allow("any", "any"), allow("a", "b", 22), True),
        (allow("any", "any", protocol="any"), allow("any", "any", protocol="udp"), True),
        (allow("any", "any", protocol="tcp"), allow("any", "any", protocol="any"), False),
        (allow("any", "any", (1, 100)), allow("any", "any", (20, 30), 80), True),
        (allow("any", "any", (1, 100)), allow("any", "any", (90, 110)), False),
        (allow("any", "any", 22), allow("any", "any"), False),
        (allow("@lan", "any"), allow("10.1.0.128/25", "any"), True),
        (allow("10.0.0.0/8", "any"), allow("@lan", "any"), True),
        (allow("10.1.0.0/25", "any"), allow("@lan", "any"), False),
        (allow("@net", "any"), allow("10.1.0.0/25", "any"), False),  # where the internet ends is not known
        (allow(["a", "b"], "any"), allow("b", "any"), True),
        (allow("a", "any"), allow(["a", "b"], "any"), False),
    ],
)
def test_what_an_earlier_rule_takes(earlier: Rule, later: Rule, shadowed: bool) -> None:
    wall = firewall("w", {"net": "203.0.113.9", "lan": "10.1.0.1"}, earlier, later)
    found = shadowed_rules(compile_world(topology(NET, LAN, wall), "here"))
    assert [(each.code, each.severity) for each in found] == ([(Code.RULE_SHADOWED, "info")] if shadowed else [])


def test_a_hosts_own_filter_is_looked_at_too() -> None:
    shut = host("h", networks={"lan": "10.1.0.9"}, inbound=numbered([deny("any", "any"), allow("any", "any", 22)]))
    [found] = shadowed_rules(compile_world(topology(LAN, shut), "here"))
    assert found.suggestion == "move it in front"
    assert "rule 2 (allow any to any port 22) of h never decides: rule 1 (deny any to any)" in found.message
