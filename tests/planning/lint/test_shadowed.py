"""Rules that never decide."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra.diagnostics import Code
from orchestra.graph import Flow, Party, compile_world
from orchestra.graph.filters import deciding_rule, packet_filter
from orchestra.model.topology import Rule
from orchestra.planning import check_statically
from orchestra.planning.lint.shadowed import shadowed_rules, shadows
from orchestra.plugin.vocabulary import Vocabulary
from tests.planning.make import allow, client, deny, firewall, host, network, numbered, rule, topology
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
        (allow("@net", "any"), allow("10.1.0.0/25", "any"), False),
        (allow("@lan", "any"), allow("db", "any"), True),
        (allow("any", "10.1.0.9"), allow("any", "db"), True),
        (allow("any", "@lan"), allow("any", "laptop"), False),
        (allow("any", "@net"), allow("any", "laptop"), True),
        (allow("0.0.0.0/0", "any"), allow("laptop", "any"), False),  # its address is not known, nor its family
        (allow(["a", "b"], "any"), allow("b", "any"), True),
        (allow("a", "any"), allow(["a", "b"], "any"), False),
    ],
)
def test_what_an_earlier_rule_takes(earlier: Rule, later: Rule, shadowed: bool) -> None:
    wall = firewall("w", {"net": "203.0.113.9", "lan": "10.1.0.1"}, earlier, later)
    things = (NET, LAN, wall, host("db", networks={"lan": "10.1.0.9"}), client("laptop", {"net": None}))
    found = list(shadowed_rules(compile_world(topology(*things), "here")))
    assert [(each.code, each.severity) for each in found] == ([(Code.RULE_SHADOWED, "info")] if shadowed else [])


def said(*rules: Rule) -> tuple[str, str, str | None]:
    wall = firewall("w", {"net": "203.0.113.9", "lan": "10.1.0.1"}, *rules)
    [found] = shadowed_rules(compile_world(topology(NET, LAN, wall, client("laptop", {"net": None})), "here"))
    return found.severity, found.message, found.suggestion


def test_several_rules_may_take_all_of_one_together() -> None:
    halves = allow("10.1.0.0/25", "any"), allow("10.1.0.128/25", "any", protocol="any")
    severity, text, hint = said(*halves, allow("@lan", "any", 22))
    assert (severity, hint) == ("info", "leave it out: nothing changes")
    assert "rule 1 (allow 10.1.0.0/25 to any) (t.yaml:10:9) and rule 2 (" in text
    assert "together take all of it first" in text
    assert said(allow("@net", "any"), allow("@lan", "any"), allow("any", "any", 1))[0] == "info"


def test_of_many_rules_one_that_does_otherwise_is_always_named() -> None:
    ports = [allow("any", "any", port) for port in range(1, 9)]
    severity, text, hint = said(*ports, deny("any", "any", 9), allow("any", "any", (1, 9)))
    assert severity == "warning"
    assert "rule 9 (deny any to any port 9) (t.yaml:18:9) and 6 more together take all of it first" in text
    assert text.endswith("so that some of what it would allow is denied")
    assert hint is not None
    assert hint.startswith("move it in front of rule 9")


def test_a_rule_after_the_one_that_took_it_all_is_not_blamed() -> None:
    text = said(allow("any", "any", 22), deny("any", "any", 22), allow("any", "any", 80))[1]
    assert "rule 1 (allow any to any port 22) (t.yaml:10:9) takes all of it first, so that what it would deny" in text


def test_a_hosts_own_filter_is_looked_at_too() -> None:
    shut = host("h", networks={"lan": "10.1.0.9"}, inbound=numbered([deny("any", "any"), allow("any", "any", 22)]))
    [found] = shadowed_rules(compile_world(topology(LAN, shut), "here"))
    assert found.suggestion == "move it in front of rule 1 (deny any to any) (t.yaml:50:9)"
    assert found.message.startswith("rule 2 (allow any to any port 22) of inbound of h never matches: rule 1 (deny any")


# -- exact: against every packet of a small world ---------------------------------------------------------------------

SMALL = topology(
    network("net"),
    network("a", "10.0.0.0/30"),
    network("b", "10.0.0.4/30", "fd00::/126"),
    host("h", networks={"a": "10.0.0.1"}),
    host("k", networks={"b": ["10.0.0.5", "fd00::1"]}),
    host("o", networks={"net": "10.0.0.9"}),
)
WORLD = compile_world(SMALL, "here")
ADDRESSES = [ip_address(text) for n in range(12) for text in (f"10.0.0.{n}", *([f"fd00::{n}"] if n < 6 else []))]
FLOWS = [
    Flow(Party(None, None, source), Party(None, None, to), port, protocol)
    for source in ADDRESSES
    for to in ADDRESSES
    if source.version == to.version
    for port in (1, 2, 3)
    for protocol in ("tcp", "udp")
]
NAMES = ("any", "@net", "@a", "@b", "h", "k", "o")
RANGES = ("10.0.0.0/29", "10.0.0.0/31", "10.0.0.2/31", "10.0.0.8/30", "fd00::/127", "0.0.0.0/0", "::/0")
WHO = st.lists(st.sampled_from((*NAMES, *RANGES)), min_size=1, max_size=3, unique=True)
RULES = st.lists(
    st.builds(
        lambda action, source, to, ports, protocol: rule(action, source, to, *ports, protocol=protocol),
        st.sampled_from(["allow", "deny"]),
        WHO,
        WHO,
        st.sampled_from([(), (1,), ((1, 2),), ((2, 3),), (3, (1, 1)), ((1, 65535),)]),
        st.sampled_from(["tcp", "udp", "any"]),
    ),
    min_size=2,
    max_size=5,
)


def decider(rules: tuple[Rule, ...], flow: Flow) -> Rule | None:
    return deciding_rule(WORLD, packet_filter(WORLD, rules), flow)


@settings(max_examples=60, deadline=None)
@given(RULES)
def test_what_is_said_never_to_match_never_decides_and_its_deciders_do(drawn: list[Rule]) -> None:
    rules = numbered(drawn)
    for found, deciders in shadows(WORLD, rules):
        alone = [flow for flow in FLOWS if decider((found,), flow)]
        deciding = {decided.index for flow in alone if (decided := decider(rules, flow))}
        assert found.index not in deciding
        assert deciding <= {each.index for each in deciders}
        assert all(each.index < found.index for each in deciders)


@settings(max_examples=60, deadline=None)
@given(RULES)
def test_every_rule_that_no_packet_reaches_is_found(drawn: list[Rule]) -> None:
    """Of rules that name only what the small world shows whole: no ports beyond, no addresses beyond."""
    narrow = [each for each in drawn if not {"any", "@net", "0.0.0.0/0", "::/0"} & texts(each) and each.ports]
    rules = numbered([each for each in narrow if each.ports != ((1, 65535),)])
    dead = {each.index for each in rules if not any(decider(rules, flow) is each for flow in FLOWS)}
    empty = {each.index for each in rules if not any(decider((each,), flow) for flow in FLOWS)}
    assert {each.index for each, _ in shadows(WORLD, rules)} == dead - empty


def texts(each: Rule) -> set[str]:
    return {
        selector.text if selector.kind != "network" else f"@{selector.text}"
        for selector in (*each.sources, *each.destinations)
    }
