"""A scene in the DOT language of Graphviz (https://graphviz.org/doc/info/lang.html), for ``dot -Tpdf`` and others."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from orchestra.model.text import clean
from orchestra.render.picture.face import face, flat, label
from orchestra.render.picture.scene import stops

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra.render.picture.scene import Arrow, Node, NodeKind, Scene, Stop, Zone

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
    empty, wired, ways = scene.empty, {zone for _, zone in scene.wires}, stops(scene)
    for zone in scene.zones:
        if zone.name in empty:
            lines.append(f"  {_point(zone.name)} [{_look(zone)}]")
        else:
            lines += _cluster(scene, zone, wired=zone.name in wired)
    lines += [f"  {_node(node)}" for node in scene.nodes if node.zone is None]
    for node_id, name in scene.wires:
        border = "" if name in empty else f" ltail={_quoted(f'cluster_{name}')}"
        lines.append(f"  {_point(name)} -> {_quoted(node_id)} [dir=none color=gray{border}]")
    lines += [f"  {edge}" for arrow in scene.arrows for edge in _edges(arrow, ways[arrow.id])]
    return "\n".join([*lines, "}"]) + "\n"


def _look(zone: Zone) -> str:
    title = _quoted(f"{zone.name}\n{zone.detail}".rstrip())
    return f'label={title} style="rounded,filled" fillcolor="#f3f6fa" color="#c3ccd8"'


def _point(zone: str) -> str:
    """A zone as a node: what wires begin at."""
    return _quoted(f"zone {zone}")


def _cluster(scene: Scene, zone: Zone, *, wired: bool) -> Iterator[str]:
    yield f"  subgraph {_quoted(f'cluster_{zone.name}')} {{"
    yield f"    graph [{_look(zone)}]"
    if wired:
        yield f"    {_point(zone.name)} [shape=point style=invis width=0.01]"
    yield from (f"    {_node(node)}" for node in scene.nodes if node.zone == zone.name)
    yield "  }"


def _node(node: Node) -> str:
    look = _SHAPES.get(node.kind, "")
    here = "penwidth=2" if node.here else ""
    attributes = " ".join(filter(None, (f"label={_quoted(chr(10).join(map(flat, face(node))))}", look, here)))
    return f"{_quoted(node.id)} [{attributes}]"


def _edges(arrow: Arrow, way: tuple[Stop, ...]) -> Iterator[str]:
    """The address stands on the last edge."""
    names = [_point(stop.name) if stop.zone else _quoted(stop.name) for stop in way]
    denied = arrow.denied is not None
    colour = "#c02626" if denied else "#6b7687" if arrow.spare else _COLOURS[arrow.kind]
    style = "dashed" if denied or arrow.spare else _LINES[arrow.kind]
    said = ("✘ " if denied else "") + flat(label(arrow))
    for index, (one, other) in enumerate(pairwise(names), 2):
        text = f" label={_quoted(said)}" if index == len(names) else ""
        yield f'{one} -> {other} [color="{colour}" style={style}{text}]'


def _quoted(text: str) -> str:
    """A quoted identifier; line breaks are centred lines."""
    lines = (clean(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))
    return '"' + "\\n".join(lines) + '"'
