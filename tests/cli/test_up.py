from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from orchestra.cli.console import Colour, Console
from orchestra.cli.options import Selection, Source
from orchestra.cli.starting import LabKind, Starting, with_default_lab
from orchestra.cli.up import Staying, child_arguments
from tests.cli.instances import LAB, Home, is_alive, kill, refusing, until

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


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of 127.0.0.1 that refuses, and goes on to do so."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def refused() -> Iterator[str]:
    with closed_port() as port:
        yield refusing(port)


def status(home: Home, name: str) -> dict[str, object]:
    answer = home.orchestra("status", name, "-o", "json")
    assert answer.returncode == 0, answer.stderr
    document: dict[str, object] = json.loads(answer.stdout)
    return document


def pid_of(home: Home, name: str) -> int:
    pid: int = json.loads((home.path / "run" / "orchestra" / name / "info.json").read_text("utf-8"))["pid"]
    return pid


def test_detached_it_returns_when_it_is_ready_and_down_waits_until_it_has_gone(home: Home) -> None:
    (home.path / "office.yaml").write_text(LAB)
    done = home.orchestra("up", "-d", "--lab", "embedded", "office.yaml")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "tunnel db: ready" in done.stderr
    pid = pid_of(home, "office")
    assert os.getsid(pid) == pid  # a terminal that closes does not take it along

    found = status(home, "office")
    assert (found["state"], found["pid"], found["file"]) == ("ready", pid, str(home.path / "office.yaml"))

    again = home.orchestra("up", "--lab", "embedded", "office.yaml")
    assert again.returncode == 1
    assert f"pid {pid}" in again.stderr
    assert "ALREADY_RUNNING" in again.stderr

    down = home.orchestra("down", "office.yaml")
    assert (down.returncode, down.stderr) == (0, "office is down\n")
    assert not is_alive(pid)
    assert home.places == []


def test_killed_it_leaves_nothing_that_stands_in_the_way_of_the_next(home: Home) -> None:
    (home.path / "office.yaml").write_text(LAB)
    up = ("up", "-d", "--lab", "embedded", "office.yaml")
    assert home.orchestra(*up).returncode == 0
    kill(pid_of(home, "office"))
    assert home.places == ["office"]
    assert home.orchestra("status").returncode == 5
    assert home.orchestra("ls").stdout == ""
    second = home.orchestra(*up)
    assert second.returncode == 0, second.stderr
    assert home.orchestra("down").returncode == 0


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_stopped_after_it_was_ready_it_has_done_its_work(home: Home, signum: int) -> None:
    (home.path / "office.yaml").write_text(LAB)
    with home.started("up", "--lab", "embedded", "office.yaml") as up:
        up.said("orchestra: ready")
        code, rest = up.ends(signum)
    assert code == 0, rest
    assert home.places == []


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_while_it_connects_it_says_so(home: Home, refused: str, signum: int, code: int) -> None:
    (home.path / "office.yaml").write_text(refused)
    with home.started("up", "office.yaml") as up:
        up.said("CONNECT_REFUSED")
        assert up.ends(signum)[0] == code
    assert home.places == []


def test_taken_down_while_it_connects_it_was_not_done(home: Home, refused: str) -> None:
    (home.path / "office.yaml").write_text(refused)
    with home.started("up", "office.yaml") as up:
        up.said("CONNECT_REFUSED")
        assert home.orchestra("down").returncode == 0
        code, rest = up.ends()
    assert code == 143
    assert "office was taken down before it was ready" in rest


@pytest.mark.parametrize("detach", [(), ("-d",)])
def test_a_timeout_says_what_is_waited_for_and_leaves_nothing(
    home: Home, refused: str, detach: tuple[str, ...]
) -> None:
    (home.path / "office.yaml").write_text(refused)
    done = home.orchestra("up", *detach, "--timeout", "3", "office.yaml")
    assert done.returncode == 124, done.stderr
    assert "office is not ready after 3 s" in done.stderr
    waiting = done.stderr.rpartition("office is not ready")[2]
    assert "db: " in waiting
    assert "refused" in waiting
    assert home.places == []


