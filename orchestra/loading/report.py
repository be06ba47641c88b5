"""Collects what is wrong, and goes on."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Sequence

from orchestra.diagnostics import Code, Diagnostic, KeyPath, Place, write_key_path
from orchestra.loading.nodes import Spot
from orchestra.model.text import clean
from orchestra.plugin.vocabulary import Absent

MANY = 200
_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,30}\Z")


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


def plugins_word(thing: str, word: str, known: Collection[str], absent: Sequence[Absent]) -> str | None:
    """The suggestion for an unknown name of a thing that plugins add: the nearest, and the plugin that would add it
    when it is installed; else what its package is called by convention."""
    missing = {name: plugin for plugin in reversed(absent) for name in _would_add(thing, plugin) if name not in known}
    near = nearest(word, {*known, *missing})
    if near is None and _PACKAGE.match(word):
        listed = did_you_mean(word, known)
        convention = f"a package whose plugin adds it is called orchestra-{word.lower()} by convention"
        return f"{listed}; {convention}" if listed else convention
    if near is None or near in known:
        return did_you_mean(word, known)
    plugin = missing[near]
    adds = f"the plugin {quoted(plugin.name)} of {clean(plugin.package, 60)} adds it, and {clean(plugin.why, 200)}"
    return adds if near == word else f"did you mean {near!r}? {adds}"


def _would_add(thing: str, plugin: Absent) -> Iterator[str]:
    """The names that it is known to add; of one that never told: its own, since most are called like what they add."""
    if plugin.words:
        yield from (name for sort, _, name in (each.partition(" ") for each in plugin.words) if sort == thing)
    else:
        yield plugin.name


def quoted(text: str, limit: int = 60) -> str:
    """A text of the file inside a message."""
    return repr(clean(text, limit))
