"""Changes as a JSON object: what ``reload -o json`` prints, and what travels over the control socket."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from orchestra.model.changes import Change, Changes, Difference

if TYPE_CHECKING:
    from collections.abc import Mapping


def changes_json(changes: Changes) -> list[dict[str, Any]]:
    """One object for each: ``what``, ``name``, ``action``, ``text``, ``differences``."""
    return [asdict(item) for item in changes.items]


def read_changes(document: list[Mapping[str, Any]]) -> Changes:
    """What :func:`changes_json` wrote."""
    return Changes(items=tuple(_change(item) for item in document))


def _change(item: Mapping[str, Any]) -> Change:
    differences = tuple(Difference(**each) for each in item["differences"])
    return Change(**{**item, "differences": differences})
