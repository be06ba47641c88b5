"""A dial, and everything that it meets on its way."""

from __future__ import annotations

from orchestra.diagnostics import Code
from orchestra.model.topology import Topology
from orchestra.planning.context import make_context
from orchestra.planning.dials import attempt
from orchestra.planning.explaining.explanation import Check, Leg
from orchestra.planning.explaining.legs import leg
from orchestra.planning.explaining.question import destination
from orchestra.plugin.vocabulary import Vocabulary
from tests.planning.make import allow, deny, hide, publish, server, target, topology
from tests.planning.office import DB, HERE, LAN, NET, edge


def made(source: Topology, to: str, by: str = "here") -> Leg:
    context = make_context(source, "here", Vocabulary())
    return leg(context, "dial", attempt(context, by, destination(context, to).service))


def only(found: Leg) -> Check:
    [denied] = found.denials
    return denied


def test_a_denying_filter_has_its_rule_its_place_and_the_nearest_ones_field_by_field() -> None:
    rules = (
        allow("@lan", "any", 443),
        allow("here", "db", 81, name="almost"),
        deny("any", "any"),
        allow("any", "db", 80),
    )
    denied = only(made(topology(NET, LAN, HERE, edge(*rules), DB, target("web", "80", "db")), "web"))
    assert (denied.kind, denied.at, denied.code) == ("rules", "edge", Code.FIREWALL_DENY_RULE)
    assert (denied.rule, str(denied.place)) == ("rule 3 (deny any to any)", "t.yaml:12:9")
    assert denied.missing is not None
    assert (denied.missing.from_, denied.missing.to, denied.missing.port) == ("here", "db", 80)
    assert [(near.rule, [field.matches for field in near.fields]) for near in denied.near] == [
        ("rule 4 (allow any to db port 80)", [True, True, True, True]),
        ("rule 'almost'", [True, True, False, True]),
        ("rule 1 (allow lan to any port 443)", [False, True, False, True]),
    ]
    assert denied.suggestion == "an allow rule in front of it would let this pass"


def test_the_opposite_way_is_a_rule_of_its_own() -> None:
    denied = only(made(topology(NET, LAN, HERE, edge(allow("@lan", "@net", 22)), DB), "db:22"))
    assert denied.code is Code.FIREWALL_WRONG_DIRECTION
    assert denied.opposite is not None
    assert (denied.opposite.rule, str(denied.opposite.place)) == ("rule 1 (allow lan to net port 22)", "t.yaml:10:9")


def test_every_firewall_that_is_passed_has_its_rule() -> None:
    nat = (publish("net", 2222, "db", 22), hide("net"))
    found = made(topology(NET, LAN, HERE, edge(allow("any", "db", 22, name="in"), nat=nat), DB), "db:22")
    assert found.passes
    assert [(check.kind, check.at, check.rule) for check in found.checks] == [
        ("network", "here", None),
        ("nat", "edge", None),
        ("rules", "edge", "rule 'in'"),
    ]
    assert (str(found.dial), found.dial.means) == ("198.51.100.1:2222", "db")


def test_what_sshd_forbids_is_a_check_with_what_is_missing() -> None:
    gate = server("gate", {"net": "203.0.113.2", "lan": "10.1.0.2"}, forwarding={"permit_open": ("db:1",)})
    denied = only(made(topology(NET, LAN, HERE, gate, DB, target("web", "80", "db")), "web", "gate"))
    assert (denied.kind, denied.at, denied.code) == ("sshd", "gate", Code.PERMITOPEN_MISMATCH)
    assert denied.missing is not None
    assert denied.missing.setting == "permit_open"


def test_what_takes_another_topology_says_so_and_lacks_no_permission() -> None:
    denied = only(made(topology(NET, LAN, HERE, DB), "db:22"))
    assert (denied.kind, denied.code, denied.missing) == ("topology", Code.NO_SHARED_NETWORK, None)
    assert denied.suggestion == "attach both to one network, or declare the firewall between their networks"


def test_what_is_assumed_has_its_code() -> None:
    found = made(topology(NET, HERE), "nobody.example:443")
    assert [(check.kind, check.code) for check in found.checks] == [("assumed", Code.ASSUMED_NAME_RESOLVES)]
    assert found.passes