def test_fail_fast_ends_with_the_first_failure(home: Home, refused: str) -> None:
    (home.path / "office.yaml").write_text(refused)
    done = home.orchestra("up", "--fail-fast", "office.yaml")
    assert done.returncode == 1
    assert "CONNECT_REFUSED" in done.stderr
    assert home.places == []


def test_ctrl_c_while_the_child_connects_takes_it_along(home: Home, refused: str) -> None:
    (home.path / "office.yaml").write_text(refused)
    with home.started("up", "-d", "office.yaml") as up:
        up.said("CONNECT_REFUSED")
        pid = pid_of(home, "office")
        assert up.ends(signal.SIGINT)[0] == 130
        assert not is_alive(pid)
    assert home.places == []


def test_what_is_unreachable_by_the_model_is_refused_before_anything_opens(home: Home) -> None:
    (home.path / "office.yaml").write_text(UNREACHABLE)
    for detach in ((), ("-d",)):
        done = home.orchestra("up", *detach, "office.yaml")
        assert done.returncode == 3
        assert "FIREWALL_" in done.stderr
        assert "--partial" in done.stderr
    assert home.places == []
    assert home.orchestra("up", "--partial", "-t", "desk", "office.yaml").returncode == 3


def test_partial_opens_the_rest(home: Home) -> None:
    (home.path / "office.yaml").write_text(UNREACHABLE)
    done = home.orchestra("up", "-d", "--partial", "--lab", "embedded", "office.yaml")
    assert done.returncode == 0, done.stderr
    assert [tunnel["name"] for tunnel in status(home, "office")["tunnels"]] == ["shop"]  # type: ignore[attr-defined]


def test_an_invalid_topology_is_refused(home: Home) -> None:
    (home.path / "office.yaml").write_text("sever: {}\n")
    for detach in ((), ("-d",)):
        done = home.orchestra("up", *detach, "office.yaml")
        assert done.returncode == 2
        assert "UNKNOWN_KEY" in done.stderr


def test_a_state_directory_that_cannot_be_written_is_said(home: Home) -> None:
    (home.path / "office.yaml").write_text(LAB)
    (home.path / "file").touch()
    below = str(home.path / "file")
    done = home.orchestra("up", "--lab", "embedded", "office.yaml", XDG_STATE_HOME=below)
    assert (done.returncode, "STATE_UNWRITABLE" in done.stderr) == (1, True)
    done = home.orchestra("up", "-d", "--lab", "embedded", "office.yaml", XDG_RUNTIME_DIR="", XDG_STATE_HOME=below)
    assert (done.returncode, "STATE_UNWRITABLE" in done.stderr) == (1, True)
    assert home.places == []


def test_two_names_run_one_file_side_by_side(home: Home) -> None:
    (home.path / "office.yaml").write_text(LAB)
    up = ("up", "-d", "--lab", "embedded", "office.yaml")
    assert home.orchestra(*up, "--name", "a").returncode == 0
    assert home.orchestra(*up, "--name", "b").returncode == 0
    listed = json.loads(home.orchestra("ls", "-o", "json").stdout)["orchestras"]
    assert [entry["name"] for entry in listed] == ["a", "b"]
    ambiguous = home.orchestra("down")
    assert (ambiguous.returncode, "a, b" in ambiguous.stderr) == (2, True)
    assert home.orchestra("down", "--all").returncode == 0
    assert home.places == []


def test_a_topology_from_standard_input_runs_under_a_name(home: Home) -> None:
    with ExitStack() as stack:
        text = stack.enter_context((home.path / "given").open("w+"))
        text.write(LAB)
        text.seek(0)
        environ, command = home.environ, ["orchestra", "up", "-d", "--lab", "embedded", "--name", "piped", "-"]
        done = subprocess.run([sys.executable, "-m", *command], env=environ, stdin=text, timeout=45, check=False)
    assert done.returncode == 0
    assert status(home, "piped")["state"] == "ready"


