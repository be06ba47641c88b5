"""What holds for every topology: random ones, against the packet walk of the embedded lab, and against themselves."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import ip_address
from itertools import combinations

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from orchestra.diagnostics import Code
from orchestra.graph import compile_world, dialer_at, judge
from orchestra.lab.embedded.settle import settle
from orchestra.lab.embedded.walk import Arrival, walk
from orchestra.model.plan import Missing, Plan, PlannedTunnel
from orchestra.model.topology import Attachment, Host, Network, Rule, Selector, Topology
from orchestra.planning import with_permissions
from orchestra.render.plan_json import plan_json
from tests.acceptance.as_yaml import as_yaml
from tests.acceptance.generate import random_world
from tests.acceptance.kernel import NOT_CLAIMED, plan_of, questions
from tests.planning.make import network

PERMISSIONS = frozenset(
    {
        Code.FIREWALL_DENY_RULE,
        Code.FIREWALL_DEFAULT_DENY,
        Code.FIREWALL_WRONG_DIRECTION,
        Code.INBOUND_DENY,
        Code.FORWARDING_DISABLED,
        Code.GATEWAY_PORTS_DISABLED,
        Code.PERMITOPEN_MISMATCH,
        Code.PERMITLISTEN_MISMATCH,
    }
)
"""What a permission would change; everything else is how the network is made."""
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""Without making a counterexample smaller: that takes minutes here."""
MANY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
FEW = settings(MANY, max_examples=25)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Topology, str]:
    """Hypothesis makes the choices, so that it can make them smaller; what it found is shown as a file."""
    topology, client = random_world(draw(st.randoms(use_true_random=False)))
    note(f"seen from {client}:\n{as_yaml(topology)}")
    return topology, client


def blocked(plan: Plan) -> Iterator[PlannedTunnel]:
    """Tunnels that nothing but permissions keeps from being carried."""
    for tunnel in plan.tunnels:
        codes = {each.code for each in plan.diagnostics if each.tunnel == tunnel.name and each.severity == "error"}
        if tunnel.verdict == "unreachable" and tunnel.missing and codes <= PERMISSIONS:
            yield tunnel


def opens(topology: Topology, client: str, tunnel: PlannedTunnel, permissions: Iterable[Missing]) -> bool:
    granted = with_permissions(replace(topology, tunnels={tunnel.name: topology.tunnels[tunnel.name]}), permissions)
    return plan_of(granted, client).tunnel(tunnel.name).verdict == "reachable"


@MANY
@given(worlds())
def test_a_dial_arrives_where_the_walk_ends(made: tuple[Topology, str]) -> None:
    topology, client = made
    lab, model = settle(topology, client), compile_world(topology, client)
    for asked in questions(topology):
        said = judge(model, dialer_at(model, asked.dialer), asked.address, asked.port)
        if NOT_CLAIMED & {step.code for step in said.steps}:
            continue
        found = walk(lab, asked.dialer, ip_address(asked.address), asked.port)
        walked = (found.host, found.flow.port) if isinstance(found, Arrival) else None
        assert walked == ((said.means, said.means_port) if said.passes else None), asked


@MANY
@given(worlds())
def test_what_is_missing_opens_the_path_and_less_does_not(made: tuple[Topology, str]) -> None:
    topology, client = made
    for tunnel in blocked(plan_of(topology, client)):
        assert opens(topology, client, tunnel, tunnel.missing), tunnel.missing
        for fewer in combinations(tunnel.missing, len(tunnel.missing) - 1):
            assert not opens(topology, client, tunnel, fewer), (tunnel.missing, fewer)


@FEW
@given(worlds())
def test_no_smaller_set_of_permissions_would_do(made: tuple[Topology, str]) -> None:
    """Of all permissions that any path of any tunnel lacks; pairs are enough to tell a detour that costs more."""
    topology, client = made
    plan = plan_of(topology, client)
    known = sorted({each for tunnel in plan.tunnels for each in tunnel.missing}, key=str)[:12]
    for tunnel in blocked(plan):
        for size in range(1, min(len(tunnel.missing), 3)):
            for fewer in combinations(known, size):
                assert not opens(topology, client, tunnel, fewer), (tunnel.missing, fewer)


@MANY
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_keys_means_nothing(made: tuple[Topology, str], chance: random.Random) -> None:
    topology, client = made

    def shuffled(mapping):  # type: ignore[no-untyped-def]
        names = list(mapping)
        chance.shuffle(names)
        return {name: mapping[name] for name in names}

    parts = {part: shuffled(getattr(topology, part)) for part in ("networks", "hosts", "targets", "tunnels")}
    assert plan_json(plan_of(replace(topology, **parts), client)) == plan_json(plan_of(topology, client))


@MANY
@given(worlds(), st.data())
def test_an_allow_more_closes_nothing(made: tuple[Topology, str], data: st.DataObject) -> None:
    topology, client = made
    name = data.draw(st.sampled_from(sorted(name for name, host in topology.hosts.items() if host.forwards)))
    firewall = topology.hosts[name]
    place = data.draw(st.integers(0, len(firewall.rules)))
    rules = (*firewall.rules[:place], data.draw(allowing(topology)), *firewall.rules[place:])
    more = replace(topology, hosts={**topology.hosts, name: replace(firewall, rules=rules)})
    before, after = (
        {tunnel.name for tunnel in plan_of(each, client).tunnels if tunnel.verdict == "reachable"}
        for each in (topology, more)
    )
    assert before <= after


def allowing(topology: Topology) -> st.SearchStrategy[Rule]:
    everyone = Selector(kind="any", text="any")
    networks = [Selector(kind="network", text=name, name=name) for name in sorted(topology.networks)]
    hosts = [Selector(kind="host", text=name, name=name) for name in sorted(topology.hosts)]
    side = st.sampled_from([everyone, *networks, *hosts])
    ports = st.sampled_from([(), ((22, 22),), ((20, 6000),)])
    return st.builds(lambda a, b, p: Rule(action="allow", sources=(a,), destinations=(b,), ports=p), side, side, ports)


@MANY
@given(worlds(), st.sampled_from(["target", "server", "firewall"]))
def test_an_unrelated_host_changes_nothing(made: tuple[Topology, str], kind: str) -> None:
    """One on an island: no network and no name in common."""
    topology, client = made
    island = network("island", "172.31.0.0/24")
    stranger = Host(name="stranger", kind=kind, attachments=(_on(island, "172.31.0.9"),))  # type: ignore[arg-type]
    more = replace(
        topology, networks={**topology.networks, "island": island}, hosts={**topology.hosts, "stranger": stranger}
    )
    assert plan_json(plan_of(more, client)) == plan_json(plan_of(topology, client))


@MANY
@given(worlds(), st.data())
def test_a_neighbour_that_passes_nothing_on_changes_nothing(made: tuple[Topology, str], data: st.DataObject) -> None:
    topology, client = made
    where = topology.networks[data.draw(st.sampled_from(["internet", "corp", "lab"]))]
    address = {"internet": "198.51.100.200", "corp": "10.77.0.200", "lab": "10.30.0.200"}[where.name]
    neighbour = Host(name="neighbour", kind="target", attachments=(_on(where, address),))
    more = replace(topology, hosts={**topology.hosts, "neighbour": neighbour})
    assert plan_json(plan_of(more, client)) == plan_json(plan_of(topology, client))


def _on(where: Network, address: str) -> Attachment:
    return Attachment(network=where.name, addresses=(ip_address(address),))
