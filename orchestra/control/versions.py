"""A command and what runs may be of different versions; one minor version apart they understand each other."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

HEADER = "Orchestra-Version"
"""Every question and every answer bears it."""

ALWAYS = frozenset({"/v1/status", "/v1/stop", "/v1/wait"})
"""What every version is asked and answers, so that whatever runs can be seen and taken down."""

Distance: TypeAlias = Literal["same", "near", "far"]

_RELEASE = re.compile(r"(\d{1,9})\.(\d{1,9})(?![0-9])", re.ASCII)


def distance(one: str, other: str) -> Distance:
    """``near``: of one major version, at most one minor version apart. What cannot be read is far from all others."""
    if one == other:
        return "same"
    ours, theirs = _RELEASE.match(one), _RELEASE.match(other)
    if ours is None or theirs is None or ours[1] != theirs[1]:
        return "far"
    return "near" if abs(int(ours[2]) - int(theirs[2])) <= 1 else "far"
