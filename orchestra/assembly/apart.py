"""Work that is done in a process of its own, of which this one gets the result and nothing else.

What such work imports and allocates is gone with its process, while this one, which is to stay, remains small; and
what this one does meanwhile is done at the same time.
"""

from __future__ import annotations

import copyreg
import gc
import io
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar

from orchestra.assembly.signals import STOPPING, held_back

T = TypeVar("T")


class NotHandedOver(Exception):
    """There is no result: the process was killed, the work raised, or what it returned cannot be moved."""


def can_fork() -> bool:
    """Whether a copy of this process would be whole: a fork has no thread but the one that asked for it."""
    return hasattr(os, "fork") and threading.active_count() == 1


@contextmanager
def forked(work: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """Begins the work in a copy of this process; what is yielded waits for the result, once, or raises NotHandedOver.

    The result is moved by :mod:`pickle`. At the end the process is gone, whatever it was doing.
    """
    reading, writing = os.pipe()
    with held_back():
        if (process := os.fork()) == 0:
            _hand_over(work, writing)
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as pipe:
            yield lambda: loads(pipe.read())
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def _hand_over(work: Callable[[], Any], descriptor: int) -> NoReturn:
    """In the copy, where nothing may be done twice: neither what is still to be written, nor what is done at exit."""
    try:
        for signum in STOPPING:
            if callable(signal.getsignal(signum)):  # what is ignored stays so
                signal.signal(signum, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        gc.disable()
        with os.fdopen(descriptor, "wb") as pipe:
            pipe.write(dumps(work()))
    finally:
        os._exit(0)


def dumps(value: object) -> bytes:
    """The value as :func:`loads` reads it. Raises whatever keeps it from being moved."""
    text = io.BytesIO()
    _Pickler(text, pickle.HIGHEST_PROTOCOL).dump(value)
    return text.getvalue()


def loads(text: bytes) -> Any:
    """The value that was written, by this version of this program. Raises NotHandedOver."""
    try:
        return pickle.loads(text)  # noqa: S301 - it comes from a process of our own
    except Exception as error:
        raise NotHandedOver(str(error)) from error


class _Pickler(pickle.Pickler):
    """Knows read-only mappings too."""

    dispatch_table = copyreg.dispatch_table | {MappingProxyType: lambda each: (_read_only, (dict(each),))}


def _read_only(mapping: Mapping[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(mapping)
