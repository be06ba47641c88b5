"""Text from strangers, made fit for a terminal or a log."""

from __future__ import annotations

import re
import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Me", "Mc"})
_MOST_MARKS = 3
"""Marks on one character; more of them reach into the lines above and below."""
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | {
    *map(chr, range(0xFE00, 0xFE10)),
    *map(chr, range(0xE0100, 0xE01F0)),
}
"""Letters and marks that show nothing (Default_Ignorable_Code_Point of UAX 44, and a blank Braille pattern)."""
_BREAKS = re.compile(r"[\t\n\r]+")


def clean(text: str | bytes, limit: int = 400) -> str:
    """What a peer sent, without what could move a cursor, reorder text or hide in it, at most ``limit`` characters.

    Control characters (C0, C1, DEL, escape), bidirectional and other format characters, letters that show nothing,
    surrogates and private-use characters become ``·``; line breaks and tabs, any number, become one blank, and so does
    each other kind of blank (RFC 4251 section 9.2; CVE-2021-42574).
    """
    if isinstance(text, bytes):
        text = text[: limit * 8].decode("utf-8", "replace")
    text = _BREAKS.sub(" ", text[: limit * 2])
    shown = (text if text.isascii() and text.isprintable() else _visible(text)).strip()
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def reason(error: BaseException) -> str:
    """What a stranger's exception says: ``ValueError: no licence``; its kind alone when it says nothing, or fails
    to."""
    name = type(error).__name__
    try:
        said = clean(str(error))
    except Exception:  # noqa: BLE001 - its __str__ is the stranger's too
        said = ""
    return f"{name}: {said}" if said else name


def shown(value: object) -> str:
    """What a stranger handed over, short; its type alone when its ``repr`` fails."""
    try:
        return clean(repr(value), 80)
    except Exception:  # noqa: BLE001 - as above
        return f"a {type(value).__name__}"


def _visible(text: str) -> str:
    shown: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        if category in _HIDDEN or char in _UNSEEN:
            char, category = "·", ""  # noqa: PLW2901 - it is shown in its place
        marks = marks + 1 if category in _MARKS else 0
        if marks > _MOST_MARKS:
            continue
        if marks and not shown:
            shown.append("·")  # else it would sit on what stands before this text
        shown.append(" " if category == "Zs" else char)
    return "".join(shown)
