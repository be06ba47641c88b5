"""Patterns of ssh_config(5): ``*`` and ``?``, lists with ``!``; in time that is linear in the text."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import cache

from orchestra.model.address import IPAddress

_LONGEST = 1023
"""A longer part of a list matches nothing, as in ssh."""


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text is as the pattern says; letter case counts."""
    if "*" not in pattern and "?" not in pattern:
        return pattern == text
    first, *others = pattern.split("*")
    if not others:
        return len(pattern) == len(text) and _found(pattern, text, 0, len(text)) == 0
    last = others.pop()
    end = len(text) - len(last)
    if end < len(first) or _found(first, text, 0, len(first)) != 0 or _found(last, text, end, len(text)) != end:
        return False
    at = len(first)
    for part in others:  # the leftmost place of each is as good as any other
        found = _found(part, text, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _found(part: str, text: str, start: int, end: int) -> int:
    """Where a part without ``*`` begins, at the earliest; -1 when nowhere."""
    if "?" not in part:
        return text.find(part, start, end)
    match = _compiled(part).search(text, start, end)
    return match.start() if match else -1


@cache
def _compiled(part: str) -> re.Pattern[str]:
    return re.compile("".join("." if char == "?" else re.escape(char) for char in part), re.DOTALL)


def in_list(patterns: str, text: str, *, lower: bool = False) -> bool:
    """Whether a list, separated by commas, has the text; a part after ``!`` that has it decides against."""
    found = False
    for part in patterns.split(","):
        pattern = part.removeprefix("!")
        if len(pattern) >= _LONGEST:
            return False
        if matches(pattern.lower() if lower else pattern, text):
            if part.startswith("!"):
                return False
            found = True
    return found


def on_networks(patterns: str, addresses: Iterable[IPAddress]) -> bool:
    """Whether one of the addresses lies in the list of CIDRs. Raises ValueError when one of these is none."""
    networks = [ipaddress.ip_network(part) for part in patterns.split(",")]
    return any(address in network for address in addresses for network in networks)
