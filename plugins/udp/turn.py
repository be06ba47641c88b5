"""What is sent while something that has arrived is handed on goes together, and as soon as all of it was handed on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType


class Turn:
    """One for all stations that are joined to one another: who reads enters it, who writes asks it when.

    What comes alone is so sent at once. A callback at the end of the loop's turn would come later, and make whoever
    writes below believe that there is something else to gather.
    """

    def __init__(self) -> None:
        self._goes_on = False
        self._waiting: list[Callable[[], None]] = []

    def __enter__(self) -> None:
        self._goes_on = True

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._goes_on = False
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for each in waiting:
                each()

    def at_its_end(self, flush: Callable[[], None]) -> None:
        """Calls it when everything was handed on; where nothing is, at the end of the loop's turn."""
        if self._goes_on:
            self._waiting.append(flush)
        else:
            asyncio.get_running_loop().call_soon(flush)
