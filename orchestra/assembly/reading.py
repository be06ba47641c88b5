"""How files are to be read, and what came of it, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, TypeAlias

from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from orchestra.assembly.launch import Launch
    from orchestra.control.handlers import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How to read: with which options (None: as before), which tunnels besides, as YAML by name, and without which;
    and how what is to be said of it is said."""

    options: Document | None = None
    additions: Mapping[str, str] = field(default_factory=dict)
    without: str | None = None
    colour: bool = False
    quiet: bool = False
    verbosity: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What came of it: something that can be brought up, or an exit code; and what there is to say, for a person."""

    launch: Launch | None
    code: int = 0
    said: str = ""


Read: TypeAlias = Callable[[Wish], Reading]
"""Reads files, and blocks while it does so; raises nothing that a file can cause."""
