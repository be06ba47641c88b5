"""Places: nothing overlaps, nothing leaves the canvas, the same scene gets the same places."""

import itertools
import sys

import pytest

from orchestra.errors import OrchestraError
from orchestra.render.picture import arrange
from tests.render.picture import drawings

TOLERANCE = 0.2


def overlap(one, other):
    return (
        min(one.right, other.right) - max(one.x, other.x) > TOLERANCE
        and min(one.bottom, other.bottom) - max(one.y, other.y) > TOLERANCE
    )


def within(inner, outer):
    return (
        inner.x >= outer.x - TOLERANCE
        and inner.y >= outer.y - TOLERANCE
        and inner.right <= outer.right + TOLERANCE
        and inner.bottom <= outer.bottom + TOLERANCE
    )


def check(placed):
    """Geometry, of the parts against each other and against the canvas."""
    scene = placed.scene
    parts = placed.nodes | {f"label of {name}": box for name, box in placed.labels.items()}
    for (one, box), (other, beside) in itertools.combinations(parts.items(), 2):
        assert not overlap(box, beside), (one, other)
    for (one, box), (other, beside) in itertools.combinations(placed.zones.items(), 2):
        assert not overlap(box, beside), (one, other)
    for node in scene.nodes:
        box = placed.nodes[node.id]
        assert node.zone is None or within(box, placed.zones[node.zone]), node.id
        for name, zone in placed.zones.items():
            assert name == node.zone or not overlap(box, zone), (node.id, name)
    for box in (*parts.values(), *placed.zones.values()):
        assert box.x >= 0
        assert box.y >= 0
        assert box.right <= placed.width
        assert box.bottom <= placed.height
    for arrow in scene.arrows:
        near = stops(arrow) | {zone for node in scene.nodes if node.id in stops(arrow) for zone, _ in node.attached}
        strayed = [name for name, box in placed.zones.items() if name not in near and crossed(placed, arrow, box)]
        assert not strayed, (arrow.id, strayed)
        foreign = [
            name for name, box in placed.nodes.items() if name not in stops(arrow) and crossed(placed, arrow, box)
        ]
        assert not foreign, (arrow.id, foreign)


def stops(arrow):
    return {stop.name for stop in arrow.way}


def crossed(placed, arrow, box):
    """Whether an arrow's line enters a box."""
    for line in placed.arrows[arrow.id]:
        for (x, y), (to_x, to_y) in itertools.pairwise(line):
            wide = min(max(x, to_x), box.right) - max(min(x, to_x), box.x)
            high = min(max(y, to_y), box.bottom) - max(min(y, to_y), box.y)
            if wide >= 0 and high >= 0 and (wide > 1 or high > 1):
                return True
    return False


@pytest.mark.parametrize("file", drawings.EXAMPLES)
def test_nothing_overlaps_in_the_examples(file):
    check(drawings.placed_of(drawings.read(file)))


@pytest.mark.parametrize("hosts", drawings.SIZES)
@pytest.mark.parametrize("chosen", [None, ["t0-0"]])
def test_nothing_overlaps_in_generated_topologies(hosts, chosen, tmp_path):
    check(drawings.placed_of(drawings.read(drawings.generated(hosts), tmp_path), tunnels=chosen))


@pytest.mark.parametrize("seed", range(12))
def test_nothing_overlaps_in_scattered_topologies(seed, tmp_path):
    check(drawings.placed_of(drawings.read(drawings.scattered(seed), tmp_path)))


def test_nothing_overlaps_where_something_is_blocked(tmp_path):
    placed = drawings.placed_of(drawings.read(drawings.BLOCKED, tmp_path))
    check(placed)
    (denied,) = (arrow for arrow in placed.scene.arrows if arrow.denied is not None)
    assert placed.reach(denied) == 1


def test_an_arrow_is_one_way_from_box_to_box():
    placed = drawings.placed_of(drawings.read("topologies/vnc-firewall.yaml"))
    for arrow in placed.scene.arrows:
        ends = placed.ends[arrow.id]
        assert ends[-1] == ("node", arrow.way[-1].name)
        assert ends.count(("label", arrow.id)) == 1
        assert all(len(line) > 1 for line in placed.arrows[arrow.id])


def test_a_long_path_is_drawn_in_rows():
    placed = drawings.placed_of(drawings.read("topologies/three-hops.yaml"))
    assert placed.width < 1100
    assert len({placed.nodes[name].y // 100 for name in ("bastion", "jump", "plant-gate")}) == 3
    short = drawings.placed_of(drawings.read("topologies/nat.yaml"))
    assert short.height < 250


def test_the_same_scene_gets_the_same_places(tmp_path):
    scene = drawings.scene_of(drawings.read(drawings.generated(30), tmp_path))
    assert arrange(scene) == arrange(scene)


def test_without_the_library_it_says_what_to_install(monkeypatch):
    scene = drawings.scene_of(drawings.read("topologies/shortest.yaml"))
    monkeypatch.setitem(sys.modules, "graphlay", None)
    with pytest.raises(OrchestraError, match=r"pip install 'orchestra-tunnels\[pictures\]'.*-o mermaid"):
        arrange(scene)
