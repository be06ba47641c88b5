"""The log of a running orchestra: one line per event, for ``orchestra logs``."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestra.control.paths import make_own_directory, unwritable
from orchestra.render.layout import timestamp

_FULL = 4 << 20
"""Bytes; a log that has grown beyond that is set aside, in place of an older one, when an orchestra starts."""


class Journal:
    """Appends lines with their time (UTC, RFC 3339); every line is in the file when the call returns."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._lost = False

    def write(self, text: str) -> None:
        """Each line of the text with the time before it. A full disk stops no tunnel: what is lost is said later."""
        now = timestamp(time.time())
        gap = f"\n{now} … lines were lost: the log could not be written\n" if self._lost else ""
        data = (gap + "".join(f"{now} {line}\n" for line in text.splitlines())).encode("utf-8", "backslashreplace")
        try:
            self._lost = os.write(self._descriptor, data) < len(data)
        except OSError:
            self._lost = True


@contextmanager
def journal(path: Path) -> Iterator[Journal]:
    """The log at ``path``, appended to; only its user can read it. Raises RuntimeFailure with STATE_UNWRITABLE."""
    make_own_directory(path.parent)
    try:
        _set_aside(path)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        yield Journal(path, descriptor)
    finally:
        os.close(descriptor)


def tail(path: Path, limit: int = 1 << 18) -> str:
    """The last lines of a log, at most ``limit`` bytes of them; empty when it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - limit))
            text = file.read(limit)
            cut = file.tell() > limit
    except OSError:
        return ""
    return (text.partition(b"\n")[2] if cut else text).decode("utf-8", "replace")


def _set_aside(path: Path) -> None:
    if path.exists() and path.stat().st_size > _FULL:
        path.replace(path.with_suffix(".log.1"))
