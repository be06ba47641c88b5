"""A person at a terminal: a program of its own session on a pseudo-terminal, what it shows, and what is typed."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

DEADLINE = 30.0


@dataclass
class AtTerminal:
    """``shown`` is all that the terminal has shown, escape sequences included."""

    process: subprocess.Popen[bytes]
    terminal: int
    shown: str = ""
    _seen: int = field(default=0, repr=False)

    def shows(self, pattern: str) -> str:
        """Waits until something new matches; gives what was shown up to its end."""
        until = time.monotonic() + DEADLINE
        while not (found := re.search(pattern, self.shown[self._seen :])):
            assert time.monotonic() < until, self.shown
            assert self._read(until - time.monotonic()), self.shown
        start, self._seen = self._seen, self._seen + found.end()
        return self.shown[start : self._seen]

    def types(self, text: str) -> None:
        """Types it, with an Enter unless it is a control character."""
        os.write(self.terminal, text.encode() if text and text < " " else f"{text}\n".encode())

    def echoes(self) -> bool:
        """Whether what is typed is shown."""
        return bool(termios.tcgetattr(self.terminal)[3] & termios.ECHO)

    def ends(self) -> int:
        """Its exit code, once it has ended; everything that it showed has been read then."""
        while self._read(DEADLINE):
            pass
        return self.process.wait(DEADLINE)

    def _read(self, seconds: float) -> bool:
        if not select.select([self.terminal], [], [], max(0, seconds))[0]:
            return False
        try:
            chunk = os.read(self.terminal, 65536)
        except OSError:  # its last process has gone
            return False
        self.shown += chunk.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(chunk)


@contextmanager
def at_terminal(cwd: Path, environ: Mapping[str, str], *command: str) -> Iterator[AtTerminal]:
    """Runs it in the foreground of a new terminal; it is killed at the end, if it is still there."""
    ours, theirs = pty.openpty()

    def take_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    with subprocess.Popen(
        [sys.executable, *command],
        cwd=cwd,
        env=dict(environ) | {"TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=take_terminal,  # noqa: PLW1509 - nothing else runs yet
    ) as process:
        os.close(theirs)
        try:
            yield AtTerminal(process, ours)
        finally:
            process.kill()
            os.close(ours)
