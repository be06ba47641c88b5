"""A scene in the DOT language of Graphviz (https://graphviz.org/doc/info/lang.html), for ``dot -Tpdf`` and others."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from orchestra.model.text import clean
from orchestra.render.picture.face import face, flat, label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra.render.picture.scene import Arrow, Node, NodeKind, Scene, Zone

_SHAPES: Mapping[NodeKind, str] = {
    "firewall": 'shape=box style="filled" fillcolor="#fdf1e4" color="#a85b12" penwidth=2',
    "target": 'shape=component color="#0b7a55"',
    "guest": 'style="rounded,dashed"',
    "unknown": 'style="rounded,dashed"',
    "fold": "shape=box3d",
}
_COLOURS = {"session": "#1d5fc4", "use": "#7a3fb8", "dial": "#0b7a55"}
_LINES = {"session": "bold", "use": "dotted", "dial": "solid"}


def dot(scene: Scene) -> str:
    """A digraph from left to right: networks are clusters, a dial has one edge for each host on its way."""
    lines = [
        f"digraph {_quoted(scene.title)} {{",
        f"  graph [rankdir=LR compound=true fontname=Helvetica label={_quoted(scene.subtitle)}]",
        '  node [shape=box style="rounded" fontname=Helvetica fontsize=11]',
        "  edge [fontname=Helvetica fontsize=10]",
    ]
    for zone in scene.zones:
        lines += _zone(scene, zone)
    lines += [f"  {_node(node)}" for node in scene.nodes if node.zone is None]
    for node_id, name in scene.wires:
        border = "" if name in scene.empty else f" ltail={_quoted(f'cluster_{name}')}"
        lines.append(f"  {_quoted(f'zone {name}')} -> {_quoted(node_id)} [dir=none color=gray{border}]")
    lines += [f"  {edge}" for arrow in scene.arrows for edge in _edges(scene, arrow)]
    return "\n".join([*lines, "}"]) + "\n"


def _zone(scene: Scene, zone: Zone) -> Iterator[str]:
    """A cluster with a point that wires can begin at; a node where nobody stands in it."""
    title = f"label={_quoted(f'{zone.name}{chr(10)}{zone.detail}'.rstrip())}"
    look = 'style="rounded,filled" fillcolor="#f3f6fa" color="#c3ccd8"'
    if zone.name in scene.empty:
        yield f"  {_quoted(f'zone {zone.name}')} [{title} {look}]"
        return
    yield f"  subgraph {_quoted(f'cluster_{zone.name}')} {{"
    yield f"    graph [{title} {look}]"
    if any(name == zone.name for _, name in scene.wires):
        yield f"    {_quoted(f'zone {zone.name}')} [shape=point style=invis width=0.01]"
    yield from (f"    {_node(node)}" for node in scene.nodes if node.zone == zone.name)
    yield "  }"


def _node(node: Node) -> str:
    look = _SHAPES.get(node.kind, "")
    here = "penwidth=2" if node.here else ""
    attributes = " ".join(filter(None, (f"label={_quoted(chr(10).join(map(flat, face(node))))}", look, here)))
    return f"{_quoted(node.id)} [{attributes}]"


def _edges(scene: Scene, arrow: Arrow) -> Iterator[str]:
    """The address stands on the last edge."""
    stops = [_quoted(f"zone {stop.name}" if stop.zone else stop.name) for stop in scene.stops(arrow)]
    denied = arrow.denied is not None
    colour = "#c02626" if denied else "#6b7687" if arrow.spare else _COLOURS[arrow.kind]
    style = "dashed" if denied or arrow.spare else _LINES[arrow.kind]
    said = ("✘ " if denied else "") + flat(label(arrow))
    for index, (one, other) in enumerate(pairwise(stops), 2):
        text = f" label={_quoted(said)}" if index == len(stops) else ""
        yield f'{one} -> {other} [color="{colour}" style={style}{text}]'


def _quoted(text: str) -> str:
    """A quoted identifier; line breaks are centred lines."""
    lines = (clean(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))
    return '"' + "\\n".join(lines) + '"'
