"""One orchestra per name: whoever holds the lock of a place owns it.

The kernel gives the lock back when its holder dies, however it dies; what a dead one left behind is swept away by the
next. The lock's file is removed while it is held, so a claim also checks that what it locked is still there.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import suppress
from dataclasses import asdict
from types import TracebackType
from typing import Self

from orchestra.control.paths import Place, make_private_directory, unwritable
from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.model.frozen import dataclass

_PATIENCE = 0.3
"""Seconds: for as long as that, a lock may be held by somebody who only looks whether it is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What a running orchestra says of itself in ``info.json``. ``started``: seconds since the epoch."""

    name: str
    topology: str
    pid: int
    file: str
    version: str
    started: float
    format_version: int = 1


class Claim:
    """A place that is ours, until :meth:`release`."""

    def __init__(self, place: Place, lock: int) -> None:
        self.place = place
        self._lock = lock

    @classmethod
    def take(cls, place: Place, info: Info) -> Self:
        """Takes the place and writes ``info``. Raises RuntimeFailure: ALREADY_RUNNING, STATE_UNWRITABLE."""
        deadline = time.monotonic() + _PATIENCE
        make_private_directory(place.directory.parent)
        while (lock := _try_lock(place)) is None:
            if time.monotonic() > deadline:
                raise _already_running(place)
            time.sleep(0.02)
        claim = cls(place, lock)
        try:
            claim._sweep()
            _write(place, info)
            make_private_directory(place.socket.parent)
        except BaseException:
            claim.release()
            raise
        return claim

    def release(self) -> None:
        """Removes everything that was in the place, the place too, and gives the lock back. May be repeated."""
        if self._lock < 0:
            return
        self._sweep()
        with suppress(OSError):
            self.place.lock.unlink()
        with suppress(OSError):
            self.place.directory.rmdir()
        os.close(self._lock)
        self._lock = -1

    @classmethod
    def sweep(cls, place: Place) -> None:
        """Removes what one that was killed left in the place; nothing when somebody has it."""
        if place.directory.exists() and (lock := _try_lock(place)) is not None:
            cls(place, lock).release()

    def _sweep(self) -> None:
        for path in (self.place.socket, self.place.info, self.place.draft, self.place.token):
            with suppress(OSError):
                path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def read_info(place: Place) -> Info | None:
    """What the place's orchestra wrote of itself; it may have died since. None when there is nothing to read."""
    try:
        document = json.loads(place.info.read_text("utf-8"))
        return Info(**document)
    except (OSError, ValueError, TypeError):
        return None


def is_held(place: Place) -> bool:
    """Whether somebody owns the place now. It looks by taking the lock for an instant."""
    try:
        descriptor = os.open(place.lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _try_lock(place: Place) -> int | None:
    """The locked descriptor; None when another holds it, or when its file went away meanwhile."""
    make_private_directory(place.directory)
    try:
        descriptor = os.open(place.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unwritable(place.lock, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), place.lock.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def _write(place: Place, info: Info) -> None:
    """Whole, or not at all, for whoever looks meanwhile."""
    try:
        place.draft.write_text(json.dumps(asdict(info)) + "\n", "utf-8")
        place.draft.replace(place.info)
    except OSError as error:
        raise unwritable(place.info, error) from error


def _already_running(place: Place) -> RuntimeFailure:
    info = read_info(place)
    who = f" (pid {info.pid}, {info.file})" if info else ""
    return RuntimeFailure(
        Code.ALREADY_RUNNING,
        f"an orchestra named {place.name} is running already{who}",
        suggestion=f"take it down with 'orchestra down {place.name}', or give this one another name with --name",
    )
