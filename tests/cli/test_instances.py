"""down, status, ls, wait, env and logs, of what runs and of what does not."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.instances import LAB, Home, refusing, until


@contextmanager
def connecting(home: Home) -> Iterator[None]:
    """One that never becomes ready."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        (home.path / "office.yaml").write_text(refusing(bound.getsockname()[1]))
        with home.started("up", "office.yaml") as up:
            up.said("CONNECT_REFUSED")
            yield


def test_nothing_runs(home: Home) -> None:
    for command, code in (("down", 0), ("status", 5), ("ls", 0), ("wait", 1), ("env", 1), ("logs", 1)):
        done = home.orchestra(command)
        assert (command, done.returncode, done.stdout) == (command, code, "")
        assert "no orchestra is running" in done.stderr
    assert home.orchestra("wait", "--for", "closed").returncode == 0
    named = home.orchestra("status", "office")
    assert (named.returncode, "no orchestra named office is running" in named.stderr) == (5, True)


def test_what_is_ready_answers(home: Home) -> None:
    (home.path / "office.yaml").write_text(LAB)
    assert home.orchestra("up", "-d", "-q", "--lab", "embedded", "office.yaml").returncode == 0
    assert home.orchestra("wait").returncode == 0
    waited = home.orchestra("wait", "--for", "closed", "--timeout", "100ms")
    assert (waited.returncode, "still not closed" in waited.stderr) == (124, True)

    assert "db" in home.orchestra("status").stdout
    document = json.loads(home.orchestra("status", "-o", "json").stdout)
    keys = {"format_version", "topology", "pid", "version", "file", "state", "sessions", "tunnels"}
    assert keys <= document.keys()
    (tunnel,) = document["tunnels"]
    assert {"name", "state", "proven", "listen", "error", "connections", "bytes_in", "bytes_out"} <= tunnel.keys()
    assert (tunnel["state"], tunnel["proven"], tunnel["error"]) == ("ready", True, None)

    address = tunnel["listen"][0]
    values = json.loads(home.orchestra("env", "-o", "json").stdout)
    assert values["ORCHESTRA_DB_ADDRESS"] == address
    assert values["DATABASE_URL"] == f"postgresql://{address}/app"
    assert f"export ORCHESTRA_DB_ADDRESS={address}" in home.orchestra("env", "office").stdout.splitlines()
    assert f"ORCHESTRA_DB_ADDRESS={address}" in home.orchestra("env", "-o", "dotenv").stdout.splitlines()

    with home.started("logs", "-f") as following:
        following.said("tunnel db: ready")
        assert home.orchestra("down").returncode == 0
        code, rest = following.ends()
    assert (code, rest.endswith("office has ended\n")) == (0, True)
    assert "tunnel db: ready" in home.orchestra("logs", "office").stdout


def test_what_connects_says_so(home: Home) -> None:
    with connecting(home):
        document = json.loads(home.orchestra("status", "-o", "json").stdout)
        assert document["state"] != "ready"
        (session,) = document["sessions"]
        assert {"code", "host", "message", "since", "attempts", "next_retry"} <= session["error"].keys()
        assert session["error"]["code"] == "CONNECT_REFUSED"
        waited = home.orchestra("wait", "--timeout", "200ms")
        assert waited.returncode == 124
        assert "office is not ready after 0.2 s" in waited.stderr
        assert "refused" in waited.stderr
        assert home.orchestra("down", "office").returncode == 0
    assert home.places == []


def test_waiting_ends_when_it_is_taken_down(home: Home) -> None:
    with connecting(home), home.started("wait", "--timeout", "0") as waiting:
        place = home.path / "run" / "orchestra" / "office" / "control.sock"
        until(lambda: connections(place) > 0)
        assert home.orchestra("down").returncode == 0
        code, said = waiting.ends()
    assert (code, "was taken down before it was ready" in said) == (1, True)


def connections(path: Path) -> int:
    """How many are connected to a Unix socket's listener."""
    lines = Path("/proc/net/unix").read_text("utf-8").splitlines()
    return sum(line.endswith(f" {path}") and line.split()[5] == "03" for line in lines)


def test_status_answers_quickly(home: Home) -> None:
    took = []
    for _ in range(3):
        begun = time.monotonic()
        home.orchestra("status")
        took.append(time.monotonic() - begun)
    assert min(took) < 1.0  # on an idle machine 0.2; what counts is that nothing heavy is imported


def test_a_duration_that_is_none_is_refused(home: Home) -> None:
    for command in ("wait", "down"):
        done = home.orchestra(command, "--timeout", "soon")
        assert (done.returncode, "is not a duration" in done.stderr) == (2, True)
