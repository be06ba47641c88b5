"""``orchestra up``: comes up, stays, and goes, whatever ends it; nothing is ever left."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestra.assembly.log_format import LogFormat
from orchestra.cli.console import Colour, Console
from orchestra.cli.options import Selection, Source
from orchestra.cli.starting import Starting
from orchestra.cli.up import Showing, Staying, child_arguments
from orchestra.lab.kind import LabKind
from tests.cli.instances import LAB, UNREACHABLE, is_alive, kill, needs_sshd, refusing, sshd, until
from tests.engine.ssh.sshd import descendants
from tests.lab.netns.labs import needs_namespaces

UP = ("up", "--lab", "embedded", "office.yaml")
DETACHED = ("up", "-d", "--lab", "embedded", "office.yaml")


def status(cli, name):
    answer = cli("status", name, "-o", "json")
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def test_detached_it_returns_when_it_is_ready_and_down_waits_until_it_has_gone(home, cli):
    home.write(LAB)
    done = cli(*DETACHED)
    assert (done.code, done.out) == (0, ""), done.err
    assert "tunnel db: ready" in done.err
    pid = home.pid()
    assert os.getsid(pid) == pid  # a terminal that closes does not take it along

    found = status(cli, "office")
    assert (found["state"], found["pid"], found["file"]) == ("ready", pid, str(home.path / "office.yaml"))

    again = cli(*UP)
    assert again.code == 0
    assert "nothing changes" in again.out
    home.write(LAB, "other.yaml")
    other = cli(*UP[:-1], "--name", "office", "other.yaml")
    assert other.code == 1
    assert f"pid {pid}" in other.err
    assert "ALREADY_RUNNING" in other.err

    down = cli("down", "office.yaml")
    assert (down.code, down.err) == (0, "office is down\n")
    assert not is_alive(pid)
    assert home.places == []


def test_killed_it_leaves_nothing_that_stands_in_the_way_of_the_next(home, cli):
    home.write(LAB)
    assert cli(*DETACHED).code == 0
    kill(home.pid())
    assert home.places == ["office"]
    assert cli("status").code == 5
    assert cli("ls").out == ""
    second = cli(*DETACHED)
    assert second.code == 0, second.err
    assert cli("down").code == 0


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_stopped_after_it_was_ready_it_has_done_its_work(home, signum):
    home.write(LAB)
    with home.started(*UP) as up:
        up.said("orchestra: ready")
        code, rest = up.ends(signum)
    assert code == 0, rest
    assert home.places == []


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_while_it_connects_it_says_so(home, closed, signum, code):
    home.write(refusing(closed))
    with home.started("up", "office.yaml") as up:
        up.said("CONNECT_REFUSED")
        assert up.ends(signum)[0] == code
    assert home.places == []


STUCK = """
from orchestra.plugin import hookimpl
from orchestra.plugin.vocabulary import TransportSpec
from orchestra.session.here import Here

class Deaf(Here):
    is_here = False
    def close(self):
        print("closing", flush=True)

class Stuck:
    spec = TransportSpec(name="stuck", dialed=False)
    async def open(self, request):
        return Deaf(request.server.name)

@hookimpl
def orchestra_transports():
    return [Stuck()]
