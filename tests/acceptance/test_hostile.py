"""A topology that somebody else wrote: reading it does nothing, and bringing it up says first what it will do. A server
that somebody else runs: what it says is shown, and does nothing."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import asyncssh
import pytest

from orchestra.engine.ssh.transport import SshTransport
from orchestra.errors import RuntimeFailure
from orchestra.model.topology import SshSettings
from orchestra.session.here import Here
from orchestra.testing.collect import Accepting, Collector
from tests.engine.ssh.sshd import request

HOSTILE = """\
servers:
  gate:
    ssh:
      host: 127.0.0.1
      port: 1
      identity: VAULT/id
      certificate: VAULT/id-cert.pub
      known_hosts: VAULT/known_hosts
      host_key_policy: accept-new
      password: {command: [touch, VAULT/ran]}
      passphrase: {file: VAULT/passphrase}
      private_key: {env: AWS_SECRET_ACCESS_KEY}
      agent: VAULT/agent
  inner: {ssh: mallory@attacker.example, behind: gate}
targets: {db: {host: inner, address: "127.0.0.1:5432"}}
tunnels:
  db: {listen: "*:0", check: {type: http}}
expect: [{from: localhost, to: db, verdict: reachable}]
"""
CONFIG = """\
Match exec "touch VAULT/matched"
    User mallory
Host *
    KnownHostsCommand /usr/bin/touch VAULT/asked
    ProxyCommand /usr/bin/touch VAULT/proxied
"""

TRAP = """
import os, sys

SECRET, FORBIDDEN = sys.argv.pop(1), (
    "subprocess.", "os.exec", "os.posix_spawn", "os.fork", "os.system", "os.spawn", "pty.",
    "socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostby", "socket.bind",
)

def trap(event, arguments):
    path = arguments[0] if event == "open" and arguments else None
    if event.startswith(FORBIDDEN) or isinstance(path, (str, bytes)) and SECRET in os.fsdecode(path):
        sys.stderr.write(f"TRAPPED {event} {arguments}\\n")
        sys.stderr.flush()
        os._exit(99)

