"""Which sessions connections are over, so that one that nothing needs any more can be let go."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _unheard() -> None:
    """For who needs not know."""


class Usage:
    """Counts by session; ``less`` is told whenever something has ended."""

    def __init__(self, less: Callable[[], None] = _unheard) -> None:
        self._counts: Counter[str] = Counter()
        self._less = less

    def is_used(self, id_: str) -> bool:
        """Whether anything is over that session, or on its way."""
        return self._counts[id_] > 0

    def begin(self, sessions: frozenset[str]) -> None:
        """Something is over these sessions, or may be soon."""
        for id_ in sessions:
            self._counts[id_] += 1

    def end(self, sessions: frozenset[str]) -> None:
        """It is no longer."""
        for id_ in sessions:
            self._counts[id_] -= 1
        self._less()

    @contextmanager
    def held(self, sessions: frozenset[str]) -> Iterator[None]:
        """Inside."""
        self.begin(sessions)
        try:
            yield
        finally:
            self.end(sessions)


class Use:
    """By one connection, from its beginning to its end."""

    def __init__(self, usage: Usage, sessions: frozenset[str]) -> None:
        self._usage, self._sessions = usage, sessions

    def begin(self) -> None:
        self._usage.begin(self._sessions)

    def end(self) -> None:
        self._usage.end(self._sessions)
