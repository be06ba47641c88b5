"""Plain scalars by YAML 1.2's core schema (yaml.org/spec/1.2.2, section 10.3), except that booleans also accept
yes, no, on and off.

So ``22:22`` is text (YAML 1.1 reads 1342), ``0777`` is 777 (1.1: 511) and ``2026-01-01`` is text.
"""

from __future__ import annotations

import re
from typing import TypeAlias

Value: TypeAlias = str | int | float | bool | None

_WORDS: dict[str, Value] = {"": None, "~": None}
for _word, _value in (("null", None), ("true", True), ("yes", True), ("on", True)):
    _WORDS |= dict.fromkeys((_word, _word.title(), _word.upper()), _value)
for _word in ("false", "no", "off"):
    _WORDS |= dict.fromkeys((_word, _word.title(), _word.upper()), False)
for _word in (".inf", ".Inf", ".INF"):
    _WORDS |= {_word: float("inf"), f"+{_word}": float("inf"), f"-{_word}": float("-inf")}
_WORDS |= dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan"))

_DIGITS = 20
_NUMBER_STARTS = frozenset("0123456789+-.")
_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL_HEX = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")


def resolve(text: str) -> Value:
    """What a plain scalar means. A number of absurd length stays text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS or len(text) > _DIGITS:
        return text
    if _INTEGER.match(text):
        return int(text)
    if _OCTAL_HEX.match(text):
        return int(text, 0)
    return float(text) if _FLOAT.match(text) else text