sys.addaudithook(trap)
from orchestra.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A repository with a hostile topology, in the home of a user whose ssh_config runs programs."""
    secret = tmp_path / "secret"
    secret.mkdir()
    for name in ("id", "id-cert.pub", "known_hosts", "passphrase"):
        (secret / name).write_text("secret")
    (tmp_path / ".ssh").mkdir(mode=0o700)
    (tmp_path / ".ssh" / "config").write_text(CONFIG.replace("VAULT", str(secret)))
    (tmp_path / ".ssh" / "config").chmod(0o600)
    (tmp_path / "orchestra.yaml").write_text(HOSTILE.replace("VAULT", str(secret)))
    return tmp_path


def run(home: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("ORCHESTRA_", "XDG_", "SSH_"))}
    environ |= {"HOME": str(home), "AWS_SECRET_ACCESS_KEY": "hunter2"}
    return subprocess.run(command, cwd=home, env=environ, capture_output=True, text=True, timeout=50, check=False)


@pytest.mark.parametrize(
    "command",
    [
        ("validate",),
        ("validate", "-o", "json"),
        ("plan", "-v"),
        ("plan", "-o", "json"),
        ("explain", "localhost", "db"),
        ("authorize", "--key", "/dev/null"),
        ("graph",),
        ("impact", "gate"),
        ("schema",),
    ],
    ids=" ".join,
)
def test_looking_at_a_topology_runs_connects_and_reads_nothing(home: Path, command: tuple[str, ...]) -> None:
    ran = run(home, sys.executable, "-c", TRAP, str(home / "secret"), *command)
    assert "TRAPPED" not in ran.stderr, ran.stderr
    assert "Traceback" not in ran.stderr, ran.stderr
    assert ran.returncode in (0, 2, 3), ran.stderr  # a file that ssh_config makes unusable is refused
    assert "hunter2" not in ran.stdout + ran.stderr
    assert sorted(path.name for path in (home / "secret").iterdir()) == [
        "id",
        "id-cert.pub",
        "known_hosts",
        "passphrase",
    ]


def test_the_trap_works(home: Path) -> None:
    for code in (
        "open(SECRET + '/id')",
        "import socket; socket.create_connection(('127.0.0.1', 1))",
        "os.system('true')",
    ):
        trapped = TRAP.partition("from orchestra")[0] + code
        assert run(home, sys.executable, "-c", trapped, str(home / "secret")).returncode == 99


def test_what_will_be_done_is_said_before_anything_is(home: Path) -> None:
    (home / ".ssh" / "config").unlink()
    ran = run(home, sys.executable, "-m", "orchestra", "up", "--timeout", "20", "--fail-fast")
    secret = home / "secret"
    block, _, after = ran.stderr.partition("besides its tunnels, ")[2].partition("  listens ")
    assert f"  runs     touch {secret}/ran " in block
    assert "(the password for gate)" in block
    assert f"  reads    {secret}/passphrase " in block
    assert "  reads    $AWS_SECRET_ACCESS_KEY " in block
    assert "  trusts   the first host key that it shows, unseen " in block
    assert "*:auto of localhost, beyond loopback" in after.splitlines()[0]
    assert "gate" in after.partition("\n")[2]  # what happened then
    assert "hunter2" not in ran.stdout + ran.stderr


def test_one_connection_says_only_what_it_runs(home: Path) -> None:
    (home / ".ssh" / "config").unlink()
    ran = run(home, sys.executable, "-m", "orchestra", "connect", "--timeout", "20", "db")
    first, deed, *_ = ran.stderr.splitlines()
    assert first.startswith("besides its tunnels, ")
    assert deed == f"  runs  touch {home}/secret/ran  (the password for gate)"
    assert "reads" not in ran.stderr
    assert ran.stdout == ""


NOISE = "\x1b]0;owned\x07\x9b2J\u202e\u2066evil\u200b\r\nerror: all is well\x00" + "\u0335" * 50


class Hostile(asyncssh.SSHServer):
    """Says what it can, wherever it is asked."""

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.conn = conn

    def begin_auth(self, _username: str) -> bool:
        for _ in range(200):
            self.conn.send_auth_banner(NOISE)
            self.conn.send_debug(f"forward {NOISE}")
        if self.stage == "login":
            self.conn.disconnect(asyncssh.DISC_BY_APPLICATION, NOISE)
        return False

    def connection_requested(self, *_: object) -> bool:
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, NOISE)

    def server_requested(self, *_: object) -> bool:
        self.conn.send_debug(f"forward {NOISE}")
        return False


@pytest.mark.parametrize("stage", ["login", "dial", "listen"])
def test_what_a_server_says_moves_no_cursor_and_fills_no_screen(stage: str) -> None:
    notices: list[str] = []

    async def main() -> RuntimeFailure:
        key = asyncssh.generate_private_key("ssh-ed25519")
        server = await asyncssh.listen("127.0.0.1", 0, server_factory=lambda: Hostile(stage), server_host_keys=[key])
        line = key.export_public_key().decode().strip()
        settings = SshSettings(host="127.0.0.1", port=server.get_port(), user="me", host_key=(line,), agent="none")
        here = Here("laptop")
        session = None
        try:
            session = await SshTransport().open(request(settings, here, notice=notices.append))
            if stage == "dial":
                await session.create_connection(Collector, "127.0.0.1", 1)
            await session.create_server(Accepting(), "127.0.0.1", 0)
        except RuntimeFailure as failure:
            return failure
        finally:
            if session is not None:
                session.abort()
                await session.wait_closed()
            server.close()
            await server.wait_closed()
            here.close()
            await here.wait_closed()
        raise AssertionError("it was let pass")

    failure = asyncio.run(main())
    said = [*notices, failure.message, failure.suggestion or ""]
    assert "evil" in "".join(said)
    assert all(text.isprintable() for text in said), said
    assert not any("\u0335" * 4 in text for text in said)
    assert max(map(len, said)) < 600
    assert len(notices) <= 10
