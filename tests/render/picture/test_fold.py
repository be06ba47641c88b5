"""Large scenes are folded; what a tunnel passes stays."""

from orchestra.render.picture import compose, fold
from tests.render.picture import drawings


def test_small_scenes_stay_as_they_are(tmp_path):
    topology = drawings.read(drawings.BLOCKED, tmp_path)
    scene = compose(topology, drawings.planned(topology))
    assert fold(scene) is scene


def test_hosts_that_no_tunnel_touches_become_one_box_for_each_network(tmp_path):
    scene = drawings.scene_of(drawings.read(drawings.generated(200), tmp_path), tunnels=["t3-0"])
    folds = [node for node in scene.nodes if node.kind == "fold"]
    assert {node.name for node in folds if node.zone == "site-3"} == {"+ 16 hosts"}
    assert {node.name for node in folds if node.zone == "site-4"} == {"+ 17 hosts"}
    assert "t3-0" in {node.id for node in scene.nodes}
    assert len(scene.nodes) < 50


def test_wide_fans_of_dials_become_one_arrow(tmp_path):
    scene = drawings.scene_of(drawings.read(drawings.generated(200), tmp_path))
    fans = [arrow for arrow in scene.arrows if arrow.way[-1].name.startswith("dialed-")]
    assert [(fan.text, len(fan.tunnels)) for fan in fans] == [("9 dials, port 80", 9)] * 10
    assert {len(scene.node(fan.way[-1].name).holds) for fan in fans} == {9}


def test_every_host_is_still_there(tmp_path):
    topology = drawings.read(drawings.generated(200), tmp_path)
    scene = drawings.scene_of(topology)
    assert {name for node in scene.nodes for name in (node.holds or (node.id,))} == set(topology.hosts)
    assert {name for arrow in scene.arrows for name in arrow.tunnels} == set(topology.tunnels)
