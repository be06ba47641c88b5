"""The command line as users have it: real processes, in directories of their own, that leave nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestra.control.claim import is_held
from orchestra.control.paths import Place

DEADLINE = 45.0

LAB = """\
servers: {bastion: ci@bastion.example.com}
targets: {db: "db.internal:5432"}
tunnels: {db: {listen: auto, env: {DATABASE_URL: "postgresql://{host}:{port}/app"}}}
"""
"""Works with ``--lab``, any number at once."""


def refusing(port: int) -> str:
    """A server that nobody runs: its port is bound by the test, and refuses."""
    return f"""\
servers: {{bastion: {{ssh: {{host: 127.0.0.1, port: {port}, user: ci, agent: none}}}}}}
targets: {{db: "db.internal:5432"}}
tunnels: {{db: {{listen: auto}}}}
"""


@dataclass(frozen=True)
class Home:
    """A user's files, and what orchestra makes among them."""

    path: Path

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ORCHESTRA_", "XDG_"))}
        return kept | {
            "HOME": str(self.path),
            "XDG_RUNTIME_DIR": str(self.path / "run"),
            "XDG_STATE_HOME": str(self.path / "state"),
            "NO_COLOR": "1",
        }

    @property
    def places(self) -> list[str]:
        """What is left in the runtime directory."""
        root = self.path / "run" / "orchestra"
        return sorted(entry.name for entry in root.iterdir()) if root.exists() else []

    def kill_all(self) -> None:
        """Kills whatever would not go by itself."""
        for info in (self.path / "run" / "orchestra").glob("*/info.json"):
            pid = json.loads(info.read_text("utf-8"))["pid"]
            if is_held(Place(info.parent)):
                kill(pid)

    def orchestra(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "orchestra", *arguments],
            cwd=self.path,
            env=self.environ | environ,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )

    @contextmanager
    def started(self, *arguments: str, **environ: str) -> Iterator[Background]:
        """A command that stays; it is killed at the end, if it is still there."""
        with subprocess.Popen(
            [sys.executable, "-m", "orchestra", *arguments],
            cwd=self.path,
            env=self.environ | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield Background(process)
            finally:
                process.kill()


@dataclass(frozen=True)
class Background:
    """A process that says something now and then."""

    process: subprocess.Popen[str]

    def said(self, text: str) -> str:
        """Reads on until a line has the text; everything that was read."""
        assert self.process.stdout
        read = ""
        for line in self.process.stdout:
            read += line
            if text in line:
                return read
        raise AssertionError(f"never said {text!r}: {read}")

    def ends(self, signum: int | None = None) -> tuple[int, str]:
        """Its exit code, after the signal, and what it said that was not read yet."""
        if signum is not None:
            self.process.send_signal(signum)
        rest, _ = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, rest


def until(true: Callable[[], object]) -> None:
    """Returns when it is true."""
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether there is such a process, zombies apart."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def kill(pid: int) -> None:
    """Kills a process that is not ours to wait for, and waits."""
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_alive(pid))
