"""The command line as users have it: real processes, in directories of their own, that leave nothing behind."""

from __future__ import annotations

import getpass
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestra.cli import main
from orchestra.control.claim import is_held, read_info
from orchestra.control.paths import Place

DEADLINE = 45.0

LAB = """\
servers: {bastion: ci@bastion.example.com}
targets: {db: "db.internal:5432"}
tunnels: {db: {listen: auto, env: {DATABASE_URL: "postgresql://{host}:{port}/app"}}}
"""
"""Works with ``--lab``, any number at once."""
ONE = """\
servers: {bastion: ci@bastion.example.com}
targets: {db: "db.internal:5432", web: "web.internal:8080"}
tunnels: {db: {listen: auto}}
"""
TWO = ONE.replace("tunnels: {db: {listen: auto}}", "tunnels: {db: {listen: auto}, web: {listen: auto}}")
"""Two contents of one file."""
UP = ("up", "--lab", "embedded", "office.yaml")


UNREACHABLE = """\
networks: {internet: 203.0.113.0/24, office: 10.20.0.0/24}
clients: {laptop: {networks: [internet]}}
firewalls:
  edge:
    networks: {internet: 203.0.113.1, office: 10.20.0.1}
    rules: [{deny: {from: any, to: any}}]
targets:
  desk: {networks: {office: 10.20.0.30}, address: 5900}
  shop: {networks: {internet: 203.0.113.7}, address: 8080}
tunnels:
  desk: {listen: auto}
  shop: {listen: auto}
"""
"""One tunnel that its firewall denies, and one that needs none."""


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of 127.0.0.1 that refuses, and goes on to do so."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


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

    def write(self, text: str, name: str = "office.yaml") -> None:
        (self.path / name).write_text(text)

    def place(self, name: str = "office") -> Place:
        return Place(self.path / "run" / "orchestra" / name)

    def pid(self, name: str = "office") -> int:
        info = read_info(self.place(name))
        assert info is not None
        return info.pid

    def end(self) -> None:
        """Takes down whatever still runs; nothing may be left of it."""
        try:
            if self.places:
                self.call("down", "--all", "--quiet")
            assert self.places == []
        finally:
            self.kill_all()

    def kill_all(self) -> None:
        """Kills whatever would not go by itself."""
        for name in self.places:
            if is_held(self.place(name)):
                kill(self.pid(name))

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end in this process, which takes a fifth of the time of another one."""
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name in [name for name in os.environ if name.startswith(("ORCHESTRA_", "XDG_"))]:
                patch.delenv(name)
            self.enter(patch)
            code = main(arguments)
        return subprocess.CompletedProcess(arguments, code, *(each.buffer.getvalue().decode() for each in (out, err)))

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

    def enter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From now on this process is the user's."""
        for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "NO_COLOR"):
            monkeypatch.setenv(name, self.environ[name])
        monkeypatch.chdir(self.path)

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


def tunnels(cli: Callable[..., Any]) -> dict[str, list[str]]:
    """Where each tunnel of the only one that runs listens."""
    return {each["name"]: each["listen"] for each in json.loads(cli("status", "-o", "json").out)["tunnels"]}


def until(true: Callable[[], object]) -> None:
    """Returns when it is true."""
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether there is such a process, zombies apart: unless another of its threads still has what it held."""
    try:
        state, *more = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):  # before it was opened, or read
        return False
    return state != "Z" or int(more[16]) > 1


def kill(pid: int) -> None:
    """Kills a process that is not ours to wait for, and waits."""
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_alive(pid))


SSHD = Path("/usr/sbin/sshd")
needs_sshd = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None or not SSHD.exists(), reason="OpenSSH's sshd is not installed"
)


@contextmanager
def sshd(path: Path, *more: str) -> Iterator[str]:
    """A real sshd on loopback, with keys of its own, and ``more`` settings, as in ``Keyword=value``; the settings under
    ``ssh:`` with which one is let in."""
    for name in ("host", "user"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path / name)]
        subprocess.run(make, check=True, timeout=30)
    with closed_port() as port:
        pass
    settings = (
        *(f"Port={port}", "ListenAddress=127.0.0.1", f"HostKey={path / 'host'}", "PidFile=none", "UsePAM=no"),
        *(f"AuthorizedKeysFile={path / 'user.pub'}", "StrictModes=no", "PermitRootLogin=yes"),
        *more,
    )
    options = [part for setting in settings for part in ("-o", setting)]
    host_key = (path / "host.pub").read_text("utf-8").strip()
    with subprocess.Popen([SSHD, "-D", "-e", "-f", "/dev/null", *options], stderr=subprocess.PIPE) as child:
        assert child.stderr
        listening = child.stderr
        until(lambda: b"Server listening" in listening.readline())
        try:
            user = f"user: {getpass.getuser()}, identity: {path / 'user'}, agent: none, ssh_config: none"
            yield f"host: 127.0.0.1, port: {port}, {user}, host_key: {host_key}"
        finally:
            child.terminate()
