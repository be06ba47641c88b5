"""A real ssh-agent with keys of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.engine.ssh.sshd import make_key


@contextmanager
def agent_with(folder: Path, *names: str, made: bool = False) -> Iterator[str]:
    """Its socket; it has a key for each name, whose files are in the folder (``made``: already)."""
    path = folder / "agent.sock"
    path.unlink(missing_ok=True)
    with subprocess.Popen(
        ["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()  # it listens now
            for name in names:
                if not made:
                    make_key(folder / name, "ed25519", "-C", name)
                ssh_add(str(path), str(folder / name))
            yield str(path)
        finally:
            os.kill(process.pid, signal.SIGTERM)


def ssh_add(agent: str, *arguments: str, said: str = "") -> None:
    """Talks to it as its owner; ``said`` is what would be typed."""
    environ = {**os.environ, "SSH_AUTH_SOCK": agent}
    subprocess.run(["ssh-add", "-q", *arguments], env=environ, check=True, capture_output=True, input=said, text=True)
