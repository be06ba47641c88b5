"""What stands written on every part of a picture, line by line, and how much room that takes (CSS pixels).

There are no fonts to ask: widths are those of DejaVu, the widest that a reader is likely to have, so a text never
leaves its box; with a narrower font there is more room around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from orchestra.model.frozen import dataclass
from orchestra.render.layout import columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.render.picture.scene import Arrow, Mark, Node, Socket, Zone

Look: TypeAlias = Literal["name", "word", "mono", "quiet", "good", "bad"]
Span: TypeAlias = "tuple[Look, str]"

LINE = 18.0
PAD_X, PAD_Y = 12.0, 10.0
BADGE = 16.0
ICON = 20.0
_SIZES = {"name": 13.0, "word": 11.5, "mono": 11.5, "quiet": 11.5, "good": 11.5, "bad": 11.5}
_NARROW = frozenset("ijltfrI.,:;|!'()[]{}/ -·`")
_WIDE = frozenset("mwMWOQ@%✔✘→⚠◉◆…")
_ROWS = 6
_LONGEST = 44


@dataclass(frozen=True, slots=True)
class Line:
    """One line: the steps as badges, then pieces of text."""

    spans: tuple[Span, ...]
    steps: tuple[int, ...] = ()
    title: str = ""
    """The whole of what had to be cut."""
    tunnels: tuple[str, ...] = ()

    @property
    def width(self) -> float:
        """In pixels."""
        gaps = 6.0 * (len(self.spans) - 1)
        return len(self.steps) * (BADGE + 3) + sum(width(look, text) for look, text in self.spans) + gaps


def width(look: Look, text: str) -> float:
    """How wide a text is at most."""
    size = _SIZES[look]
    if look == "mono":
        return 0.605 * size * columns(text)
    heavy = 1.08 if look == "name" else 1.0
    return size * heavy * sum(_em(char) for char in text)


def _em(char: str) -> float:
    if char in _NARROW:
        return 0.41
    if char in _WIDE or columns(char) > 1:
        return 1.0
    return 0.78 if char.isupper() else 0.64


def face(node: Node) -> tuple[Line, ...]:
    """What stands in a host's box."""
    head: list[Span] = [("name", _short(node.name, 28))]
    if node.here:
        head.append(("good", "here"))
    title = node.name if len(node.name) > 28 else ""
    return (
        Line(tuple(head), title=title),
        *_limited([*_addresses(node)]),
        *_limited([_socket(each) for each in node.sockets if not _own(node, each)]),
        *_limited([_mark(each) for each in node.marks]),
    )


def size(node: Node) -> tuple[float, float]:
    """Width and height of a host's box."""
    lines = face(node)
    widths = [lines[0].width + ICON, *(line.width for line in lines[1:])]
    return max(96.0, 2 * PAD_X + max(widths)), 2 * PAD_Y + LINE * len(lines)


def caption(zone: Zone) -> Line:
    """The name of a zone."""
    return Line((("name", _short(zone.name, 28)), *((("mono", _short(zone.detail, 36)),) if zone.detail else ())))


def label(arrow: Arrow) -> Line:
    """What is written on an arrow."""
    words: tuple[Span, ...] = (("word", arrow.word),) if arrow.word != "tcp" else ()
    return Line((*words, ("mono", _short(arrow.text, _LONGEST))), steps=(arrow.step,), title=arrow.text)


def flat(line: Line) -> str:
    """A line as plain text."""
    return " ".join([*(f"{step}." for step in line.steps), *(text for _, text in line.spans)])


def label_size(arrow: Arrow) -> tuple[float, float]:
    """Width and height of what is written on an arrow."""
    return label(arrow).width + 14.0, 22.0


def _own(node: Node, socket: Socket) -> bool:
    """Whether it is the service that the host is there for: its address says where the host is, too."""
    return socket.name == node.name and not socket.listener


def _addresses(node: Node) -> Iterator[Line]:
    if own := [socket for socket in node.sockets if _own(node, socket)]:
        yield Line((("mono", _short(own[0].address, _LONGEST)),), steps=own[0].steps, title=own[0].address)
        return
    if node.says:
        yield Line((("quiet", _short(node.says, _LONGEST)),), title=node.says)
        return
    for network, address in node.attached:
        shown: list[Span] = [("mono", _short(address, _LONGEST))] if address else []
        if node.zone is None:
            shown.insert(0, ("quiet", _short(network, 20)))
        if shown:
            yield Line(tuple(shown), title=address if len(address) > _LONGEST else "")


def _socket(socket: Socket) -> Line:
    sign: Span = ("good", "◉") if socket.listener else ("word", "◆")
    warning: tuple[Span, ...] = (("bad", "⚠ exposed"),) if socket.exposed else ()
    spans: tuple[Span, ...] = (sign, ("word", _short(socket.name, 24)), ("mono", _short(socket.address, 32)), *warning)
    return Line(spans, steps=socket.steps, tunnels=socket.tunnels, title=f"{socket.name} {socket.address}")


def _mark(mark: Mark) -> Line:
    sign: Span = ("good", "✔") if mark.passes else ("bad", "✘")
    where: tuple[Span, ...] = (("quiet", f"line {mark.place.line}"),) if mark.place else ()
    title = f"{mark.text} ({mark.place.file}:{mark.place.line})" if mark.place else mark.text
    return Line((sign, ("word", _short(mark.text, _LONGEST)), *where), mark.steps, title, mark.tunnels)


def _limited(lines: list[Line]) -> list[Line]:
    if len(lines) <= _ROWS:
        return lines
    hidden = lines[_ROWS - 1 :]
    return [*lines[: _ROWS - 1], Line((("quiet", f"+ {len(hidden)} more"),))]


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
