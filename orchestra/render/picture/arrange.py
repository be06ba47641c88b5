"""A scene gets places: boxes, and the lines between them. The layout is graphlay's (layered, orthogonal, compound).

Everything that bears text is a node of the layout, also what is written on an arrow: so nothing can overlap.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from orchestra.errors import OrchestraError
from orchestra.model.frozen import dataclass
from orchestra.render.picture.face import caption, label_size, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra.render.picture.scene import Arrow, Scene

Point: TypeAlias = tuple[float, float]
Line: TypeAlias = tuple[Point, ...]
Part: TypeAlias = tuple[str, ...]
"""What the layout knows as a node: its kind (``zone``, ``node``, ``label``, ``point``), then whose it is."""

MARGIN = 24.0
INSET = 6.0
"""Of a zone's room, what stays free around it."""
HEADER = 30.0
"""Room for the name of a zone."""
WIDE, LONG = 1200.0, 4.0
"""What is wider, and so many times as wide as high, is drawn in rows."""

_PRESET = "process_map"
_SPACING = {
    "layer_gap": 18.0,
    "node_gap": 28.0,
    "dummy_gap": 18.0,
    "port_gap": 14.0,
    "isolated_gap": 18.0,
    "compound_padding": 22.0,
    "compound_header": HEADER,
}
_OPTIONS = {"direction": "leftright", "spacing": _SPACING}
_IN_ROWS = {**_OPTIONS, "spacing": {**_SPACING, "layer_gap": 48.0}, "wrap": {"viewport_aspect": 2.5}}


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle by its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A scene with the places of its parts, in pixels from the upper left corner."""

    scene: Scene
    width: float
    height: float
    zones: dict[str, Box]
    nodes: dict[str, Box]
    labels: dict[str, Box]
    """By the arrow's id."""
    wires: tuple[Line, ...]
    arrows: dict[str, tuple[Line, ...]]
    """By the arrow's id: its pieces, from one part to the next."""
    ends: dict[str, tuple[Part, ...]]
    """By the arrow's id: at what each of its pieces ends, a node or a label."""

    def reach(self, arrow: Arrow) -> int:
        """How many pieces of a denied arrow lead up to the host that stops it."""
        stopped = ("node", arrow.way[arrow.denied or 0].name)
        return self.ends[arrow.id].index(stopped) + 1 if stopped in self.ends[arrow.id] else 0


def arrange(scene: Scene) -> Placed:
    """Places everything. Raises OrchestraError when the layout library is not installed."""
    try:
        import graphlay
    except ImportError:
        raise OrchestraError(
            "this picture needs a layout library that is not installed: pip install 'orchestra-tunnels[pictures]'; "
            "`-o mermaid` and `-o dot` do without"
        ) from None
    request = _Request(scene)
    placed = _placed(scene, request, graphlay.layout(request.graph, preset=_PRESET, options=_OPTIONS))
    if placed.width < WIDE or placed.width < LONG * placed.height:
        return placed
    rows = _placed(scene, request, graphlay.layout(request.graph, preset=_PRESET, options=_IN_ROWS))
    return min(placed, rows, key=lambda each: each.width)


class _Request:
    """The layout's own nodes and edges, and which part of the scene each of them is."""

    def __init__(self, scene: Scene) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.edges: list[dict[str, Any]] = []
        self.index: dict[Part, int] = {}
        self.pieces: list[tuple[str, Part]] = []
        """For each edge the arrow that it is a piece of, or nothing for a wire, and at what it ends."""
        for zone in scene.zones:
            line = caption(zone)
            self._node(("zone", zone.name), line.width + 50, 2 * HEADER)
        for node in scene.nodes:
            self._node(("node", node.id), *size(node), zone=node.zone)
        zones = {node.id: node.zone for node in scene.nodes}
        for arrow in scene.arrows:
            self._arrow(arrow, zones)
        away = _distances(scene)
        for node_id, zone_name in scene.wires:
            ends = ("node", node_id), ("zone", zone_name)
            near, far = sorted(ends, key=lambda end: away.get(end, len(away)))
            self._edge("", near, far, 1.0)

    @property
    def graph(self) -> dict[str, Any]:
        """As graphlay reads it."""
        return {"nodes": self.nodes, "edges": self.edges}

    def _node(self, key: Part, width: float, height: float, zone: str | None = None) -> Part:
        parent = {} if zone is None else {"parent": self.index["zone", zone]}
        self.index[key] = len(self.nodes)
        self.nodes.append({"key": "/".join(key), "size": {"width": width, "height": height}, "shape": "box", **parent})
        return key

    def _edge(self, arrow: str, source: Part, target: Part, weight: float) -> None:
        self.edges.append({"source": self.index[source], "target": self.index[target], "weight": weight})
        self.pieces.append((arrow, target))

    def _arrow(self, arrow: Arrow, zones: Mapping[str, str | None]) -> None:
        stops = [*self._stops(arrow, zones)]
        for one, other in pairwise(stops):
            self._edge(arrow.id, one, other, 2.0)

    def _stops(self, arrow: Arrow, zones: Mapping[str, str | None]) -> Iterator[Part]:
        """The parts that an arrow passes: nodes, its label, points where it crosses a zone that has none of them."""
        zone: str | None = None
        for index, stop in enumerate(arrow.way):
            if stop.zone:
                zone = stop.name
                beside = {zones[each.name] for each in arrow.way[index - 1 : index + 2] if not each.zone}
                if index + 1 != arrow.label and zone not in beside:
                    yield self._node(("point", arrow.id, str(index)), 2.0, 2.0, zone=zone)
                continue
            if index == arrow.label:
                yield self._node(("label", arrow.id), *label_size(arrow), zone=zone)
            zone = None
            yield "node", stop.name


