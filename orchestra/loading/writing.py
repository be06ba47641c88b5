"""Plain values as the text of a topology file: what is read back is what was written.

Short maps and lists stand on one line, others on lines of their own; comments stand above the key that they are about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from orchestra.diagnostics import KeyPath
from orchestra.loading.scalars import resolve
from orchestra.model.text import clean

WIDTH = 100
_PLAIN = re.compile(r"[A-Za-z0-9_./~][A-Za-z0-9_./@~+-]*\Z", re.ASCII)
"""What nothing in YAML can be mistaken for, in any position."""


def write_yaml(document: Mapping[str, Any], notes: Mapping[KeyPath, tuple[str, ...]]) -> str:
    """The text; ``notes``: key path to the lines of the comment above it, that of ``()`` above everything.

    ``$`` is doubled in values, so that no variable is expanded. Raises TypeError for what YAML cannot say.
    """
    sections = ["\n".join(_block({key: item}, notes, ())) for key, item in document.items()]
    head = ["\n".join(_comment(notes[()], ""))] if notes.get(()) else []
    return "\n\n".join([*head, *sections]) + "\n"


def _block(value: Mapping[str, Any], notes: Mapping[KeyPath, tuple[str, ...]], path: KeyPath) -> Iterator[str]:
    indent = "  " * len(path)
    for key, item in value.items():
        below = (*path, key)
        yield from _comment(notes.get(below, ()), indent)
        line = f"{indent}{_scalar(key, key=True)}: {_flow(item)}"
        noted = any(note[: len(below)] == below and note != below for note in notes)
        nested = isinstance(item, Mapping) and item
        if nested and (noted or not path or len(line) > WIDTH):
            yield f"{indent}{_scalar(key, key=True)}:"
            yield from _block(item, notes, below)
        else:
            yield line


def _comment(lines: tuple[str, ...], indent: str) -> Iterator[str]:
    yield from (f"{indent}# {clean(line, 300)}".rstrip() for line in lines)


def _flow(value: Any) -> str:
    match value:
        case Mapping():
            return "{" + ", ".join(f"{_scalar(key, key=True)}: {_flow(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_flow, value)) + "]"
        case _:
            return _scalar(value)


def _scalar(value: Any, *, key: bool = False) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return str(value)
        case str():
            text = value if key else value.replace("$", "$$")
            good = _PLAIN.match(text) and isinstance(resolve(text), str)
            return text if good else '"' + "".join(map(_character, text)) + '"'
        case _:
            raise TypeError(f"a {type(value).__name__} is nothing that a topology file can say")


def _character(char: str) -> str:
    """One inside of double quotes (YAML 1.2, 5.7)."""
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else f"\\U{ord(char):08x}"
