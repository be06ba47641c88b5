"""Random small topologies with SSH servers, and a pair to ask about in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import strategies as st

from orchestra.model.topology import Forwarding, Server, Topology
from orchestra.planning import Explanation, explain
from orchestra.plugin.vocabulary import Vocabulary
from tests.graph.oracle import address, topologies
from tests.planning.make import allow, attachments, numbered, target

WORDS = Vocabulary()
NETWORKS = ("n0", "n1", "n2")


def forwardings() -> st.SearchStrategy[Forwarding]:
    permitted = st.sampled_from([None, (), ("localhost:80",), ("*:80",), (f"{address('h2', 'n1')}:80", "127.0.0.1:80")])
    listened = st.sampled_from([None, (), ("localhost:10080",)])
    ports = st.sampled_from(["no", "clientspecified", "yes"])
    return st.builds(
        Forwarding,
        local=st.sampled_from([True, True, False]),
        remote=st.sampled_from([True, True, False]),
        gateway_ports=ports,
        permit_open=permitted,
        permit_listen=listened,
    )


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Topology, str, str]:
    """A topology, FROM and TO: h0 is its client, h1 and perhaps h2 are servers, web is at h2."""
    source: Topology = draw(topologies())
    hosts = dict(source.hosts)
    for name in ("h1", "h2") if draw(st.booleans()) else ("h1",):
        hosts[name] = replace(hosts[name], server=Server(forwarding=draw(forwardings()), cost=draw(st.integers(0, 1))))
    if draw(st.booleans()):  # a server with a foot in two networks
        nets = draw(st.lists(st.sampled_from(NETWORKS), min_size=2, max_size=2, unique=True))
        hosts["h1"] = replace(hosts["h1"], attachments=attachments({net: address("h1", net) for net in nets}))
    if draw(st.booleans()):  # firewalls that let SSH in
        for name in [name for name, host in hosts.items() if host.forwards]:
            opened = numbered([allow("any", draw(st.sampled_from(["h1", "h2"])), 22), *hosts[name].rules])
            hosts[name] = replace(hosts[name], rules=opened)
    web = target("web", draw(st.sampled_from(["80", "127.0.0.1:80"])), "h2")
    source = replace(source, hosts=hosts, targets={"web": web})
    from_ = draw(st.sampled_from(["h0", "h0", "h1", *NETWORKS]))
    to = draw(st.sampled_from(["web", "web", "h1:22", "h2:80", "f0:22" if "f0" in hosts else "web", "10.1.0.77:80"]))
    return source, from_, to


def asked(pair: tuple[Topology, str, str]) -> Explanation:
    source, from_, to = pair
    return explain(source, from_, to, vocabulary=WORDS)


def shuffled(source: Topology) -> Topology:
    """The same topology, every mapping in another order."""

    def turned(mapping: Mapping[str, object]) -> dict[str, object]:
        return dict(reversed(list(mapping.items())))

    return replace(
        source,
        hosts=turned(source.hosts),  # type: ignore[arg-type]
        networks=turned(source.networks),  # type: ignore[arg-type]
        targets=turned(source.targets),  # type: ignore[arg-type]
        tunnels=turned(source.tunnels),  # type: ignore[arg-type]
    )
