"""Scenes: frozen values, and what follows from them."""

from dataclasses import FrozenInstanceError

import pytest

from orchestra.render.picture.scene import Arrow, Node, Scene, Stop, Zone, stops

LAPTOP = Node(id="laptop", kind="client", name="laptop", here=True, attached=(("internet", ""),))
EDGE = Node(id="edge", kind="firewall", name="edge", attached=(("internet", "198.51.100.1"), ("dmz", "203.0.113.1")))
GATEWAY = Node(id="gateway", kind="server", name="gateway", attached=(("dmz", "203.0.113.2"), ("office", "10.0.0.2")))
WAY = (Stop("laptop"), Stop("internet", zone=True), Stop("edge"), Stop("dmz", zone=True), Stop("gateway"))
SSH = Arrow(
    id="session-gateway", kind="session", step=1, word="ssh", text="203.0.113.2:22", way=WAY, label=4, session="gateway"
)
ZONES = (Zone(name="dmz"), Zone(name="internet"), Zone(name="office"))
SCENE = Scene(title="t", subtitle="s", zones=ZONES, nodes=(EDGE, GATEWAY, LAPTOP), arrows=(SSH,))


def test_a_host_stands_in_its_only_network_and_between_several():
    assert (LAPTOP.zone, EDGE.zone) == ("internet", None)


def test_wires_are_the_attachments_that_no_arrow_shows():
    assert SCENE.wires == (("gateway", "office"),)
    bare = Scene(title="t", subtitle="s", zones=ZONES, nodes=SCENE.nodes)
    assert bare.wires == (("edge", "internet"), ("edge", "dmz"), ("gateway", "dmz"), ("gateway", "office"))


def test_empty_zones_are_stops_of_their_own():
    assert SCENE.empty == {"dmz", "office"}
    assert [stop.name for stop in stops(SCENE)[SSH.id]] == ["laptop", "edge", "dmz", "gateway"]


def test_nodes_are_found_by_id():
    assert SCENE.node("edge") is EDGE
    with pytest.raises(KeyError):
        SCENE.node("nobody")


def test_a_scene_is_a_value():
    with pytest.raises(FrozenInstanceError):
        SCENE.title = "other"
    assert hash(SCENE) == hash(Scene(title="t", subtitle="s", zones=ZONES, nodes=SCENE.nodes, arrows=(SSH,)))
