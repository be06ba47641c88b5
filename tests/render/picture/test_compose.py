"""Plans become scenes: every dial of every tunnel, in the order in which they happen."""

import dataclasses
from dataclasses import replace

import pytest
import yaml

from orchestra.render.picture import compose
from orchestra.render.picture.compose import acts, merged_acts
from tests.render import plans
from tests.render.picture import drawings


def arrows(scene):
    """Step, kind, who, what, whom."""
    return [(each.step, each.kind, each.way[0].name, each.text, each.way[-1].name) for each in scene.arrows]


def test_sessions_and_dials_are_numbered_in_the_order_they_happen():
    scene = drawings.scene_of(drawings.read("topologies/vnc-firewall.yaml"))
    assert arrows(scene) == [
        (1, "session", "laptop", "203.0.113.2:22", "gateway"),
        (2, "session", "gateway", "10.20.0.3:22", "inner"),
        (3, "dial", "inner", "10.30.0.30:5900", "desk"),
    ]
    assert [stop.name for stop in scene.arrows[0].way] == ["laptop", "internet", "edge", "dmz", "gateway"]
    (mark,) = scene.node("edge").marks
    assert (mark.text, mark.passes, mark.steps, mark.place.line) == ("ssh-only", True, (1,), 17)


def test_a_published_port_stands_before_the_firewall_that_publishes_it():
    scene = drawings.scene_of(drawings.read("topologies/nat.yaml"))
    ssh = scene.arrows[0]
    assert (ssh.text, ssh.way[ssh.label].name) == ("198.51.100.1:2222", "router")
    assert [mark.text for mark in scene.node("router").marks] == ["nat 2222 → nas:22", "published-ssh"]


def test_a_listener_elsewhere_is_used_before_the_target_is_dialed():
    scene = drawings.scene_of(drawings.read("topologies/bridge.yaml"))
    assert [(step, kind) for step, kind, *_ in arrows(scene)] == [
        (1, "session"),
        (1, "session"),
        (2, "use"),
        (3, "dial"),
    ]
    guest = next(node for node in scene.nodes if node.kind == "guest")
    assert (guest.zone, guest.tunnels) == ("north", ("erp",))
    (socket,) = scene.node("north-gate").sockets
    assert (socket.name, socket.address, socket.listener, socket.exposed) == ("erp", "10.1.0.2:8443", True, True)


def test_what_a_host_dials_on_itself_is_said_at_the_host():
    scene = drawings.scene_of(drawings.read("topologies/vnc-loopback.yaml"))
    assert [arrow.kind for arrow in scene.arrows] == ["session"]
    (service,) = (socket for socket in scene.node("workstation").sockets if not socket.listener)
    assert (service.address, service.steps) == ("127.0.0.1:5901", (2,))


def test_other_paths_are_drawn_as_spare():
    scene = drawings.scene_of(drawings.read("topologies/redundant-bastions.yaml"))
    assert [(arrow.step, arrow.way[-1].name, arrow.spare) for arrow in scene.arrows] == [
        (1, "bastion-a", False),
        (1, "bastion-b", True),
        (2, "wiki", False),
        (2, "wiki", True),
    ]


def test_a_dial_that_is_spare_for_one_tunnel_and_needed_by_another_is_one_arrow():
    plan = plans.plan(plans.DESK, sessions=(plans.GATEWAY, plans.OTHER))
    spare = replace(
        plans.DESK.alternatives[0], sessions=("other",), exit="other", dial=replace(plans.DESK.dial, by="other")
    )
    one = replace(plans.DESK, alternatives=(spare,))
    other = replace(
        plans.DESK, name="twin", dial=spare.dial, exit="other", sessions=("gateway", "other"), alternatives=()
    )
    dials = [act for act in acts(replace(plan, tunnels=(one, other))) if act.kind == "dial"]
    assert [(act.dial.by, act.spare, act.tunnels) for act in dials] == [
        ("gateway", False, ("desk",)),
        ("other", True, ("desk",)),
        ("other", False, ("twin",)),
    ]
    (merged,) = (
        act for act in merged_acts(replace(plan, tunnels=(one, other))) if act.kind == "dial" and act.dial.by == "other"
    )
    assert (merged.spare, merged.tunnels) == (False, ("desk", "twin"))


