"""What becomes of each part, as Terraform shows a plan: ``+`` added, ``-`` removed, ``~`` changed, ``=`` kept.

::

    ~ session gateway  laptop dials 198.51.100.1:2222
        ssh.user  alice → bob
    + tunnel  wiki     127.0.0.1:8080 → wiki
    = session vault, tunnel desk

    1 to add, 1 to change; 2 kept
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from orchestra.model.text import clean
from orchestra.render.layout import EMPTY, cell, joined, table
from orchestra.render.style import PLAIN, Role, Style

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra.model.changes import Action, Change, Changes
    from orchestra.render.layout import Row

SIGNS: Mapping[Action, tuple[Role, str]] = MappingProxyType(
    {"add": ("good", "+"), "remove": ("bad", "-"), "change": ("warn", "~"), "keep": ("quiet", "=")}
)
_WORDS: Mapping[Action, str] = MappingProxyType({"add": "to add", "change": "to change", "remove": "to remove"})
_NAMED = 12
"""Kept parts that are named; of more, how many there are."""


def changes_text(changes: Changes, style: Style = PLAIN) -> str:
    """All of them, and the totals; what is kept in one line."""
    kept = [item for item in changes.items if item.action == "keep"]
    lines = table([row for item in changes.items if item.action != "keep" for row in _rows(item)], style)
    if kept and len(kept) <= _NAMED:
        names = joined(f"{item.what} {item.name}" for item in kept)
        lines.append(f"  {style(*SIGNS['keep'])} {style('quiet', names)}")
    return "\n".join([*lines, *([""] if lines else []), totals(changes)])


def totals(changes: Changes) -> str:
    """``1 to add, 1 to change; 2 kept``; ``nothing changes`` when nothing does."""
    counts = changes.counts
    parts = [f"{counts[action]} {words}" for action, words in _WORDS.items() if action in counts]
    kept = [f"{counts['keep']} kept"] if "keep" in counts else []
    return "; ".join([", ".join(parts) or "nothing changes", *kept])


def _rows(change: Change) -> Iterator[Row]:
    role, sign = SIGNS[change.action]
    head = ((role, sign), (None, f" {change.what:7} "), *cell(change.name, "name"))
    yield head, cell(change.text)
    for each in change.differences:
        before, after = each.before or "(none)", each.after or "(none)"
        yield (((None, f"    {clean(each.field)}"),), (*cell(before, "quiet"), (None, " → "), *cell(after)), EMPTY)
