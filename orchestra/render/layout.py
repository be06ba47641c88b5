"""Lines made of coloured pieces, aligned in columns by what a terminal shows of them."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from orchestra.model.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestra.diagnostics import Place
    from orchestra.render.style import Role, Style

Span: TypeAlias = "tuple[Role | None, str]"
Cell: TypeAlias = "tuple[Span, ...]"
Row: TypeAlias = "tuple[Cell, ...]"

EMPTY: Cell = ()


def columns(text: str) -> int:
    """How many cells of a terminal the text takes (UAX 11)."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else not unicodedata.combining(char) for char in text)


def cell(text: str, role: Role | None = None) -> Cell:
    """A cell of one piece; text from files and peers is made fit for a terminal."""
    return ((role, clean(text)),)


def paint(spans: Cell, style: Style) -> str:
    """The pieces one after the other, coloured."""
    return "".join(text if role is None else style(role, text) for role, text in spans)


def table(rows: Sequence[Row], style: Style, *, indent: str = "  ", gap: str = "  ") -> list[str]:
    """The rows as lines, every column but a row's last as wide as its widest cell."""
    widths: dict[int, int] = {}
    for row in rows:
        for index, spans in enumerate(row[:-1]):
            widths[index] = max(widths.get(index, 0), _width(spans))
    return [indent + gap.join(_padded(row, widths, style)).rstrip() for row in rows]


def line_of(place: Place | None) -> str:
    """``file:line``, cleaned; empty when there is no place."""
    return f"{clean(place.file)}:{place.line}" if place else ""


def counted(number: int, noun: str) -> str:
    """``1 tunnel``, ``2 tunnels``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def timestamp(seconds: float) -> str:
    """A moment as logs and events have it: UTC, to the millisecond (RFC 3339). ``seconds``: since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def joined(names: Iterable[str], by: str = ", ") -> str:
    """Names in one line, cleaned."""
    return clean(by.join(names))


def _padded(row: Row, widths: dict[int, int], style: Style) -> list[str]:
    last = len(row) - 1
    return [
        paint(spans, style) + " " * (0 if index == last else widths[index] - _width(spans))
        for index, spans in enumerate(row)
    ]


def _width(spans: Cell) -> int:
    return sum(columns(text) for _, text in spans)