needs_sshd = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None or not Path("/usr/sbin/sshd").exists(), reason="OpenSSH's sshd is not installed"
)


def pinned_to_another_key(port: int) -> str:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINAJAlwhqa975xJQrUiF5TagbIIrt5v1reDqwclQQ1i6"
    server = f"{{host: 127.0.0.1, port: {port}, user: ci, agent: none, host_key: {key}}}"
    rest = "targets: {db: 'db.internal:5432'}\ntunnels: {db: {listen: auto}}\n"
    return f"servers: {{bastion: {{ssh: {server}}}}}\n{rest}"


@needs_sshd
@pytest.mark.parametrize("command", [("up", "-d"), ("up", "--fail-fast"), ("run",)])
def test_a_changed_host_key_ends_it_at_once_and_says_both(home: Home, command: tuple[str, ...]) -> None:
    with sshd(home.path) as port:
        (home.path / "office.yaml").write_text(pinned_to_another_key(port))
        done = home.orchestra(*command, "office.yaml", *(["--", "true"] if command == ("run",) else []))
    assert done.returncode == 4, done.stderr
    assert "HOST_KEY_CHANGED" in done.stderr
    assert done.stderr.count("SHA256:") >= 2
    assert home.places == []


@needs_sshd
def test_in_the_foreground_it_stays_and_says_what_to_do(home: Home) -> None:
    with sshd(home.path) as port:
        (home.path / "office.yaml").write_text(pinned_to_another_key(port))
        with home.started("up", "office.yaml") as up:
            up.said("help: ")
            waited = home.orchestra("wait")
            assert (waited.returncode, "HOST_KEY_CHANGED" in waited.stderr) == (4, True)
            assert up.ends(signal.SIGINT)[0] == 130


@contextmanager
def sshd(path: Path) -> Iterator[int]:
    """A real sshd on loopback with a host key of its own."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path / "key")], check=True, timeout=30)
    with closed_port() as port:
        pass
    settings = [f"Port={port}", "ListenAddress=127.0.0.1", f"HostKey={path / 'key'}", "PidFile=none", "UsePAM=no"]
    options = [part for setting in settings for part in ("-o", setting)]
    with subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", *options], stderr=subprocess.PIPE) as child:
        assert child.stderr
        until(lambda: b"Server listening" in child.stderr.readline())
        try:
            yield port
        finally:
            child.terminate()


def test_the_child_is_asked_for_the_same() -> None:
    arguments = child_arguments(
        Console.standard(Colour.NEVER, quiet=True, verbosity=2),
        Source(file="-x.yaml", files=["b.yaml"], client="laptop", plugins=["mine"]),
        Selection(tunnels=["db"], profiles=["ci"]),
        Starting(lab=LabKind.NETNS, partial=True, fail_fast=True),
        Staying(detach=True, name="work", timeout="2m"),
    )
    assert arguments == [
        *("--file=b.yaml", "--client=laptop", "--plugin=mine", "--tunnel=db", "--profile=ci", "--lab=netns"),
        *("--name=work", "--timeout=2m", "--color=never", "--partial", "--fail-fast", "--quiet"),
        *("--verbose", "--verbose", "--", "-x.yaml"),
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["up", "--lab"], ["up", "--lab=embedded"]),
        (["up", "--lab", "office.yaml"], ["up", "--lab=embedded", "office.yaml"]),
        (["up", "--lab", "netns"], ["up", "--lab", "netns"]),
        (["run", "--lab", "--", "x", "--lab"], ["run", "--lab=embedded", "--", "x", "--lab"]),
        (["plan", "--lab"], ["plan", "--lab"]),
        ([], []),
    ],
)
def test_a_lab_without_a_kind_is_the_embedded_one(given: list[str], expected: list[str]) -> None:
    assert with_default_lab(given) == expected
