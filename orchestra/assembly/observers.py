"""Many observers as one: the only fence between what they do wrong and everybody else."""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import TYPE_CHECKING

from orchestra.model.text import shown
from orchestra.plugin.manager import Observer

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.model.events import Event

_log = logging.getLogger(__name__)

SLOW = 0.1
"""Seconds of one call; in them everything stands still."""
PATIENCE = 10
"""Faults of a plugin's observer, until it is told nothing more."""


class Observers:
    """Tells each of them every event, in their order. A plugin's that raises or dawdles is named, and hears no more
    when it does so again and again."""

    def __init__(self, *observers: Callable[[Event], None], clock: Callable[[], float] = time.perf_counter) -> None:
        self._observers = list(observers)
        self._faults: Counter[int] = Counter()
        self._clock = clock

    def __call__(self, event: Event) -> None:
        for observer in tuple(self._observers):
            if self._fails(observer, event) and isinstance(observer, Observer):
                self._faults[id(observer)] += 1
                if self._faults[id(observer)] == PATIENCE:
                    self._observers.remove(observer)
                    _log.warning("%s is told nothing more, after %d faults", _name(observer), PATIENCE)

    def _fails(self, observer: Callable[[Event], None], event: Event) -> bool:
        begun = self._clock()
        try:
            observer(event)
        except Exception:  # noqa: BLE001 - a stranger's code may raise anything
            _log.exception("%s failed", _name(observer))
            return True
        took = self._clock() - begun
        if took > SLOW and isinstance(observer, Observer):
            _log.warning("%s took %.1f seconds, in which nothing else could happen", _name(observer), took)
            return True
        return False


def _name(observer: Callable[[Event], None]) -> str:
    return f"the observer of the plugin {observer.plugin}" if isinstance(observer, Observer) else shown(observer)
