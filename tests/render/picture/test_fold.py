"""Large scenes are folded; what a tunnel passes stays."""

from orchestra.render.picture import compose, fold
from tests.render.picture import drawings


def test_small_scenes_stay_as_they_are(tmp_path):
    topology = drawings.read(drawings.BLOCKED, tmp_path)
    scene = compose(topology, drawings.planned(topology))
    assert fold(scene) is scene


def test_hosts_that_no_tunnel_touches_become_one_box(tmp_path):
    scene = drawings.scene_of(drawings.read(drawings.generated(200), tmp_path), tunnels=["t3-0"])
    assert [(node.name, node.zone) for node in scene.nodes if node.kind == "fold"] == [
        ("+ 9 networks with 171 hosts", "internet"),
        ("+ 16 hosts", "site-3"),
    ]
    assert [node.id for node in scene.nodes if node.kind != "fold"] == ["gate-3", "laptop", "t3-0", "wall-3"]
    assert [zone.name for zone in scene.zones] == ["internet", "site-3"]


def test_the_bare_topology_keeps_every_network(tmp_path):
    topology = drawings.read(drawings.generated(200), tmp_path)
    scene = drawings.scene_of(topology, tunnels=[])
    assert [zone.name for zone in scene.zones] == sorted(topology.networks)
    assert [node.name for node in scene.nodes if node.kind == "fold"] == ["+ 17 hosts"] * 10


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
