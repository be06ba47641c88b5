"""A secret is nowhere but where it is used: each kind, over a real login, is looked for in everything that comes out.

The server takes one password for four accounts, each of which has it from another kind of secret, and knows no other.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.instances import DEADLINE, Home, until
from tests.engine.ssh.sshd import descendants

CANARY = "hunter2-canary-4711"
WRONG = "hunter3-canary-0815"
SERVER = """
import asyncio, sys
import asyncssh

class Server(asyncssh.SSHServer):
    def begin_auth(self, username): return True
    def password_auth_supported(self): return True
    def validate_password(self, username, password): return password == sys.argv[1]
    def connection_requested(self, host, port, *_): return True

async def main():
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.create_server(Server, "127.0.0.1", 0, server_host_keys=[key])
    print(server.get_port(), key.export_public_key().decode().strip(), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
KINDS = {
    "by-env": "{env: CANARY_OF_GW}",
    "by-file": "{file: ./password}",
    "by-command": "{command: [cat, ./password]}",
    "by-keyring": "{keyring: ssh/gateway/alice}",
    "by-nobody": "{env: WRONG_FOR_GW}",
}


@pytest.fixture
def server() -> Iterator[tuple[int, str]]:
    """Its port and its host key."""
    command = [sys.executable, "-c", SERVER, CANARY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        port, key = process.stdout.readline().split(" ", 1)
        yield int(port), key.strip()
        process.kill()


@pytest.fixture
def home(tmp_path: Path, server: tuple[int, str]) -> Iterator[Home]:
    for part in ("run", "state", "share"):
        (tmp_path / part).mkdir(mode=0o700)
    made, (port, key) = Home(tmp_path), server
    made.write(CANARY + "\n", "password")
    (tmp_path / "password").chmod(0o600)
    servers = "".join(
        f"  {name}: {{ssh: {{host: 127.0.0.1, port: {port}, user: {name}, host_key: '{key}', agent: none, "
        f"ssh_config: none, password: {secret}}}}}\n"
        for name, secret in KINDS.items()
    )
    targets = "".join(f"  t-{name}: {{address: '127.0.0.1:{port}', host: {name}}}\n" for name in KINDS)
    tunnels = "".join(f"  t-{name}: {{listen: auto, optional: {str(name == 'by-nobody').lower()}}}\n" for name in KINDS)
    made.write(f"servers:\n{servers}targets:\n{targets}tunnels:\n{tunnels}")
    yield made
    made.end()


def keyring(home: Home) -> dict[str, str]:
    """What makes the library use a file of this home, which has the secret."""
    environ = {
        "PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring",
        "XDG_DATA_HOME": str(home.path / "share"),
    }
    script = "import keyring, sys; keyring.set_password('ssh/gateway', 'alice', sys.stdin.read())"
    subprocess.run(
        [sys.executable, "-c", script],
        input=CANARY,
        env=home.environ | environ,
        text=True,
        check=True,
        timeout=DEADLINE,
    )
    return environ


def commands(pid: int) -> str:
    """The command lines of a process and of all that it started, as ps shows them."""
    found = ""
    for each in (pid, *descendants(pid)):
        try:
            found += Path(f"/proc/{each}/cmdline").read_text(errors="replace")
        except OSError:  # it has ended
            continue
    return found


def test_it_is_nowhere_but_where_it_is_used(home: Home) -> None:
    environ = keyring(home) | {"CANARY_OF_GW": CANARY, "WRONG_FOR_GW": WRONG}
    seen = ""
    for command in ("plan -v", "plan -o json"):
        ran = home.orchestra(*command.split(), "-f", "office.yaml", **environ)
        seen += ran.stdout + ran.stderr
    with home.started("up", "-vv", "office.yaml", **environ) as running:
        until(lambda: "office" in home.places)
        pid = running.process.pid
        ready: set[str] = set()
        while len(ready) < 4 or "AUTH_FAILED" not in seen:
            seen += commands(pid)
            status = home.orchestra("status", "-o", "json").stdout
            seen += status
            tunnels = json.loads(status)["tunnels"] if status.startswith("{") else []
            ready = {tunnel["name"] for tunnel in tunnels if tunnel["state"] == "ready"}
            assert not any(t["state"] == "failed" and t["name"] != "t-by-nobody" for t in tunnels), status
        seen += home.orchestra("env").stdout + home.orchestra("logs").stdout
        with home.started("events", "-o", "jsonl") as events:
            seen += events.said("t-by-nobody")
        code, rest = running.ends(signal.SIGINT)
        seen += rest
    assert code == 0, seen
    assert ready == {"t-by-env", "t-by-file", "t-by-command", "t-by-keyring"}
    for path in (home.path / "state").rglob("*"):
        seen += path.read_text(errors="replace") if path.is_file() else ""
    assert "by-keyring" in seen
    assert "keyring ssh/gateway/alice" in seen  # that it is read is said
    assert CANARY not in seen
    assert WRONG not in seen


def test_a_file_that_others_can_read_is_refused(home: Home) -> None:
    (home.path / "password").chmod(0o644)
    ran = home.orchestra("up", "office.yaml", "-t", "t-by-file", "--fail-fast", "--timeout", "20")
    assert ran.returncode in (1, 4), ran.stderr
    assert f"{home.path}/password is no secret: its mode is 0644, so that others can read it" in ran.stderr
    assert CANARY not in ran.stdout + ran.stderr


def test_looking_reads_none(home: Home) -> None:
    """A command that only looks finds nothing wrong with secrets that are not there."""
    (home.path / "password").unlink()
    ran = home.orchestra("plan", "office.yaml", PYTHON_KEYRING_BACKEND="no.such.Backend")
    assert ran.returncode == 0, ran.stderr
