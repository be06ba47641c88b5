"""Why one host can or cannot reach another: the whole answer, as a value."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.errors import UsageError
from orchestra.model.topology import Topology
from orchestra.planning import Explanation, explain, make_plan, with_permissions
from orchestra.plugin.vocabulary import Vocabulary
from tests.planning.make import allow, client, deny, firewall, host, network, server, target, topology, tunnel
from tests.planning.office import DB, GATE, HERE, LAN, NET, edge

INNER = server("gate", {"lan": "10.1.0.2"})
WEB = target("web", "80", "db")
FAR = network("far", "10.2.0.0/24")
DEEP = host("deep", networks={"far": "10.2.0.9"})
STEP = server("step", {"lan": "10.1.0.3", "far": "10.2.0.3"})
THREE = topology(NET, LAN, FAR, HERE, GATE, STEP, DEEP, target("web", "80", "deep"))


def ask(source: Topology, from_: str = "here", to: str = "web", **more: object) -> Explanation:
    return explain(source, from_, to, vocabulary=Vocabulary(), **more)  # type: ignore[arg-type]


def test_yes_has_every_dial_and_the_rule_that_lets_it_pass() -> None:
    found = ask(topology(NET, LAN, HERE, edge(allow("any", "gate", 22, name="ssh")), INNER, DB, WEB))
    assert (found.verdict, found.direction, found.path) == ("reachable", "local", ("here", "gate"))
    assert [(leg.kind, leg.dial.by, str(leg.dial), leg.dial.means) for leg in found.legs] == [
        ("ssh", "here", "10.1.0.2:22", "gate"),
        ("dial", "gate", "10.1.0.9:80", "db"),
    ]
    [rule] = [check for check in found.legs[0].checks if check.kind == "rules"]
    assert (rule.at, rule.rule, str(rule.place)) == ("edge", "rule 'ssh'", "t.yaml:10:9")
    assert (found.missing, found.offers, found.denials) == ((), (), ())
    assert not found.unprotected


def test_yes_has_the_shorter_paths_and_why_they_would_not_do() -> None:
    found = ask(THREE)
    assert found.path == ("here", "gate", "step")
    assert [(each.path, each.leg.dial.by, each.leg.denials[0].code) for each in found.rejected] == [
        (("here",), "here", Code.NO_SHARED_NETWORK),
        (("here", "gate"), "gate", Code.NO_SHARED_NETWORK),
        (("here", "step"), "here", Code.NO_SHARED_NETWORK),
    ]


def test_a_shorter_path_that_costs_more_is_told_with_its_cost() -> None:
    dear = server("dear", {"net": "203.0.113.3", "far": "10.2.0.4"}, cost=7)
    found = ask(topology(NET, LAN, FAR, HERE, GATE, STEP, DEEP, dear, target("web", "80", "deep")))
    assert (found.path, found.cost) == (("here", "gate", "step"), 0)
    [other] = [each for each in found.rejected if each.leg.passes]
    assert (other.path, other.cost) == (("here", "dear"), 7)


def test_a_server_as_near_that_cannot_dial_it_is_told() -> None:
    first = server("alpha", {"net": "203.0.113.1", "lan": "10.1.0.4"}, forwarding={"local": False})
    found = ask(topology(NET, LAN, HERE, first, GATE, DB, WEB))
    assert found.path == ("here", "gate")
    assert [(each.path, each.leg.denials[0].code) for each in found.rejected[1:]] == [
        (("here", "alpha"), Code.FORWARDING_DISABLED)
    ]


def test_no_is_a_complete_path_with_what_is_missing() -> None:
    source = topology(NET, LAN, HERE, edge(allow("any", "gate", 443)), INNER, DB, WEB)
    found = ask(source)
    assert (found.verdict, found.path) == ("unreachable", ("here", "gate"))
    assert [leg.passes for leg in found.legs] == [False, True]
    assert [(each.at, each.setting, each.from_, each.to, each.port) for each in found.missing] == [
        ("edge", "rules", "here", "gate", 22)
    ]
    assert ask(with_permissions(source, found.missing)).reachable


def test_nothing_is_missing_where_no_permission_would_do() -> None:
    found = ask(topology(NET, LAN, HERE, DB, WEB))
    assert (found.verdict, found.missing) == ("unreachable", ())
    assert [check.code for check in found.denials] == [Code.NO_SHARED_NETWORK]
    assert found.denials[0].suggestion


def test_an_ssh_server_that_cannot_be_dialed_is_not_first_logged_in_to() -> None:
    found = ask(topology(NET, LAN, HERE, edge(), INNER), to="gate")
    assert [leg.kind for leg in found.legs] == ["dial"]
    assert [note.code for note in found.assumed] == [Code.ASSUMED_SSH_PORT]


def test_from_a_network_is_one_unnamed_host_of_it_and_the_rule_says_the_network() -> None:
    source = topology(NET, LAN, HERE, edge(deny("any", "any")), DB, WEB)
    found = ask(source, "net")
    assert (found.dialer, found.path) == ("a host of net", ("a host of net",))
    assert [(each.from_, each.to) for each in found.missing] == [("net", "db")]
    assert ask(with_permissions(source, found.missing), "net").reachable
    inside = ask(source, "lan")
    assert (inside.reachable, inside.unprotected) == (True, True)


def test_without_clients_the_rule_says_the_network_that_here_is_on() -> None:
    source = topology(NET, LAN, edge(), INNER, DB, WEB)
    found = ask(source, "localhost")
    assert [each.from_ for each in found.missing] == ["net"]
    assert ask(with_permissions(source, found.missing), "localhost").reachable


def test_from_equal_to() -> None:
    assert ask(topology(NET, LAN, HERE), to="here:3000").path == ("here",)
    found = ask(topology(NET, LAN, HERE, GATE), "gate", "gate")
    assert (found.reachable, str(found.legs[0].dial), found.unprotected) == (True, "127.0.0.1:22", False)
    with pytest.raises(UsageError, match="write here:PORT"):
        ask(topology(NET, LAN, HERE), to="here")


def test_a_topology_of_one_host() -> None:
    alone = topology(client("here"))
    assert ask(alone, to="here:80").reachable
    assert [note.code for note in ask(alone, to="elsewhere.example:80").assumed] == [Code.ASSUMED_NAME_RESOLVES]
    with pytest.raises(UsageError, match="it has here"):
        ask(alone, to="zzz")


def test_a_cycle_of_firewalls_is_named() -> None:
    mid = network("mid", "10.3.0.0/24")
    one = firewall("one", {"net": "198.51.100.1", "mid": "10.3.0.1"}, allow("any", "any"), route={"lan": "two"})
    two = firewall("two", {"mid": "10.3.0.2", "net": "198.51.100.2"}, allow("any", "any"), route={"lan": "one"})
    out = firewall("zout", {"mid": "10.3.0.9", "lan": "10.1.0.1"}, allow("any", "any"))
    here = client("here", {"net": "198.51.100.9"}, route={"lan": "one"})
    found = ask(topology(NET, mid, LAN, here, one, two, out, DB, WEB))
    assert not found.reachable
    assert found.missing == ()
    [circle] = found.denials
    assert circle.code is Code.NO_ROUTE_DECLARED
    assert "one" in circle.text and "two" in circle.text and "circle" in circle.text  # noqa: PT018
    assert len(found.legs[0].checks) < 8


def test_via_and_direct_narrow_the_question() -> None:
    assert ask(THREE, via=("gate", "step")).path == ("here", "gate", "step")
    assert ask(THREE, direct=True).path == ("here",)
    assert not ask(THREE, direct=True).reachable
    with pytest.raises(UsageError, match="deep: it is no SSH server"):
        ask(THREE, via=("deep",))


def test_what_another_client_offers_is_a_way() -> None:
    dev = target("dev", "127.0.0.1:3000", "here")
    opened = server("gate", {"net": "203.0.113.2", "lan": "10.1.0.2"}, forwarding={"gateway_ports": "clientspecified"})
    back = tunnel("dev", at="gate", listen="10.1.0.2:8080", by="here")
    found = ask(topology(NET, LAN, HERE, opened, DB, dev, back), "lan", "dev")
    assert (found.reachable, str(found.legs[-1].dial)) == (True, "10.1.0.2:8080")


def test_it_agrees_with_the_plan() -> None:
    for source in (THREE, topology(NET, LAN, HERE, edge(), INNER, DB, WEB)):
        [planned] = make_plan(source, vocabulary=Vocabulary()).tunnels
        found = ask(source)
        assert (found.verdict, found.path, found.missing) == (planned.verdict, planned.path, planned.missing)
        assert not found.reachable or found.legs[-1].dial == planned.dial


def test_several_clients_need_no_choice_but_a_client_that_is_none_is_refused() -> None:
    two = topology(NET, HERE, client("other", {"net": None}), GATE)
    assert ask(two, to="gate").reachable
    with pytest.raises(UsageError, match="no client 'nobody'"):
        ask(two, to="gate", client="nobody")
