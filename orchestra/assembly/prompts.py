"""Questions on their way from the engine to whoever is at the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from orchestra.engine.asking import paused

if TYPE_CHECKING:
    import asyncio

    from orchestra.plugin.interfaces import Ask, Question


class Prompts:
    """An :data:`~orchestra.plugin.interfaces.Ask` that holds deadlines while a person is asked.

    Questions come one at a time: the engine sees to it.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._deadlines: list[asyncio.Timeout] = []

    @contextmanager
    def holding(self, deadline: asyncio.Timeout) -> Iterator[None]:
        """Inside, it stands still during each question."""
        self._deadlines.append(deadline)
        try:
            yield
        finally:
            self._deadlines.remove(deadline)

    async def __call__(self, question: Question) -> str | None:
        with ExitStack() as stack:
            for deadline in self._deadlines:
                stack.enter_context(paused(deadline))
            return await self._ask(question)
