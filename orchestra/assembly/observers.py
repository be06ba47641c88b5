"""Many observers as one: the only fence between what they do wrong and everybody else."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.model.events import Event

_log = logging.getLogger(__name__)


class Observers:
    """Tells each of them every event, in their order. One that raises fails alone, and that is said."""

    def __init__(self, *observers: Callable[[Event], None]) -> None:
        self._observers = observers

    def __call__(self, event: Event) -> None:
        for observer in self._observers:
            try:
                observer(event)
            except Exception:  # noqa: BLE001 - a stranger's code may raise anything
                _log.exception("an observer failed: %r", observer)
