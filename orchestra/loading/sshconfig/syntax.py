"""Lines of an ssh_config file: a keyword, its arguments, and the rest as written.

The quoting rules are OpenSSH's own: quotes of both kinds, a backslash before a quote, a backslash or a blank; one
``=`` may stand between keyword and arguments; ``#`` begins a comment where an argument could begin.
"""

from __future__ import annotations

import re

from orchestra.model.frozen import dataclass

BLANKS = " \t\r\n"
_DELIMITER = re.compile(r'[ \t\r\n"=]')
_PIECE = re.compile(r"""\\([\\'" ])|"((?:[^"\\]|\\.?)*+)"|'((?:[^'\\]|\\.?)*+)'|([^ \t"'\\]+|\\)""", re.DOTALL)
_ESCAPED = re.compile(r"""\\([\\'"])""")


@dataclass(frozen=True, slots=True)
class Line:
    """One line that says something. ``rest`` is what follows the keyword, for those that take a whole command."""

    number: int
    column: int
    keyword: str
    words: tuple[str, ...]
    rest: str
    fault: str | None = None


def parse(text: str) -> tuple[Line, ...]:
    """Every line that has a keyword; raises nothing."""
    found = (_line(number, line) for number, line in enumerate(text.split("\n"), 1))
    return tuple(line for line in found if line is not None)


def _line(number: int, text: str) -> Line | None:
    text = text.partition("\0")[0].rstrip(BLANKS + "\f")
    keyword, rest = first_word(text)
    if keyword == "" and rest is not None:
        keyword, rest = first_word(rest)
    if not keyword or keyword.startswith("#"):
        return None
    column, name = len(text) - len(text.lstrip(BLANKS)) + 1, keyword.lower()
    rest = (rest or "").lstrip(BLANKS)
    if not rest:
        return Line(number, column, name, (), "", f"{keyword} has no argument")
    words = split(rest)
    return Line(number, column, name, words or (), rest, "a quote is not closed" if words is None else None)


def first_word(text: str) -> tuple[str | None, str | None]:
    """The text up to a blank or ``=``, and what follows; (None, None) when a quote in it is not closed."""
    match = _DELIMITER.search(text)
    if match is None:
        return text, None
    at = match.start()
    if text[at] == '"':
        end = text.find('"', at + 1)
        return (None, None) if end < 0 else (text[:at] + text[at + 1 : end], text[end + 1 :].lstrip(BLANKS))
    rest = text[at + 1 :].lstrip(BLANKS)
    if text[at] != "=" and rest.startswith("="):
        rest = rest[1:].lstrip(BLANKS)
    return text[:at], rest


def split(text: str, *, comments: bool = True) -> tuple[str, ...] | None:
    """The words of a line, unquoted; None when a quote is not closed."""
    words: list[list[str]] = []
    inside, at = False, 0
    while at < len(text):
        if text[at] in " \t":
            inside, at = False, at + 1
            continue
        if comments and not inside and text[at] == "#":
            break
        piece = _PIECE.match(text, at)
        if piece is None:
            return None
        if not inside:
            words.append([])
        words[-1].append(_unquoted(piece))
        inside, at = True, piece.end()
    return tuple(map("".join, words))


def _unquoted(piece: re.Match[str]) -> str:
    escaped, double, single, plain = piece.groups()
    if escaped is not None or plain is not None:
        return escaped or plain
    return _ESCAPED.sub(r"\1", double if double is not None else single)
