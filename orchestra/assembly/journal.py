"""The log of a running orchestra: a line or a JSON object per event, for ``orchestra logs``.

It is bounded: a file that has grown long is set aside as ``NAME.log.1``, and of those only a few are kept.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from orchestra.assembly.log_format import LogFormat
from orchestra.control.codec import encode_event
from orchestra.control.paths import make_own_directory, unwritable
from orchestra.model.events import ConnectionFailed, Event, Noticed, Occurrence
from orchestra.model.text import clean
from orchestra.render.layout import timestamp

FULL = 4 << 20
"""Bytes; a log that has grown beyond that is set aside."""
KEPT = 4
"""Logs that were set aside are kept, besides the one that is written."""
_LONGEST = 4000
_LEVELS = {"failed": "error", "retrying": "warning", "degraded": "warning"}


class Journal:
    """Appends lines with their time (UTC, RFC 3339); every line is in the file when the call returns.

    A full disk stops no tunnel: what is lost is said later.
    """

    def __init__(self, path: Path, descriptor: int, form: LogFormat = LogFormat.TEXT) -> None:
        self.path = path
        self._descriptor, self._form = descriptor, form
        self._others: tuple[int, ...] = ()
        self._lost = False

    def write(self, text: str, level: str = "info") -> None:
        """Each line of the text."""
        self._append([self._line(line, {"level": level}) for line in text.splitlines()])

    def event(self, event: Event, line: str) -> None:
        """An event, and the line that says it to people."""
        told = encode_event(Occurrence(time=0.0, event=event))
        del told["time"], told["snapshot"]
        self._append([self._line(line, {"level": _level(event)} | told)])

    def adopt(self, *descriptors: int) -> None:
        """These too lead to the log from now on, whatever becomes of its file: what is written to them is kept."""
        self._others = descriptors

    def _line(self, message: str, more: dict[str, Any]) -> str:
        now = timestamp(time.time())
        if self._form is LogFormat.TEXT:
            return f"{now} {message}"
        return json.dumps({"time": now, "level": more["level"], "message": message} | _cleaned(more))

    def _append(self, lines: list[str]) -> None:
        gap = ["", self._line("… lines were lost: the log could not be written", {"level": "warning"})]
        text = "".join(f"{line}\n" for line in ([*gap, *lines] if self._lost else lines))
        data = text.encode("utf-8", "backslashreplace")
        try:
            if os.fstat(self._descriptor).st_size > FULL:
                self._begin_anew()
            self._lost = os.write(self._descriptor, data) < len(data)
        except OSError:
            self._lost = True

    def _begin_anew(self) -> None:
        """Sets the file aside; where that cannot be, it loses what it has: without limit it would fill the disk."""
        try:
            _set_aside(self.path)
            descriptor = _open(self.path)
        except OSError:
            os.ftruncate(self._descriptor, 0)
            return
        os.dup2(descriptor, self._descriptor, inheritable=False)
        for other in self._others:
            os.dup2(descriptor, other)
        os.close(descriptor)


@contextmanager
def journal(path: Path, form: LogFormat = LogFormat.TEXT) -> Iterator[Journal]:
    """The log at ``path``, appended to; only its user can read it. Raises RuntimeFailure with STATE_UNWRITABLE."""
    make_own_directory(path.parent)
    try:
        descriptor = _open(path)
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        yield Journal(path, descriptor, form)
    finally:
        os.close(descriptor)


def segments(path: Path) -> list[Path]:
    """The files of a log that are there, the oldest first."""
    return [each for each in (*(_aside(path, number) for number in range(KEPT, 0, -1)), path) if each.exists()]


def tail(path: Path, limit: int = 1 << 18) -> str:
    """The last lines of a log's file, at most ``limit`` bytes of them; empty when it cannot be read."""
    try:
        with path.open("rb") as file:
            cut = file.seek(0, os.SEEK_END) > limit
            file.seek(-limit if cut else 0, os.SEEK_END if cut else os.SEEK_SET)
            text = file.read(limit)
    except OSError:
        return ""
    return (text.partition(b"\n")[2] if cut else text).decode("utf-8", "replace")


class Complaints(logging.Handler):
    """What our own code complains of, for the log."""

    def __init__(self, log: Journal, level: int) -> None:
        super().__init__(level)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        why = f": {type(error).__name__}: {error}" if error is not None else ""
        self._log.write(clean(f"! {record.getMessage()}{why}", _LONGEST), record.levelname.lower())


def _level(event: Event) -> str:
    if isinstance(event, Noticed):
        return event.level
    if isinstance(event, ConnectionFailed):
        return "warning"
    return _LEVELS.get(getattr(event, "state", ""), "info")


def _cleaned(value: Any) -> Any:
    """With every text in it fit for a terminal, in case that a reader shows it as it is."""
    if isinstance(value, str):
        return clean(value, _LONGEST)
    if isinstance(value, dict):
        return {key: _cleaned(each) for key, each in value.items()}
    return [_cleaned(each) for each in value] if isinstance(value, list | tuple) else value


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _set_aside(path: Path) -> None:
    for number in range(KEPT - 1, -1, -1):
        with suppress(FileNotFoundError):
            _aside(path, number).replace(_aside(path, number + 1))


def _aside(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}") if number else path
