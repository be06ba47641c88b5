"""A topology that somebody else wrote: reading it does nothing, and bringing it up says first what it will do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