def _joined(line: Line, onwards: Line) -> Line:
    """Two lines that meet at a point, as one: the second begins at the height at which the first arrives."""
    (_, height), (x, was) = line[-1], onwards[0]
    level = tuple((px, height if py == was else py) for px, py in onwards[:2])
    return (*line[:-1], *level[1:], *onwards[2:]) if level[1][1] == height else (*line, (x, height), *onwards[1:])


def _lengthened(wire: Line) -> Line:
    """A wire that reaches into the room that a zone leaves free around it; at a host that is under its box."""
    return (_beyond(wire[1], wire[0]), *wire[1:-1], _beyond(wire[-2], wire[-1]))


def _beyond(start: Point, end: Point) -> Point:
    along = (end[0] - start[0], end[1] - start[1])
    long = abs(along[0]) + abs(along[1]) or 1.0
    return end[0] + INSET * along[0] / long, end[1] + INSET * along[1] / long


def _distances(scene: Scene) -> dict[Part, int]:
    """How far every zone and node is from here, over attachments."""
    beside: dict[Part, list[Part]] = {}
    for node in scene.nodes:
        for zone, _ in node.attached:
            beside.setdefault(("node", node.id), []).append(("zone", zone))
            beside.setdefault(("zone", zone), []).append(("node", node.id))
    away: dict[Part, int] = {("node", node.id): 0 for node in scene.nodes if node.here}
    queue = deque(away)
    while queue:
        near = queue.popleft()
        for far in beside.get(near, ()):
            if far not in away:
                away[far] = away[near] + 1
                queue.append(far)
    return away


def _placed(scene: Scene, request: _Request, drawn: Any) -> Placed:
    low = drawn.bounds["min"]

    def point(raw: dict[str, float]) -> Point:
        return round(raw["x"] - low["x"] + MARGIN, 1), round(raw["y"] - low["y"] + MARGIN, 1)

    def boxes(kind: str) -> dict[str, Box]:
        found = {}
        for key, index in request.index.items():
            if key[0] == kind:
                raw = drawn.nodes[index]
                (x, y), extent = point(raw["center"]), raw["size"]
                inset = 2 * INSET if kind == "zone" else 0.0
                wide, high = extent["width"] - inset, extent["height"] - inset
                found[key[1]] = Box(round(x - wide / 2, 1), round(y - high / 2, 1), round(wide, 1), round(high, 1))
        return found

    arrows: dict[str, tuple[Line, ...]] = {}
    ends: dict[str, tuple[Part, ...]] = {}
    wires = []
    for (arrow, end), edge in zip(request.pieces, drawn.edges, strict=True):
        line = tuple(point(each) for each in edge["points"])
        if not arrow:
            wires.append(_lengthened(line))
            continue
        lines, known = arrows.get(arrow, ()), ends.get(arrow, ())
        if known and known[-1][0] == "point":
            lines, known, line = lines[:-1], known[:-1], _joined(lines[-1], line)
        arrows[arrow], ends[arrow] = (*lines, line), (*known, end)
    right, bottom = point(drawn.bounds["max"])
    return Placed(
        scene=scene,
        width=right + MARGIN,
        height=bottom + MARGIN,
        zones=boxes("zone"),
        nodes=boxes("node"),
        labels=boxes("label"),
        wires=tuple(wires),
        arrows=arrows,
        ends=ends,
    )
