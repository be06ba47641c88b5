"""Expressions in what a target sends, which may have been written so that a search has no end (CWE-1333)."""

from __future__ import annotations

import contextlib
import re
import signal
import threading
import time
from collections.abc import Iterator

from orchestra.session import NoAnswer

ALLOWED = 0.2
"""Seconds of processor time for all searches of one check: nothing else is done meanwhile."""


class Search:
    """An expression that is looked for again and again, as more comes."""

    def __init__(self, expression: str) -> None:
        self._expression, self._left = re.compile(expression), ALLOWED

    def finds(self, text: bytes | bytearray) -> bool:
        """Whether it is found there. Raises NoAnswer where that takes too long."""
        begun = time.thread_time()
        with self._bounded():
            found = self._expression.search(text.decode("utf-8", "replace")) is not None
        self._left -= time.thread_time() - begun
        if self._left <= 0:
            self._give_up()
        return found

    @contextlib.contextmanager
    def _bounded(self) -> Iterator[None]:
        """A search holds the interpreter, also in a thread of its own; a signal alone ends it, in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        former = signal.signal(signal.SIGVTALRM, self._give_up)
        signal.setitimer(signal.ITIMER_VIRTUAL, self._left)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, former)

    def _give_up(self, *_: object) -> None:
        raise NoAnswer(f"to look for {self._expression.pattern!r} in what it sent takes too long")
