"""Text from strangers, made fit for a terminal or a log."""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


def clean(text: str | bytes, limit: int = 400) -> str:
    """What a peer sent, without what could move a cursor or reorder text, at most ``limit`` characters.

    Control characters (C0, C1, escape), bidirectional and other format characters, surrogates and private-use
    characters become ``·``; line breaks and tabs become one blank (RFC 4251 section 9.2; CVE-2021-42574).
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    shown = "".join(_shown(char) for char in text[: limit * 2])
    shown = " ".join(shown.split(" ")).strip()
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _shown(char: str) -> str:
    if char in "\n\r\t":
        return " "
    return "·" if unicodedata.category(char) in _HIDDEN else char
