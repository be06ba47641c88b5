"""Blocked tunnels: what is missing is enough, and the file's own tests say what does not hold."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra.model.plan import Missing
from orchestra.model.topology import Host, Server, Target, Topology, Tunnel
from orchestra.planning import make_plan
from orchestra.plugin.vocabulary import Vocabulary
from tests.graph.test_oracle import topologies
from tests.planning.make import numbered, rule, target

PERMISSIONS = {"FIREWALL_DENY_RULE", "FIREWALL_DEFAULT_DENY", "FIREWALL_WRONG_DIRECTION", "INBOUND_DENY"}


def permitted(source: Topology, missing: tuple[Missing, ...]) -> Topology:
    """The topology with the missing permissions as first rules."""
    hosts = dict(source.hosts)
    for each in missing:
        host: Host = hosts[each.at]
        opened = rule("allow", each.from_, each.to or "any", *([each.port] if each.port else []))
        inbound = None if host.inbound is None else numbered([opened, *host.inbound])
        hosts[each.at] = replace(host, rules=numbered([opened, *host.rules]), inbound=inbound)
    return replace(source, hosts=hosts)


@settings(max_examples=80, deadline=None)
@given(topologies(), st.booleans())
def test_what_is_missing_is_enough(source: Topology, both: bool) -> None:
    servers = ("h1", "h2") if both else ("h1",)
    hosts = {name: replace(each, server=Server()) if name in servers else each for name, each in source.hosts.items()}
    wanted: Target = target("t", "80", "h2")
    source = replace(source, hosts=hosts, targets={"t": wanted}, tunnels={"t": Tunnel(name="t", to="t")})
    plan = make_plan(source, vocabulary=Vocabulary())
    found = plan.tunnel("t")
    assert (found.verdict == "unreachable") == any(each.severity == "error" for each in plan.diagnostics)
    if found.verdict == "reachable":
        return
    assert found.blocked
    assert any(not reason.passes for dial in found.blocked for reason in dial.reasons)
    if all(each.code in PERMISSIONS for each in plan.diagnostics if each.severity == "error"):
        assert found.missing
        assert make_plan(permitted(source, found.missing), vocabulary=Vocabulary()).tunnel("t").verdict == "reachable"
