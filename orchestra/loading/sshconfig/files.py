"""Files of ssh_config: read once, checked as ssh checks them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import field

from orchestra.loading.sshconfig.entries import Sections, entries
from orchestra.model.frozen import dataclass

LARGEST = 4 * 1024 * 1024
"""Bytes; more is no configuration."""
NOT_REGULAR = "it is not a regular file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What a file holds; or what is wrong with it. Neither: there is no such file."""

    text: str | None = None
    problem: str | None = None
    insecure: str | None = None
    """Why others could have written it."""


def read(path: str) -> Text:
    """Reads a file of this machine; raises nothing."""
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a FIFO would wait for a writer
    except FileNotFoundError:
        return Text()
    except (OSError, ValueError) as error:
        return Text(problem=getattr(error, "strerror", None) or str(error))
    try:
        state = os.fstat(opened)
        if not (stat.S_ISREG(state.st_mode) or path == os.devnull):
            return Text(problem=NOT_REGULAR)
        with os.fdopen(opened, "rb", closefd=False) as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        return Text(problem=error.strerror or str(error))
    finally:
        os.close(opened)
    if len(data) > LARGEST:
        return Text(problem=f"it has more than {LARGEST // 1024 // 1024} MiB")
    return Text(text=data.decode("utf-8", "surrogateescape"), insecure=_insecure(state))


def _insecure(state: os.stat_result) -> str | None:
    if os.name != "posix":
        return None
    if state.st_uid not in {0, os.getuid()}:
        return f"it belongs to user {state.st_uid}"
    open_to_others = state.st_mode & 0o022
    return f"its mode is {stat.S_IMODE(state.st_mode):04o}, so that others may write it" if open_to_others else None


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A parsed file."""

    name: str
    sections: Sections = field(default_factory=lambda: Sections(()), compare=False)
    problem: str | None = None
    insecure: str | None = None
    exists: bool = True


@dataclass(slots=True)
class Library:
    """The files that were read, each once; ``sources`` has their texts."""

    read: Callable[[str], Text] = read
    sources: dict[str, str] = field(default_factory=dict)
    _files: dict[str, ConfigFile] = field(default_factory=dict)

    def open(self, name: str) -> ConfigFile:
        """The file of that name."""
        if name not in self._files:
            found = self.read(name)
            if found.text is not None:
                self.sources[name] = found.text
            self._files[name] = ConfigFile(
                name,
                Sections(entries(found.text or "")),
                found.problem,
                found.insecure,
                found.text is not None or found.problem is not None,
            )
        return self._files[name]
