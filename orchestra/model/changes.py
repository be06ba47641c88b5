"""What is to be done to get from one plan to another: sessions and tunnels added, removed, changed and kept."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, TypeAlias

from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

Action: TypeAlias = Literal["add", "remove", "change", "keep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A field that differs, as people write it; empty where it is left out."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of one session or one tunnel. A session that changes is another one, beside the one of that id."""

    what: Literal["session", "tunnel"]
    name: str
    action: Action
    text: str = ""
    """Where it leads: what is dialed, by whom."""
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Everything that was, or is to be; sessions first, each by name."""

    items: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return any(item.action != "keep" for item in self.items)

    @property
    def counts(self) -> Mapping[Action, int]:
        """How many there are of each."""
        return Counter(item.action for item in self.items)
