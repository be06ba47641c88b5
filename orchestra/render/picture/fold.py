"""A large scene made readable: hosts of one kind in one place, which are all alike to the picture, become one box."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from orchestra.render.layout import counted
from orchestra.render.picture.scene import Node, Scene, Stop

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchestra.render.picture.scene import Arrow

Likeness: TypeAlias = tuple[object, ...]

SMALL = 16
"""A scene of so many hosts is shown as it is."""
FEW = 3
"""So many idle hosts of one kind stay in each place."""
FAN = 8
"""So many hosts that the same host dials stay."""


def fold(scene: Scene) -> Scene:
    """The scene with idle networks, idle hosts, and wide fans of dials, folded; small scenes stay as they are."""
    if len(scene.nodes) <= SMALL:
        return scene
    return _without_likes(_without_idle_zones(scene))


def _without_idle_zones(scene: Scene) -> Scene:
    """Networks that no arrow comes near, with all that is attached to them, as one box."""
    near = {stop.name for arrow in scene.arrows for stop in arrow.way if stop.zone}
    near |= {zone for node in scene.nodes if node.tunnels or node.here for zone, _ in node.attached}
    idle = dict.fromkeys(zone.name for zone in scene.zones if zone.name not in near)
    if not scene.arrows or len(idle) <= FEW:
        return scene
    gone = [node for node in scene.nodes if any(zone in idle for zone, _ in node.attached)]
    beside = {zone for node in gone for zone, _ in node.attached if zone in near}
    away = {node.id for node in gone}
    rest = Node(
        id="idle-networks",
        kind="fold",
        name=f"+ {counted(len(idle), 'network')} with {counted(len(gone), 'host')}",
        attached=tuple((zone, "") for zone in sorted(beside)) if len(beside) == 1 else (),
        says=", ".join(idle),
        holds=tuple(node.id for node in gone),
    )
    kept = (*(node for node in scene.nodes if node.id not in away), rest)
    return replace(
        scene,
        zones=tuple(zone for zone in scene.zones if zone.name in near),
        nodes=tuple(sorted(kept, key=lambda node: node.id)),
    )


def _without_likes(scene: Scene) -> Scene:
    """Hosts that are alike, as one box for each place."""
    leaves = _leaves(scene)
    alike: dict[Likeness, list[Node]] = defaultdict(list)
    for node in scene.nodes:
        if (likeness := _likeness(node, leaves.get(node.id))) is not None:
            alike[likeness].append(node)
    folds = {
        node.id: folded
        for likeness, nodes in alike.items()
        if len(nodes) > (FAN if likeness[0] == "dialed" else FEW)
        for folded in [_folded(likeness, nodes)]
        for node in nodes
    }
    kept = [node for node in scene.nodes if node.id not in folds]
    made = dict.fromkeys(folds.values())
    return replace(
        scene,
        nodes=tuple(sorted((*kept, *made), key=lambda node: node.id)),
        arrows=tuple(_merged(scene.arrows, folds)),
    )


def _leaves(scene: Scene) -> Mapping[str, Arrow]:
    """Hosts at which one dial ends and nothing else happens, with that dial."""
    touching: dict[str, list[Arrow]] = defaultdict(list)
    for arrow in scene.arrows:
        for stop in arrow.way:
            if not stop.zone:
                touching[stop.name].append(arrow)
    return {
        name: arrows[0]
        for name, arrows in touching.items()
        if len(arrows) == 1 and arrows[0].kind == "dial" and arrows[0].way[-1].name == name
    }


def _likeness(node: Node, dialed: Arrow | None) -> Likeness | None:
    """What makes a host the same as others; None for one that is shown in any case."""
    place = tuple(network for network, _ in node.attached)
    if node.here or node.marks or node.kind in ("firewall", "guest", "unknown", "fold") or _listens(node):
        return None
    if not node.tunnels:
        return "idle", node.kind, place
    if dialed is None:
        return None
    return "dialed", node.kind, place, dialed.way[:-1], dialed.denied, dialed.spare


def _listens(node: Node) -> bool:
    return any(socket.listener for socket in node.sockets)


def _folded(likeness: Likeness, nodes: Iterable[Node]) -> Node:
    held = tuple(nodes)
    first = held[0]
    idle = likeness[0] == "idle"
    noun = "host" if first.kind == "target" and idle else first.kind
    return Node(
        id=f"{likeness[0]}-{first.id}",
        kind="fold",
        name=("+ " if idle else "") + counted(len(held), noun),
        attached=tuple((network, "") for network, _ in first.attached),
        tunnels=tuple(sorted({name for node in held for name in node.tunnels})),
        says=", ".join(node.name for node in held),
        holds=tuple(node.id for node in held),
    )


def _merged(arrows: Iterable[Arrow], folds: Mapping[str, Node]) -> Iterable[Arrow]:
    """The arrows, those that end in one fold as one."""
    fans: dict[str, list[Arrow]] = defaultdict(list)
    for arrow in arrows:
        folded = folds.get(arrow.way[-1].name)
        if folded is None:
            yield arrow
        else:
            fans[folded.id].append(arrow)
    for id_, fan in fans.items():
        ports = sorted({arrow.text.rpartition(":")[2] for arrow in fan})
        text = f"{len(fan)} dials, port {ports[0]}" if len(ports) == 1 else f"{len(fan)} dials"
        yield replace(
            fan[0],
            id=f"dial-{id_}",
            text=text,
            way=(*fan[0].way[:-1], Stop(id_)),
            tunnels=tuple(sorted({name for arrow in fan for name in arrow.tunnels})),
        )
