"""A scene as a Mermaid flowchart, for what draws those itself: GitHub, GitLab, many wikis."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from orchestra.model.text import clean
from orchestra.render.picture.face import face, flat, label
from orchestra.render.picture.scene import Stop, stops

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra.render.picture.scene import Arrow, Node, NodeKind, Scene

_PLAIN = re.compile(r"[^\w .,:/+=✔✘◉◆⚠→·…-]")
_SHAPES: Mapping[NodeKind, tuple[str, str]] = {
    "client": ('(["', '"])'),
    "firewall": ('{{"', '"}}'),
    "target": ('[/"', '"/]'),
    "fold": ('[["', '"]]'),
}
_CLASSES = """\
  classDef zone fill:#f3f6fa,stroke:#c3ccd8,color:#566273
  classDef firewall stroke:#a85b12,stroke-width:2px
  classDef target stroke:#0b7a55
  classDef here stroke:#1d5fc4,stroke-width:3px
  classDef guest stroke-dasharray:4 3
  classDef unknown stroke-dasharray:4 3"""
_LINKS = {"session": "==>", "use": "-.->", "dial": "-->"}


def mermaid(scene: Scene) -> str:
    """A flowchart from left to right: networks are subgraphs, a dial has one link for each host on its way."""
    ids = {Stop(node.id): f"n{index}" for index, node in enumerate(scene.nodes)}
    ids |= {Stop(zone.name, zone=True): f"z{index}" for index, zone in enumerate(scene.zones)}
    lines, empty, ways = ["flowchart LR"], scene.empty, stops(scene)
    for zone in scene.zones:
        name, title = ids[Stop(zone.name, zone=True)], _quoted(f"{zone.name} {zone.detail}".rstrip())
        if zone.name in empty:
            lines.append(f'  {name}("{title}"):::zone')
        else:
            inside = (f"    {_node(node, ids)}" for node in scene.nodes if node.zone == zone.name)
            lines += [f'  subgraph {name}["{title}"]', *inside, "  end"]
    lines += [f"  {_node(node, ids)}" for node in scene.nodes if node.zone is None]
    lines += [f"  {ids[Stop(zone, zone=True)]} --- {ids[Stop(node)]}" for node, zone in scene.wires]
    links = [(link, arrow) for arrow in scene.arrows for link in _links(arrow, ways[arrow.id], ids)]
    lines += [f"  {link}" for link, _ in links]
    first = len(scene.wires)
    if denied := [str(first + index) for index, (_, arrow) in enumerate(links) if arrow.denied is not None]:
        lines.append(f"  linkStyle {','.join(denied)} stroke:#c02626,stroke-dasharray:6 4")
    return "\n".join([*lines, _CLASSES]) + "\n"


def _node(node: Node, ids: Mapping[Stop, str]) -> str:
    opening, closing = _SHAPES.get(node.kind, ('["', '"]'))
    text = "<br/>".join(_quoted(flat(line)) for line in face(node))
    known = "here" if node.here else node.kind
    style = f":::{known}" if known in ("here", "firewall", "target", "guest", "unknown") else ""
    return f"{ids[Stop(node.id)]}{opening}{text}{closing}{style}"


def _links(arrow: Arrow, way: tuple[Stop, ...], ids: Mapping[Stop, str]) -> Iterator[str]:
    """The address stands on the last link."""
    link = "-.->" if arrow.spare else _LINKS[arrow.kind]
    said = ("✘ " if arrow.denied is not None else "") + flat(label(arrow))
    for index, (one, other) in enumerate(pairwise(way), 2):
        text = f'|"{_quoted(said)}"|' if index == len(way) else ""
        yield f"{ids[one]} {link}{text} {ids[other]}"


def _quoted(text: str) -> str:
    """Whatever Mermaid or the page around it could read as its own, as numbered entities."""
    return _PLAIN.sub(lambda found: f"#{ord(found[0])};", clean(text))
