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
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
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


def spawned(work: Callable[[], T]) -> T:
    """The result of the work, which a new process does, for one that has threads; signals of its terminal
    are not for the new one. Raises NotHandedOver.

    The work is moved by :mod:`pickle`, too: it is a function of a module, or a :func:`functools.partial` of one.
    """
    command = [sys.executable, "-P", "-c", f"from {__name__} import _answer; _answer()"]
    asked = dumps((sys.path, dumps(work)))  # in this order, since the one says where the modules of the other are
    done = subprocess.run(command, input=asked, stdout=subprocess.PIPE, process_group=0, check=False)
    found: T = loads(done.stdout)
    return found


def _answer() -> None:
    """In the new process, which has nothing to say where there is no result. What the work prints is no part of it."""
    sys.path[:], work = loads(sys.stdin.buffer.read())
    with os.fdopen(os.dup(1), "wb") as answer, suppress(Exception):
        os.dup2(2, 1)
        answer.write(dumps(loads(work)()))


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
