"""Colour as a thin layer over text: without it the text is the same, letter for letter.

Colour never carries a meaning of its own; a symbol or a word beside it says the same.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal, TypeAlias

from orchestra.model.frozen import dataclass

Role: TypeAlias = Literal["name", "address", "quiet", "good", "bad", "warn", "note"]

# SGR parameters (ECMA-48 8.3.117) that are readable on dark and on light backgrounds
_SGR = MappingProxyType(
    {"name": "1", "address": "36", "quiet": "2", "good": "32", "bad": "1;31", "warn": "33", "note": "34"}
)

_ASCII = str.maketrans(
    {"✔": "+", "✘": "x", "○": "o", "⚠": "!", "→": "->", "·": "-", "…": "...", "├": "|", "└": "`", "│": "|", "─": "-"}
)


def encodable(text: str, encoding: str) -> str:
    """The text as a stream of that encoding can show it: symbols in ASCII when it lacks them, the rest as ``?``."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_ASCII).encode(encoding, "replace").decode(encoding)
    return text


@dataclass(frozen=True, slots=True)
class Style:
    """Paints text by its role, or leaves it alone."""

    colour: bool = False

    def __call__(self, role: Role, text: str) -> str:
        """The text in the colour of its role; an empty text stays empty."""
        return f"\x1b[{_SGR[role]}m{text}\x1b[0m" if self.colour and text else text


PLAIN = Style()
