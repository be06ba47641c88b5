"""The graph of a topology, as edges."""

from __future__ import annotations

from orchestra.graph.build import build_graph, forwarding_skeleton, host_node, network_node
from tests.planning.make import client, firewall, network, server, topology

LAN, DMZ = network("lan", "10.1.0.0/24"), network("dmz", "10.2.0.0/24")
EDGE = firewall("edge", {"lan": "10.1.0.1", "dmz": "10.2.0.1"})
GATE = server("gate", {"lan": "10.1.0.2", "dmz": "10.2.0.2"})
LOST = client("lost", {"nowhere": "10.9.0.1"})


def test_hosts_are_joined_to_their_networks_with_their_addresses() -> None:
    graph = build_graph(topology(LAN, DMZ, GATE, LOST))
    assert {node[1]: [str(each) for each in edge["addresses"]] for node, edge in graph[host_node("gate")].items()} == {
        "lan": ["10.1.0.2"],
        "dmz": ["10.2.0.2"],
    }
    assert not graph[host_node("lost")]
    assert network_node("nowhere") not in graph


def test_a_host_and_a_network_of_one_name_are_two_nodes() -> None:
    assert len(build_graph(topology(LAN, client("lan", {"lan": None})))) == 2


def test_the_order_of_keys_carries_no_meaning() -> None:
    one, other = (build_graph(topology(*things)) for things in ((LAN, DMZ, EDGE, GATE), (GATE, EDGE, DMZ, LAN)))
    assert list(one.nodes) == list(other.nodes)
    assert list(one.edges) == list(other.edges)


def test_only_networks_and_firewalls_pass_traffic_on() -> None:
    skeleton = forwarding_skeleton(build_graph(topology(LAN, DMZ, EDGE, GATE, LOST)))
    assert set(skeleton) == {network_node("lan"), network_node("dmz"), host_node("edge")}
    assert sorted(node[1] for node in skeleton[host_node("edge")]) == ["dmz", "lan"]
