"""Questions to a person: one at a time, whichever server they are about, and not twice what was answered before.

Answers are kept in the memory of this process and nowhere else. What may be a one-time code is never kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestra.plugin.interfaces import Ask, Question


class Questions:
    """An :data:`~orchestra.plugin.interfaces.Ask` over another one, which asks the person."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._turn = asyncio.Lock()
        self._answers: dict[tuple[str, str, str], str] = {}

    async def __call__(self, question: Question) -> str | None:
        key = _key(question)
        if question.again:
            self._answers.pop(key, None)
        async with self._turn:
            if (known := self._answers.get(key)) is not None:  # also by who had the turn before
                return known
            answer = await self._ask(question)
            if answer is not None and question.kind != "response":
                self._answers[key] = answer
            return answer

    def forget(self, host: str) -> None:
        """The passwords that were given for a host did not let us in."""
        for key in [key for key in self._answers if key[:2] == ("password", host)]:
            del self._answers[key]


def _key(question: Question) -> tuple[str, str, str]:
    """A passphrase belongs to a key, whoever is shown it; everything else to a host."""
    return question.kind, "" if question.kind == "passphrase" else question.host, question.subject


@contextmanager
def paused(scope: asyncio.Timeout) -> Iterator[None]:
    """A deadline stands still: a person takes the time that a person takes."""
    when, begun = scope.when(), asyncio.get_running_loop().time()
    scope.reschedule(None)
    try:
        yield
    finally:
        with suppress(RuntimeError):  # it has ended meanwhile
            scope.reschedule(when and when + asyncio.get_running_loop().time() - begun)
