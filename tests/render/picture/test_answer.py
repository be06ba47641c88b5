"""Explanations as pictures: the path, and where it is blocked."""

import pytest

from orchestra.planning import explain
from orchestra.render.picture import arrange, compose_answer, html, svg
from tests.render.picture import drawings


def answered(topology, from_, to):
    return compose_answer(topology, explain(topology, from_, to, vocabulary=drawings.vocabulary().vocabulary))


def test_a_blocked_pair_is_marked_where_it_is_blocked(tmp_path):
    scene, plan = answered(drawings.read(drawings.BLOCKED, tmp_path), "laptop", "db")
    assert (scene.title, scene.subtitle) == ("laptop → db", "unreachable · drawn")
    assert [(arrow.step, arrow.kind, arrow.denied) for arrow in scene.arrows] == [(1, "session", None), (2, "dial", 2)]
    assert scene.node("laptop").here
    page = html(arrange(scene), plan)
    assert "core would have to pass" in page
    assert svg(arrange(scene)).count('class="stop"') == 1


def test_a_way_that_needs_no_change_is_told_before_what_would_have_to_change():
    scene, plan = answered(drawings.read("tests/golden/bad/loopback-elsewhere.yaml"), "laptop", "desk")
    page = html(arrange(scene), plan)
    assert "<li>desk can listen at gateway (localhost:5900)" in page
    assert "What would have to change" not in page


def test_a_pair_that_passes_has_its_whole_path():
    scene, _ = answered(drawings.read("topologies/vnc-firewall.yaml"), "laptop", "desk")
    assert [arrow.way[-1].name for arrow in scene.arrows] == ["gateway", "inner", "desk"]
    assert all(arrow.denied is None for arrow in scene.arrows)


def test_whoever_is_on_a_network_is_a_guest_there():
    scene, _ = answered(drawings.read("topologies/bridge.yaml"), "north", "10.1.0.2:8443")
    assert [(node.kind, node.zone) for node in scene.nodes if node.kind == "guest"] == [("guest", "north")]
    assert [node.id for node in scene.nodes if node.here] == ["laptop"]


def test_what_a_host_dials_on_itself_is_a_row_of_its_box():
    scene, _ = answered(drawings.read("topologies/vnc-loopback.yaml"), "workstation", "127.0.0.1:99")
    assert scene.arrows == ()
    assert ("itself", "127.0.0.1:99", (1,)) in [
        (socket.name, socket.address, socket.steps) for socket in scene.node("workstation").sockets
    ]


@pytest.mark.parametrize("file", drawings.EXAMPLES)
def test_every_pair_can_be_drawn(file):
    topology = drawings.read(file)
    for from_ in topology.hosts:
        for to in topology.targets:
            if topology.targets[to].host != from_:
                scene, _ = answered(topology, from_, to)
                assert arrange(scene).labels.keys() == {arrow.id for arrow in scene.arrows}