def test_datagrams_and_kinds_without_one_target_say_so(tmp_path):
    datagrams = replace(plans.DESK, protocol="udp", alternatives=())
    plan = plans.plan(datagrams, plans.SOCKS, sessions=(plans.GATEWAY,))
    scene = compose(drawings.read(drawings.BLOCKED, tmp_path), plan)
    assert [(arrow.kind, arrow.word) for arrow in scene.arrows] == [("session", "ssh"), ("dial", "udp")]
    said = [(each.name, each.address) for each in scene.node("gateway").sockets]
    assert ("web", "dials what is asked for") in said


def test_a_denied_dial_is_marked_at_the_firewall_and_the_rule(tmp_path):
    scene = drawings.scene_of(drawings.read(drawings.BLOCKED, tmp_path))
    (denied,) = (arrow for arrow in scene.arrows if arrow.denied is not None)
    assert (denied.way[denied.denied].name, denied.tunnels, denied.step) == ("core", ("db",), 2)
    (mark,) = scene.node("core").marks
    assert (mark.text, mark.passes, mark.place.line) == ("no-db", False, 16)
    assert "1 unreachable" in scene.subtitle


def test_what_several_tunnels_share_is_one_arrow(tmp_path):
    scene = drawings.scene_of(drawings.read(drawings.BLOCKED, tmp_path))
    (ssh,) = (arrow for arrow in scene.arrows if arrow.kind == "session")
    assert (ssh.tunnels, ssh.id, ssh.session) == (("db", "qemu", "wiki"), "session-gateway", "gateway")


def test_only_the_chosen_tunnels_have_arrows(tmp_path):
    scene = drawings.scene_of(drawings.read(drawings.BLOCKED, tmp_path), tunnels=["wiki"])
    assert {arrow.tunnels for arrow in scene.arrows} == {("wiki",)}
    assert scene.node("db").tunnels == ()


def test_a_plan_without_tunnels_is_the_bare_topology(tmp_path):
    topology = drawings.read(drawings.BLOCKED, tmp_path)
    bare = dataclasses.replace(drawings.planned(topology), sessions=(), tunnels=())
    scene = compose(topology, bare)
    assert scene.arrows == ()
    assert {node.id for node in scene.nodes} == set(topology.hosts)
    assert len(scene.wires) == 6


@pytest.mark.parametrize("file", drawings.EXAMPLES)
def test_every_arrow_leads_from_a_node_to_a_node_of_the_scene(file):
    scene = drawings.scene_of(drawings.read(file))
    nodes, zones = {node.id for node in scene.nodes}, {zone.name for zone in scene.zones}
    assert scene.arrows
    for arrow in scene.arrows:
        assert all(stop.name in (zones if stop.zone else nodes) for stop in arrow.way)
        assert not arrow.way[arrow.label].zone
    assert len({arrow.id for arrow in scene.arrows}) == len(scene.arrows)


def test_the_order_of_the_file_does_not_matter(tmp_path):
    def turned(value):
        if not isinstance(value, dict):
            return value
        return {key: turned(each) for key, each in reversed(value.items())}

    def without_places(scene):
        return dataclasses.replace(
            scene,
            nodes=tuple(
                dataclasses.replace(node, marks=tuple(dataclasses.replace(mark, place=None) for mark in node.marks))
                for node in scene.nodes
            ),
        )

    plain = drawings.scene_of(drawings.read(drawings.BLOCKED, tmp_path))
    other = drawings.scene_of(
        drawings.read(yaml.dump(turned(yaml.safe_load(drawings.BLOCKED)), sort_keys=False), tmp_path)
    )
    assert without_places(plain) == without_places(other)
