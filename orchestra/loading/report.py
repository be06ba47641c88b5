"""Collects what is wrong, and goes on."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from orchestra.diagnostics import Code, Diagnostic, KeyPath, Place, write_key_path
from orchestra.loading.nodes import Spot
from orchestra.model.text import clean

MANY = 200


class Report:
    """The diagnostics of one load."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    def error(
        self, code: Code, message: str, spot: Spot | None, path: KeyPath = (), suggestion: str | None = None
    ) -> None:
        """Adds an error."""
        self.diagnostics.append(
            Diagnostic(
                code=code,
                severity="error",
                message=message,
                place=Place(*spot) if spot else None,
                path=write_key_path(path) or None,
                suggestion=suggestion,
            )
        )


class Unreadable(Exception):
    """The file cannot be read to its end; what was found before it is reported all the same."""

    def __init__(self, code: Code, message: str, spot: Spot | None, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.spot = spot
        self.suggestion = suggestion


def nearest(word: str, words: Collection[str], cutoff: float = 0.65) -> str | None:
    """The known word that was probably meant. Among very many, only those of much the same length are compared."""
    if len(words) > MANY:
        words = [known for known in words if abs(len(known) - len(word)) <= 1 and known[:1] == word[:1]][:MANY]
    folded = {known.lower(): known for known in sorted(words)}
    found = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=cutoff)
    return folded[found[0]] if found else None


def did_you_mean(word: str, words: Collection[str]) -> str | None:
    """The suggestion for an unknown word: the nearest known one, else a few of those there are."""
    if near := nearest(word, words):
        return f"did you mean {near!r}?"
    if not words or len(words) > MANY:
        return None
    known = sorted(words)
    return f"known here: {', '.join(known[:12])}" + (", …" if len(known) > 12 else "")


def quoted(text: str, limit: int = 60) -> str:
    """A text of the file inside a message."""
    return repr(clean(text, limit))
