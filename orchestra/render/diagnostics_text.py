"""Diagnostics for people: place, code and message, the line of the file with a caret, the key path, what to do.

::

    office.yaml:7:3: error[UNKNOWN_KEY] clients.laptop has no key 'sever'
      7 |   sever: {}
        |   ^^^^^
        = in clients.laptop.sever
        = help: did you mean 'server'?

    1 error
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from orchestra.model.text import clean
from orchestra.render.layout import columns, counted
from orchestra.render.style import PLAIN, Role, Style

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orchestra.diagnostics import Diagnostic, Place, Severity

_ROLES: Mapping[Severity, Role] = {"error": "bad", "warning": "warn", "info": "note"}
_TOKEN = re.compile(r'"[^"]*"|\'[^\']*\'|[\[{]|(?:(?!: |:$| #)[^,\]}])+')
_WIDTH = 110
_MESSAGE_LIMIT = 2000


def diagnostics_text(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str], style: Style = PLAIN) -> str:
    """All of them, in the order given, and how many there are. ``sources``: the texts of the files, by name.

    What differs only in the tunnel it is about is said once. Empty when there are none.
    """
    groups = _grouped(diagnostics)
    if not groups:
        return ""
    blocks = ["\n".join(_lines(d, tunnels, sources, style)) for d, tunnels in groups]
    return "\n\n".join([*blocks, _totals((d for d, _ in groups), style)])


def headline(
    severity: Severity, message: str, style: Style = PLAIN, *, code: str | None = None, place: Place | None = None
) -> str:
    """``file:line:column: severity[CODE] message``, with the parts that are known."""
    where = style("name", f"{clean(str(place))}: ") if place else ""
    label = f"{severity}[{code}]" if code else f"{severity}:"
    return f"{where}{style(_ROLES[severity], label)} {clean(message, _MESSAGE_LIMIT)}"


def _grouped(diagnostics: Iterable[Diagnostic]) -> list[tuple[Diagnostic, list[str]]]:
    groups: dict[tuple[object, ...], tuple[Diagnostic, list[str]]] = {}
    for d in diagnostics:
        key = (d.code, d.severity, d.message, d.place, d.path, d.suggestion)
        _, tunnels = groups.setdefault(key, (d, []))
        if d.tunnel is not None and d.tunnel not in tunnels:
            tunnels.append(d.tunnel)
    return list(groups.values())


def _lines(d: Diagnostic, tunnels: list[str], sources: Mapping[str, str], style: Style) -> Iterator[str]:
    yield headline(d.severity, d.message, style, code=d.code, place=d.place)
    margin = " " * 2
    if d.place and (shown := excerpt(sources.get(d.place.file, ""), d.place)):
        line, caret = shown
        margin = " " * (len(str(d.place.line)) + 3)
        yield f"{style('quiet', f'  {d.place.line} |')} {line}"
        yield f"{style('quiet', f'{margin}|')} {style(_ROLES[d.severity], caret)}"
    notes = (("in ", d.path), ("for tunnel ", ", ".join(tunnels)), ("help: ", d.suggestion))
    for word, text in notes:
        if text:
            yield f"{style('quiet', f'{margin}= {word}')}{clean(text, _MESSAGE_LIMIT)}"


def excerpt(source: str, place: Place) -> tuple[str, str] | None:
    """The line that a place is on, fit for a terminal, and a caret line under it; None when there is no such line."""
    lines = source.splitlines()
    if not 1 <= place.line <= len(lines):
        return None
    line, start = lines[place.line - 1], place.column - 1
    if not line.strip() or start > len(line):
        return None
    end = start + _token_length(line, start)
    first = max(0, min(start - 20, len(line) - _WIDTH))
    window, more = line[first : first + _WIDTH], len(line) > first + _WIDTH
    shown = f"{'…' if first else ''}{_printable(window)}{'…' if more else ''}"
    indent = columns(window[: start - first]) + (1 if first else 0)
    return shown.rstrip(), " " * indent + "^" * max(1, columns(window[start - first : end - first]))


def _token_length(line: str, start: int) -> int:
    match = _TOKEN.match(line, start)
    return len(match[0].rstrip()) if match else 1


def _printable(text: str) -> str:
    return "".join(clean(char) or " " for char in text)


def _totals(diagnostics: Iterable[Diagnostic], style: Style) -> str:
    counts = Counter(d.severity for d in diagnostics)
    nouns: tuple[tuple[Severity, str], ...] = (("error", "error"), ("warning", "warning"), ("info", "note"))
    parts = (style(_ROLES[s], counted(counts[s], noun)) for s, noun in nouns if counts[s])
    return ", ".join(parts)
