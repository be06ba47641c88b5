"""What our own code and asyncio complain of while a command runs: a line each, with the traceback for ``-vv``."""

from __future__ import annotations

import logging
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestra.model.text import clean, reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.cli.console import Console

LOGGERS = {"orchestra": logging.WARNING, "asyncio": logging.ERROR, "aiohttp": logging.ERROR}
"""Whose, and from which level: asyncio's warnings are about peers that went away, which is their right."""


@contextmanager
def complaints(console: Console) -> Iterator[None]:
    """Shows them at standard error until the end."""
    handlers = {name: _Lines(console, level) for name, level in LOGGERS.items()}
    for name, handler in handlers.items():
        logging.getLogger(name).addHandler(handler)
    try:
        yield
    finally:
        for name, handler in handlers.items():
            logging.getLogger(name).removeHandler(handler)


class _Lines(logging.Handler):
    def __init__(self, console: Console, level: int) -> None:
        super().__init__(level)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        why = f": {reason(error)}" if error is not None else ""
        self._console.say(clean(f"! {record.getMessage()}{why}", 500))
        if error is not None and self._console.verbosity > 1:
            self._console.say("".join(traceback.format_exception(error)).rstrip())
