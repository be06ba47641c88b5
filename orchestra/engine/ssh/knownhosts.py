"""The known_hosts files themselves: which are read, and how a key is written to one."""

from __future__ import annotations

import base64
import errno
import hashlib
import hmac
import os
import re
import stat
from pathlib import Path

from orchestra.model.topology import ConfigSettings, SshSettings

_GLOBAL = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
_LARGEST = 64 << 20
_SEVERAL = re.compile(r"[\s,*?!|#@]")


class CannotKeep(Exception):
    """There is no file into which a key may be written; ``str`` says why."""


def ssh_folder() -> Path:
    """The user's ``~/.ssh``; an account without a home (a container's bare number) has none that exists."""
    try:
        return Path.home() / ".ssh"
    except RuntimeError:
        return Path("/nonexistent/.ssh")


def user_files(settings: SshSettings) -> tuple[str, ...]:
    """The files of the user: those that the topology names, else ssh_config's, else ssh's own; the first is written."""
    return settings.known_hosts or _users(settings.config or ConfigSettings())


def every_file(settings: SshSettings) -> tuple[str, ...]:
    """All files that vouch for a server: what the topology names stands for the system's files too."""
    return settings.known_hosts or usual_files(settings)


def usual_files(settings: SshSettings) -> tuple[str, ...]:
    """What ssh would read, whatever the topology names."""
    config = settings.config or ConfigSettings()
    return _users(config) + (_GLOBAL if config.global_known_hosts is None else config.global_known_hosts)


def _users(config: ConfigSettings) -> tuple[str, ...]:
    if config.user_known_hosts is not None:
        return config.user_known_hosts
    return tuple(str(ssh_folder() / name) for name in ("known_hosts", "known_hosts2"))


def read(file: str) -> str:
    """Its text; empty when there is no such file. Raises OSError."""
    try:
        return read_bytes(file).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def read_bytes(file: str) -> bytes:
    """What it holds. Raises OSError, also for what is no file and might never end."""
    with Path(file).open("rb") as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode) and file != os.devnull:
            raise OSError(errno.EINVAL, "it is not a regular file", file)
        return opened.read(_LARGEST)


def file_to_write(settings: SshSettings) -> Path:
    """Where a new key goes. Raises CannotKeep.

    A topology may be a stranger's, and a line of known_hosts is also a line of other formats (``no-pty ssh-ed25519 …``
    in authorized_keys lets its key in): of the files that it names, only those are written that are, behind all
    symbolic links, called known_hosts something.
    """
    files = user_files(settings)
    if not files:
        raise CannotKeep("UserKnownHostsFile is none")
    file = Path(os.path.realpath(files[0]))
    if file == Path(os.devnull):
        raise CannotKeep(f"{files[0]} keeps nothing")
    if settings.known_hosts and "known_hosts" not in file.name:
        raise CannotKeep(f"the topology names {files[0]}, and only files called known_hosts are written for it")
    return file


def write(file: Path, name: str, key: str, *, hashed: bool = False) -> None:
    """Adds ``TYPE BASE64`` under a name. Raises OSError, and CannotKeep for a name that would mean others too.

    One write to the end of the file, as ssh does it: what others add at the same moment stays, and the file keeps its
    mode, its owner and its links, all of which a new file in its place would lose.
    """
    if _SEVERAL.search(name):
        raise CannotKeep(f"{name!r} cannot be one name in known_hosts")
    line = f"{hash_name(name, os.urandom(20)) if hashed else name} {key}\n"
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            line = "\n" + line
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def hash_name(name: str, salt: bytes) -> str:
    """``|1|SALT|HASH`` as ssh-keygen -H writes it."""
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return "|".join(("", "1", base64.b64encode(salt).decode(), base64.b64encode(digest).decode()))