"""


def test_the_second_ctrl_c_does_not_wait_for_what_takes_its_time(home):
    with socket.create_server(("127.0.0.1", 0)) as target:
        address = f"127.0.0.1:{target.getsockname()[1]}"
        rest = f"targets: {{db: {{host: b, address: '{address}'}}}}\ntunnels: {{db: {{listen: auto}}}}\n"
        home.write(f"servers: {{b: {{transport: stuck}}}}\n{rest}")
        home.write(STUCK, "stuck.py")
        with home.started("up", "--plugin", "stuck.py", "office.yaml") as up:
            up.said("orchestra: ready")
            up.process.send_signal(signal.SIGINT)
            up.said("closing")
            begun = time.monotonic()
            code, rest = up.ends(signal.SIGINT)
    assert (code, "Traceback" in rest) == (0, False)
    assert time.monotonic() - begun < 1.5  # in good order it is given two seconds and more
    assert home.places == []


@pytest.mark.parametrize("kind", ["embedded", pytest.param("netns", marks=needs_namespaces)])
def test_interrupted_while_its_lab_opens_it_leaves_nothing(home, kind):
    home.write(LAB)
    temporary = home.path / "tmp"
    temporary.mkdir()
    with home.started("up", "--lab", kind, "office.yaml", TMPDIR=str(temporary)) as up:
        until(lambda: list(temporary.iterdir()) or descendants(up.process.pid))
        below = descendants(up.process.pid)
        code, said = up.ends(signal.SIGINT)
    assert (code, "Traceback" in said) == (130, False), said
    assert (home.places, list(temporary.iterdir())) == ([], [])
    until(lambda: not any(map(is_alive, below)))


def test_taken_down_while_it_connects_it_was_not_done(home, cli, closed):
    home.write(refusing(closed))
    with home.started("up", "office.yaml") as up:
        up.said("CONNECT_REFUSED")
        assert cli("down").code == 0
        code, rest = up.ends()
    assert code == 143
    assert "office was taken down before it was ready" in rest


@pytest.mark.parametrize(("detach", "limit"), [((), "1 s"), (("-d",), "3 s")])  # a process of its own takes longer
def test_a_timeout_says_what_is_waited_for_and_leaves_nothing(home, cli, closed, detach, limit):
    home.write(refusing(closed))
    done = cli("up", *detach, "--timeout", limit.replace(" ", ""), "office.yaml")
    assert done.code == 124, done.err
    waiting = done.err.rpartition(f"office is not ready after {limit}")[2]
    assert "db: " in waiting
    assert "refused" in waiting
    assert home.places == []


def test_fail_fast_ends_with_the_first_failure(home, cli, closed):
    home.write(refusing(closed))
    done = cli("up", "--fail-fast", "office.yaml")
    assert done.code == 1
    assert "CONNECT_REFUSED" in done.err
    assert home.places == []


@needs_sshd
@pytest.mark.parametrize("detach", [(), ("-d",)])
def test_a_dead_target_is_told_by_who_dialed_it_and_what_came_back(home, cli, closed, detach):
    with sshd(home.path) as bastion:
        rest = f"targets: {{db: {{host: bastion, address: '127.0.0.1:{closed}'}}}}\ntunnels: {{db: {{listen: auto}}}}\n"
        home.write(f"servers: {{bastion: {{ssh: {{{bastion}}}}}}}\n{rest}")
        done = cli("up", *detach, "--fail-fast", "office.yaml")
    assert done.code == 1, done.err
    (said,) = [line for line in done.err.splitlines() if line.startswith("error")]
    assert f"bastion dialed 127.0.0.1:{closed}" in said
    assert "refused" in said
    assert home.places == []


@pytest.mark.parametrize("detach", [(), ("-d",)])
def test_a_local_port_that_is_taken_is_said_and_leaves_nothing(home, cli, detach):
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        home.write(LAB.replace("listen: auto", f"listen: localhost:{port}"))
        fail_fast = () if detach else ("--fail-fast",)
        done = cli("up", *detach, *fail_fast, "--lab", "embedded", "office.yaml")
    assert done.code == 1, done.err
    assert "LISTEN_IN_USE" in done.err
    assert f"localhost cannot listen on 127.0.0.1:{port}" in done.err
    assert home.places == []
    assert cli("ls").out == ""


def test_ctrl_c_while_the_child_connects_takes_it_along(home, closed):
    home.write(refusing(closed))
    with home.started("up", "-d", "office.yaml") as up:
        up.said("CONNECT_REFUSED")
        pid = home.pid()
        assert up.ends(signal.SIGINT)[0] == 130
        assert not is_alive(pid)
    assert home.places == []


@pytest.mark.parametrize("detach", [(), ("-d",)])
def test_what_is_unreachable_by_the_model_is_refused_before_anything_opens(home, cli, detach):
    done = cli("up", *detach, "office.yaml", files={"office.yaml": UNREACHABLE})
    assert done.code == 3
    assert "FIREWALL_" in done.err
    assert "--partial" in done.err
    assert home.places == []


def test_partial_opens_the_rest(cli):
    done = cli(*DETACHED, "--partial", files={"office.yaml": UNREACHABLE})
    assert done.code == 0, done.err
    assert [tunnel["name"] for tunnel in status(cli, "office")["tunnels"]] == ["shop"]
    assert cli("down").code == 0


def test_an_invalid_topology_is_refused(cli):
    done = cli("up", "office.yaml", files={"office.yaml": "sever: {}\n"})
    assert done.code == 2
    assert "UNKNOWN_KEY" in done.err


def test_a_state_directory_that_cannot_be_written_is_said(home, cli, monkeypatch):
    home.write(LAB)
    (home.path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(home.path / "file"))
    done = cli(*UP)
    assert (done.code, "STATE_UNWRITABLE" in done.err) == (1, True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "")
    done = cli(*DETACHED)
    assert (done.code, "STATE_UNWRITABLE" in done.err) == (1, True)
    assert home.places == []


def test_a_topology_from_standard_input_runs_under_a_name(home, cli):
    command = [sys.executable, "-m", "orchestra", "up", "-d", "--lab", "embedded", "--name", "piped", "-"]
    done = subprocess.run(command, env=home.environ, input=LAB, text=True, timeout=45, check=False)
    assert done.returncode == 0
    assert status(cli, "piped")["state"] == "ready"
    assert cli("down").code == 0


ANOTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINAJAlwhqa975xJQrUiF5TagbIIrt5v1reDqwclQQ1i6"


def pinned_to_another_key(bastion):
    settings = bastion.partition("host_key: ")[0] + f"host_key: {ANOTHER_KEY}"
    rest = "targets: {db: 'db.internal:5432'}\ntunnels: {db: {listen: auto}}\n"
    return f"servers: {{bastion: {{ssh: {{{settings}}}}}}}\n{rest}"


@needs_sshd
@pytest.mark.parametrize("command", [("up", "-d"), ("up", "--fail-fast"), ("run",)])
def test_a_changed_host_key_ends_it_at_once_and_says_both(home, cli, command):
    with sshd(home.path) as bastion:
        home.write(pinned_to_another_key(bastion))
        done = cli(*command, "office.yaml", *(["--", "true"] if command == ("run",) else []))
    assert done.code == 4, done.err
    assert "HOST_KEY_CHANGED" in done.err
    assert done.err.count("SHA256:") >= 2
    assert home.places == []


@needs_sshd
def test_in_the_foreground_it_stays_and_says_what_to_do(home, cli):
    with sshd(home.path) as bastion:
        home.write(pinned_to_another_key(bastion))
        with home.started("up", "office.yaml") as up:
            up.said("help: ")
            waited = cli("wait")
            assert (waited.code, "HOST_KEY_CHANGED" in waited.err) == (4, True)
            assert up.ends(signal.SIGINT)[0] == 130


def test_the_child_is_asked_for_the_same():
    arguments = child_arguments(
        Console.standard(Colour.NEVER, quiet=True, verbosity=2),
        Source(file="-x.yaml", files=["b.yaml"], client="laptop", plugins=["mine"]),
        Selection(tunnels=["db"], profiles=["ci"]),
        Starting(lab=LabKind.NETNS, partial=True, fail_fast=True),
        Staying(detach=True, name="work", timeout="2m", log_format=LogFormat.JSON),
        Showing(http="[::]:0", http_exposed=True, http_token_file=Path("t")),
    )
    assert arguments == [
        *("--file=b.yaml", "--client=laptop", "--plugin=mine", "--tunnel=db", "--profile=ci", "--lab=netns"),
        *("--name=work", "--timeout=2m", "--log-format=json", "--http=[::]:0", "--http-token-file=t", "--color=never"),
        *("--partial", "--fail-fast", "--http-exposed", "--quiet"),
        *("--verbose", "--verbose", "--", "-x.yaml"),
    ]
