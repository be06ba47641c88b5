"""Topology to networkx, by a list of small named steps. Each adds one thing to the graph.

Nodes are ``("host", NAME)`` and ``("network", NAME)``; an edge says that the host is attached to the network and
carries the addresses it has there. Where nothing forwards nobody asks for a graph, and networkx, which takes longer to
load than such a plan to make, stays away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import networkx as nx

from orchestra.graph.memo import remembered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestra.graph.world import World
    from orchestra.model.topology import Topology

Node: TypeAlias = tuple[str, str]
Step: TypeAlias = "Callable[[Topology, nx.Graph[Node]], None]"


def host_node(name: str) -> Node:
    """The node of a host."""
    return ("host", name)


def network_node(name: str) -> Node:
    """The node of a network."""
    return ("network", name)


def add_networks(topology: Topology, graph: nx.Graph[Node]) -> None:
    """Every network, with its CIDRs."""
    for name in sorted(topology.networks):
        graph.add_node(network_node(name), cidrs=topology.networks[name].cidrs)


def add_hosts(topology: Topology, graph: nx.Graph[Node]) -> None:
    """Every machine; only firewalls pass on what is not addressed to them."""
    for name in sorted(topology.hosts):
        graph.add_node(host_node(name), forwards=topology.hosts[name].forwards)


def add_attachments(topology: Topology, graph: nx.Graph[Node]) -> None:
    """Which host is on which network, at which addresses."""
    for name in sorted(topology.hosts):
        for attachment in topology.hosts[name].attachments:
            if attachment.network in topology.networks:
                graph.add_edge(host_node(name), network_node(attachment.network), addresses=attachment.addresses)


STEPS: tuple[Step, ...] = (add_networks, add_hosts, add_attachments)


def build_graph(topology: Topology) -> nx.Graph[Node]:
    """The graph of a topology, in an order that does not depend on the order of its keys."""
    graph: nx.Graph[Node] = nx.Graph()
    for step in STEPS:
        step(topology, graph)
    return graph


def forwarding_skeleton(graph: nx.Graph[Node]) -> nx.Graph[Node]:
    """What traffic can pass through: networks, and the firewalls that join them."""
    keep = [node for node, data in graph.nodes(data=True) if node[0] == "network" or data.get("forwards")]
    skeleton: nx.Graph[Node] = graph.subgraph(keep).copy()
    return skeleton


def neighbours(world: World, network: str) -> tuple[str, ...]:
    """The firewalls attached to a network, sorted."""
    return tuple(sorted(node[1] for node in _skeleton(world)[network_node(network)]))


def rings(world: World, network: str) -> Iterator[list[Node]]:
    """What traffic comes through on its way into a network: the network, its firewalls, their other networks, …"""
    return iter(nx.bfs_layers(_skeleton(world), network_node(network)))


@remembered
def _skeleton(world: World) -> nx.Graph[Node]:
    return forwarding_skeleton(build_graph(world.topology))
