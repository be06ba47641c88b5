"""Where a running orchestra keeps its things, and whether those places are the user's own.

``$XDG_RUNTIME_DIR/orchestra/NAME/`` (mode 0700) has the control socket, the lock and ``info.json``; logs are
``$XDG_STATE_HOME/orchestra/NAME.log``. Without a runtime directory of the user's own, ``$XDG_STATE_HOME/orchestra/run``
takes its place (XDG Base Directory Specification 0.8).
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure, UsageError
from orchestra.model.frozen import dataclass
from orchestra.model.text import clean

SOCKET_PATH_LIMIT = 103
"""Bytes of a socket's path: ``sun_path`` has 104 on macOS and the BSDs, 108 on Linux, a NUL included."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class Place:
    """The directory of one running orchestra; it need not exist."""

    directory: Path

    @property
    def name(self) -> str:
        return self.directory.name

    @property
    def lock(self) -> Path:
        return self.directory / "lock"

    @property
    def info(self) -> Path:
        return self.directory / "info.json"

    @property
    def draft(self) -> Path:
        """:attr:`info` while it is written."""
        return self.directory / "info.json.new"

    @property
    def token(self) -> Path:
        """The token of ``--http``."""
        return self.directory / "token"

    @property
    def socket(self) -> Path:
        """The control socket; where the path is too long for one, a short name in a private directory of ``/tmp``."""
        path = self.directory / "control.sock"
        if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
            return path
        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:24]
        return Path(f"/tmp/orchestra-{os.geteuid()}") / f"{digest}.sock"  # noqa: S108 - owner and mode are checked


def check_name(name: str) -> str:
    """The name of an orchestra, if it can be one: it becomes a file name. Raises UsageError."""
    if not _NAME.match(name):
        raise UsageError(
            f"{name!r} cannot be the name of a running orchestra: give one of letters, digits, '.', '-' and '_', "
            "at most 64 of them, that does not begin with '.' or '-', with --name"
        )
    return name


def runtime_root(environ: Mapping[str, str]) -> Path:
    """The directory that holds one directory per running orchestra; it need not exist."""
    given = environ.get("XDG_RUNTIME_DIR", "")
    if given.startswith("/") and _is_ours(Path(given)):
        return Path(given) / "orchestra"
    return state_root(environ) / "run"


def state_root(environ: Mapping[str, str]) -> Path:
    """The directory of the logs; it need not exist."""
    given = environ.get("XDG_STATE_HOME", "")
    base = Path(given) if given.startswith("/") else Path(environ.get("HOME") or Path.home()) / ".local" / "state"
    return base / "orchestra"


def place_of(name: str, environ: Mapping[str, str]) -> Place:
    """The place of the orchestra of that name."""
    return Place(runtime_root(environ) / check_name(name))


def places(environ: Mapping[str, str]) -> tuple[Place, ...]:
    """The places that exist, by name; what runs there, if anything, is another question."""
    try:
        found = sorted(entry.name for entry in os.scandir(runtime_root(environ)) if entry.is_dir(follow_symlinks=False))
    except OSError:
        return ()
    return tuple(Place(runtime_root(environ) / name) for name in found if _NAME.match(name))


def log_file(name: str, environ: Mapping[str, str]) -> Path:
    """The log of the orchestra of that name."""
    return state_root(environ) / f"{check_name(name)}.log"


def make_private_directory(path: Path) -> None:
    """Makes it (mode 0700), or makes sure that an existing one is a real directory, ours, and closed to others.

    Raises RuntimeFailure with STATE_UNWRITABLE.
    """
    mode = make_own_directory(path)
    if mode & 0o077:
        raise _unsafe(path, f"other users can enter it (mode {mode:04o}): chmod 700 {path}")


def make_own_directory(path: Path) -> int:
    """Makes it (mode 0700), or makes sure that an existing one is a real directory, ours, and written by nobody else.

    Returns its mode. Raises RuntimeFailure with STATE_UNWRITABLE.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
        found = path.lstat()
    except OSError as error:
        raise unwritable(path, error) from error
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISLNK(found.st_mode):
        raise _unsafe(path, f"it is a symbolic link, to {path.readlink()}")
    if not stat.S_ISDIR(found.st_mode):
        raise _unsafe(path, "it is not a directory")
    if found.st_uid != os.geteuid():
        raise _unsafe(path, f"it belongs to user {found.st_uid}, and you are {os.geteuid()}")
    if mode & 0o022:
        raise _unsafe(path, f"other users can write it (mode {mode:04o}): chmod 700 {path}")
    return mode


def unwritable(path: Path, error: OSError) -> RuntimeFailure:
    """What a person is told when the place for the state cannot be written."""
    reason = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror or str(error)
    return RuntimeFailure(
        Code.STATE_UNWRITABLE,
        f"cannot write orchestra's state at {path}: {reason}",
        suggestion="point XDG_RUNTIME_DIR and XDG_STATE_HOME at directories of your own",
    )


def _unsafe(path: Path, why: str) -> RuntimeFailure:
    what = f"will not keep orchestra's state in {clean(str(path))}: {clean(why)}"
    hint = "remove it, or point XDG_RUNTIME_DIR and XDG_STATE_HOME at directories of your own"
    return RuntimeFailure(Code.STATE_UNWRITABLE, what, suggestion=hint)


def _is_ours(path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
