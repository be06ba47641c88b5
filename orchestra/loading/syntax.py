"""Where YAML itself trips, in words for people.

Four things that belong in a topology are not YAML unless they are quoted. They are told from other mistakes, and read
as if they had been quoted, so that one of them does not hide what else is wrong.
"""

from __future__ import annotations

import re

import yaml

from orchestra.diagnostics import Code
from orchestra.loading.report import Unreadable
from orchestra.model.frozen import dataclass

_NEEDS_QUOTES = re.compile(
    r"""(?<![\w"'])(?P<token>
        [\w.@-]*\$\{[^{}\n]*\}(?:[^\s,\[\]{}"']|\$\{[^{}\n]*\})*  # a variable inside braces
      | \*:[\w-]+                                                 # every address: YAML reads an alias
      | \[[0-9A-Fa-f]*:[0-9A-Fa-f:.]*\](?::[\w-]+)?               # IPv6: a list
      | ::[0-9A-Fa-f:.]*(?:/\w+)?                                 # IPv6 at the start of a value inside braces
    )(?![\w"'])""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Patch:
    """A token that must be quoted, and where it stands (from 0)."""

    line: int
    column: int
    token: str

    def apply(self, lines: list[str]) -> None:
        """Puts a plain scalar of the same length in its place, so that no other position moves."""
        line = lines[self.line]
        lines[self.line] = line[: self.column] + "q" * len(self.token) + line[self.column + len(self.token) :]


def find_patch(error: yaml.YAMLError | Unreadable, lines: list[str]) -> Patch | None:
    """The token that wants quotes, if that is what is wrong at the place of the error."""
    position = _position(error)
    if position is None or position[0] >= len(lines):
        return None
    line, column = position
    tokens = _NEEDS_QUOTES.finditer(lines[line].partition(" #")[0])
    around = [match for match in tokens if match.start() <= column <= match.end() + 1]
    return Patch(line, around[-1].start(), around[-1]["token"]) if around else None


def _position(error: yaml.YAMLError | Unreadable) -> tuple[int, int] | None:
    """Line and column from 0. What is past a limit, or another document, is no matter of quotes."""
    if isinstance(error, Unreadable):
        fits = error.code is Code.YAML_SYNTAX and error.spot is not None
        return (error.spot[1] - 1, error.spot[2] - 1) if fits and error.spot else None
    mark = getattr(error, "problem_mark", None)
    return (mark.line, mark.column) if mark is not None else None


def explain(error: yaml.YAMLError | Unreadable, file: str, text: str, lines: list[str]) -> Unreadable:
    """Any other error of libyaml (what is in our own words already stays)."""
    if isinstance(error, Unreadable):
        return error
    if isinstance(error, yaml.reader.ReaderError):
        before = text.encode("utf-8", "surrogatepass")[: error.position].decode("utf-8", "replace")  # it counts bytes
        return Unreadable(
            Code.YAML_SYNTAX,
            f"the file holds a character that no YAML file may hold (U+{error.character:04X})",
            (file, before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1),
            "a topology is a UTF-8 text file",
        )
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return Unreadable(Code.YAML_SYNTAX, f"not YAML: {error}", (file, 1, 1))
    message, suggestion = _say(error, _character(lines, mark.line, mark.column))
    return Unreadable(Code.YAML_SYNTAX, message, (file, mark.line + 1, mark.column + 1), suggestion)


def _character(lines: list[str], line: int, column: int) -> str:
    return lines[line][column : column + 1] if line < len(lines) else ""


def _say(error: yaml.YAMLError, character: str) -> tuple[str, str | None]:
    problem = str(getattr(error, "problem", None) or "cannot be read")
    if "cannot start any token" in problem:
        if character == "\t":
            return "a tab cannot indent YAML", "indent with blanks"
        return f"a value cannot begin with {character!r}", "quote the value"
    if "alias" in str(getattr(error, "context", "")):
        return "'*' begins an alias in YAML", "quote the value when the '*' is meant as text"
    if "mapping values are not allowed" in problem:
        return "a second ': ' on one line", "quote the value, or put the inner map on lines of its own, further in"
    if "unexpected end of stream" in problem:
        return "a quote does not close", None
    context = getattr(error, "context_mark", None)
    since = f" (in what begins on line {context.line + 1})" if context is not None else ""
    return f"not YAML: {problem}{since}", "look at the indentation, brackets and quotes here and just before"
