"""A placed scene as SVG 1.1: colours for light and dark by the reader's own preference, nothing from outside.

Elements keep ids and classes over every redrawing, for whoever wants to colour them by state: ``#node-NAME``,
``#arrow-ID``, ``[data-session]``, ``[data-tunnels]`` (names, separated by blanks).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from orchestra.model.text import clean
from orchestra.render.picture.face import BADGE, ICON, LINE, PAD_X, PAD_Y, caption, face, label, width
from orchestra.render.picture.theme import ICONS, STYLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from orchestra.render.picture.arrange import Box, Placed
    from orchestra.render.picture.arrange import Line as Path
    from orchestra.render.picture.face import Line
    from orchestra.render.picture.scene import Arrow, Node, Zone

_HEAD = 58.0
_FOOT = 40.0
_CORNER = 8.0
_LONGEST = 10_000
_NO_CHARACTERS = MappingProxyType({0xFFFE: "·", 0xFFFF: "·"})
"""What XML 1.0 has no way to write, beside control characters."""


def svg(placed: Placed, *, alone: bool = True) -> str:
    """The picture as one SVG document; not ``alone``: as a part of a page that has the style already."""
    scene = placed.scene
    legend = tuple(_legend(placed))
    head = _HEAD if alone else 0.0
    wide = max(placed.width, _heading_width(placed) if alone else 0.0, _legend_width(legend) + 56)
    high = placed.height + head + _FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="orchestra" viewBox="0 0 {wide:g} {high:g}"',
        f'  width="{wide:g}" height="{high:g}" role="img" aria-labelledby="picture-title">',
        f'<title id="picture-title">{text(f"{scene.title}: {scene.subtitle}")}</title>',
        f"<style>{STYLE}</style>" if alone else "",
        f'<rect class="paper" width="{wide:g}" height="{high:g}"/>',
        f'<text class="title" x="28" y="36">{text(scene.title)}</text>' if alone else "",
        f'<text class="quiet" x="28" y="56">{text(scene.subtitle)}</text>' if alone else "",
        f'<g transform="translate(0 {head:g})">',
        *_drawing(placed),
        "</g>",
        f'<g transform="translate(28 {high - 24:g})">',
        *legend_items(legend),
        "</g>",
        "</svg>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def text(raw: str) -> str:
    """Text between tags: escaped, and without what could reorder it, or what XML does not allow."""
    return escape(clean(raw, _LONGEST).translate(_NO_CHARACTERS))


def attribute(raw: str) -> str:
    """Text between double quotes."""
    return text(raw).replace('"', "&quot;")


def _drawing(placed: Placed) -> Iterator[str]:
    scene = placed.scene
    for wire in placed.wires:
        yield f'<path class="wire" d="{_path(wire)}"/>'
    for zone in scene.zones:
        yield _zone(zone, placed.zones[zone.name])
    for arrow in scene.arrows:
        yield from _arrow(arrow, placed)
    for node in scene.nodes:
        yield from _node(node, placed.nodes[node.id])
    yield from (_stop(arrow, placed) for arrow in scene.arrows if arrow.denied is not None)


def _zone(zone: Zone, box: Box) -> str:
    return (
        f'<g class="zone" id="zone-{attribute(zone.name)}"><rect {_rect(box)} rx="12"/>'
        f"{_line(caption(zone), box.x + 18, box.y + 24)}</g>"
    )


def _node(node: Node, box: Box) -> Iterator[str]:
    classes = f"node {node.kind}{' here' if node.here else ''}"
    yield f'<g class="{classes}" id="node-{attribute(node.id)}"{_tunnels(node.tunnels)}>'
    if node.kind == "fold":
        yield f'<rect class="behind" {_rect(box, 5)} rx="{_CORNER:g}"/>'
    yield f'<rect class="box" {_rect(box)} rx="{_CORNER:g}"/>'
    lines = face(node)
    x, y = box.x + PAD_X, box.y + PAD_Y + 13
    yield f'<path class="icon" transform="translate({_number(x)} {_number(y - 12)})" d="{ICONS[node.kind]}"/>'
    yield _line(lines[0], x + ICON, y)
    yield from (_line(line, x, y + LINE * index) for index, line in enumerate(lines[1:], 1))
    yield "</g>"


def _arrow(arrow: Arrow, placed: Placed) -> Iterator[str]:
    classes = f"arrow {arrow.kind}{' spare' if arrow.spare else ''}{' denied' if arrow.denied is not None else ''}"
    session = f' data-session="{attribute(arrow.session)}"' if arrow.session else ""
    yield f'<g class="{classes}" id="arrow-{attribute(arrow.id)}"{session}{_tunnels(arrow.tunnels)}>'
    lines = placed.arrows[arrow.id]
    whole, beyond = lines, lines[:0]
    if arrow.denied is not None:
        end = placed.reach(arrow)
        whole, beyond = lines[:end], lines[end:]
    if whole:
        yield f'<path class="line" d="{" ".join(map(_path, whole))}"/>'
    if beyond:
        yield f'<path class="line beyond" d="{" ".join(map(_path, beyond))}"/>'
    yield f'<path class="head{" beyond" if beyond else ""}" d="{_head(lines[-1])}"/>'
    box, said = placed.labels[arrow.id], label(arrow)
    yield f'<rect class="label" {_rect(box)} rx="11"/>'
    yield _line(said, box.x + 6, box.y + 15)
    yield "</g>"


def _stop(arrow: Arrow, placed: Placed) -> str:
    """The sign at the host that stops an arrow, over everything else."""
    end = placed.reach(arrow)
    lines = placed.arrows[arrow.id]
    x, y = lines[end - 1][-1] if end else lines[0][0]
    cross = f"M{_number(x - 3.5)} {_number(y - 3.5)} l7 7 m0 -7 l-7 7"
    return (
        f'<g class="stop"{_tunnels(arrow.tunnels)}><circle cx="{_number(x)}" cy="{_number(y)}" r="9"/>'
        f'<path d="{cross}"/></g>'
    )


def _line(line: Line, x: float, y: float) -> str:
    """The badges, then all pieces as one text, so that narrower fonts leave no gaps."""
    parts = []
    for step in line.steps:
        middle = x + BADGE / 2
        parts.append(
            f'<circle class="badge" cx="{_number(middle)}" cy="{_number(y - 4)}" r="{BADGE / 2:g}"/>'
            f'<text class="number" x="{_number(middle)}" y="{_number(y - 0.5)}">{step}</text>'
        )
        x += BADGE + 3
    spans = "".join(
        f'<tspan class="{look}"{" dx=" + chr(34) + "6" + chr(34) if index else ""}>{text(said)}</tspan>'
        for index, (look, said) in enumerate(line.spans)
    )
    title = f"<title>{text(line.title)}</title>" if line.title else ""
    parts.append(f'<text x="{_number(x)}" y="{_number(y)}">{title}{spans}</text>')
    if line.tunnels:
        return f'<g class="row"{_tunnels(line.tunnels)}>{"".join(parts)}</g>'
    return "".join(parts)


def _tunnels(names: Sequence[str]) -> str:
    return f' data-tunnels="{attribute(" ".join(names))}"' if names else ""


def _rect(box: Box, away: float = 0) -> str:
    return (
        f'x="{_number(box.x + away)}" y="{_number(box.y + away)}" '
        f'width="{_number(box.width)}" height="{_number(box.height)}"'
    )


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _path(line: Path) -> str:
    """Straight pieces with rounded corners."""
    first, *rest = line
    parts = [f"M{_pair(first)}"]
    for before, corner, after in zip(line, rest, rest[1:], strict=False):
        reach = min(_CORNER, _far(before, corner) / 2, _far(corner, after) / 2)
        parts.append(
            f"L{_pair(_towards(corner, before, reach))} Q{_pair(corner)} {_pair(_towards(corner, after, reach))}"
        )
    return " ".join([*parts, f"L{_pair(line[-1])}"])


def _head(line: Path) -> str:
    """A triangle that points along the last piece."""
    before, tip = line[-2], line[-1]
    long = _far(before, tip) or 1.0
    x, y = (tip[0] - before[0]) / long, (tip[1] - before[1]) / long
    back = (tip[0] - 9 * x, tip[1] - 9 * y)
    left, right = (back[0] - 4.5 * y, back[1] + 4.5 * x), (back[0] + 4.5 * y, back[1] - 4.5 * x)
    return f"M{_pair(tip)} L{_pair(left)} L{_pair(right)} Z"


def _far(one: tuple[float, float], other: tuple[float, float]) -> float:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _towards(start: tuple[float, float], end: tuple[float, float], reach: float) -> tuple[float, float]:
    long = _far(start, end) or 1.0
    return start[0] + (end[0] - start[0]) * reach / long, start[1] + (end[1] - start[1]) * reach / long


def _pair(point: tuple[float, float]) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _heading_width(placed: Placed) -> float:
    return 56 + max(1.4 * width("name", placed.scene.title), width("quiet", placed.scene.subtitle))


def _legend(placed: Placed) -> Iterator[tuple[str, str]]:
    arrows = placed.scene.arrows
    for kind, said in (("session", "SSH session"), ("use", "use"), ("dial", "dial")):
        if any(arrow.kind == kind and not arrow.spare and arrow.denied is None for arrow in arrows):
            yield kind, said
    if any(arrow.denied is not None for arrow in arrows):
        yield "denied", "✘ blocked"
    if any(arrow.spare for arrow in arrows):
        yield "spare", "when another is down"
    if placed.wires:
        yield "wire", "attached"


def _legend_width(legend: Iterable[tuple[str, str]]) -> float:
    return sum(60 + width("quiet", said) for _, said in legend)


def legend_items(legend: Iterable[tuple[str, str]]) -> Iterator[str]:
    """What the lines mean, side by side."""
    x = 0.0
    for kind, said in legend:
        line = f'<path class="wire" d="M{x:g} -4 h28"/>'
        if kind != "wire":
            line = (
                f'<g class="arrow {kind}"><path class="line" d="M{x:g} -4 h22"/>'
                f'<path class="head" d="M{x + 28:g} -4 l-9 -4.5 v9 Z"/></g>'
            )
        yield f'{line}<text class="quiet" x="{x + 36:g}" y="0">{text(said)}</text>'
        x += round(60 + width("quiet", said))
