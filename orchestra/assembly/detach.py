"""``up -d``: a child in a session of its own brings it up, tells the parent how that goes, and stays.

The child's messages reach the parent through a pipe until it is ready; then they go to the log. A second pipe tells
readiness: one byte, or the end when the child ended before it.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from orchestra.assembly.signals import STOPPING, Interrupted

_READY = b"1"


def spawn(arguments: Callable[[int], Sequence[str]], relay: Callable[[bytes], object]) -> int:
    """Starts ``orchestra ARGUMENTS`` and returns 0 once it is ready, else the exit code with which it ended.

    ``arguments`` are given the descriptor for :class:`Parent`; ``relay`` gets what the child says until then. A signal
    ends the child too; raises Interrupted then.
    """
    with _signals_raise(), _pipe() as (ready, tell):
        with subprocess.Popen(
            [sys.executable, "-m", "orchestra", *arguments(tell.fileno())],
            pass_fds=(tell.fileno(),),
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as child:
            tell.close()
            assert child.stdout is not None  # noqa: S101 - a pipe was asked for
            said = child.stdout.fileno()
            try:
                answer = _follow(said, ready.fileno(), relay)
            except BaseException:
                child.terminate()
                while text := os.read(said, 65536):
                    relay(text)
                raise
            if answer == _READY:
                child.returncode = 0  # it stays; whoever waits for it is no longer this process
                return 0
            code = child.wait()
        return 128 - code if code < 0 else code


class Parent:
    """The child's side. Made first of all, so that no process that the child starts inherits the pipe."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor

    def ready(self, log: Path) -> None:
        """Lets the parent go: from now on standard output and error are the log, and standard input is empty."""
        null = os.open(os.devnull, os.O_RDONLY)
        file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        for source, copy in ((null, 0), (file, 1), (file, 2)):
            os.dup2(source, copy)
        os.close(null)
        os.close(file)
        with suppress(BrokenPipeError):  # a parent that was killed does not matter any more
            os.write(self._descriptor, _READY)
        os.close(self._descriptor)


def _follow(said: int, ready: int, relay: Callable[[bytes], object]) -> bytes:
    """Relays what the child says until it is ready or has ended; the byte that it wrote, or nothing."""
    with selectors.DefaultSelector() as selector:
        selector.register(said, selectors.EVENT_READ)
        selector.register(ready, selectors.EVENT_READ)
        while True:
            readable = {key.fd for key, _ in selector.select()}
            if said in readable:
                if text := os.read(said, 65536):
                    relay(text)
                    continue  # what it said comes before what it became
                selector.unregister(said)
            if ready in readable:
                return os.read(ready, 1)


@contextmanager
def _pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", 0) as ready, os.fdopen(writing, "wb", 0) as tell:
        yield ready, tell


@contextmanager
def _signals_raise() -> Iterator[None]:
    def interrupt(signum: int, _: FrameType | None) -> None:
        for each in STOPPING:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(signum)

    before = {signum: signal.signal(signum, interrupt) for signum in STOPPING}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
