"""The garbage collector, out of the way of what makes many objects and no garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def settled() -> None:
    """Switches it on, where it was off for the start of a program. What there is by then stays until the end, modules
    and classes, and is not looked through again."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


@contextmanager
def collector_off() -> Iterator[None]:
    """For the length of a ``with`` or a call: looking for garbage among what is made doubles the time to make it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
