"""``orchestra service``: a unit that systemd could start, and what its manager is told."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestra.render.unit import MARK
from tests.cli.conftest import Ran
from tests.cli.instances import LAB, Home

Cli = Callable[..., Ran]
HTTP = ("--http", "127.0.0.1:0")


@pytest.fixture
def unit(home: Home, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the unit of office.yaml, which is there, will be."""
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    home.write(LAB)
    return home.path / ".config" / "systemd" / "user" / "orchestra-office.service"


def command(unit: Path, key: str) -> list[str]:
    """What systemd would run."""
    found = re.search(rf"^{key}=(.*)$", unit.read_text("utf-8"), re.MULTILINE)
    assert found
    return shlex.split(found[1].replace("%%", "%").replace("$$", "$"))


def test_it_is_written_with_absolute_paths_and_says_what_to_do(home: Home, cli: Cli, unit: Path) -> None:
    done = cli("service", "install", *HTTP, "office.yaml")
    assert done.code == 0, done.err
    assert "systemctl --user enable --now orchestra-office" in done.err
    start = command(unit, "ExecStart")
    assert start[:4] == [sys.executable, "-m", "orchestra", "up"]
    assert {"--name=office", "--http=127.0.0.1:0"} <= set(start)
    assert start[-2:] == ["--", str(home.path / "office.yaml")]
    assert command(unit, "ExecReload") == [sys.executable, "-m", "orchestra", "reload", "office"]
    assert cli("service", "install", "--name", "work", "office.yaml").code == 0
    assert command(unit.with_name("orchestra-work.service"), "ExecReload")[-1] == "work"


def test_it_is_removed_and_then_there_is_none(cli: Cli, unit: Path) -> None:
    for named in ("office", "office.yaml"):
        assert cli("service", "install", "office.yaml").code == 0
        assert unit.read_text("utf-8").startswith(MARK)
        wanted = unit.parent / "default.target.wants" / unit.name  # as `systemctl enable` leaves it
        wanted.parent.mkdir(exist_ok=True)
        wanted.symlink_to(unit)
        assert cli("service", "uninstall", named).code == 0
        assert [path for path in unit.parent.rglob("*") if not path.is_dir()] == []
    done = cli("service", "uninstall", "office")
    assert (done.code, "there is no " in done.err) == (0, True)


def test_what_somebody_else_wrote_is_left_as_it_is(cli: Cli, unit: Path) -> None:
    unit.parent.mkdir(parents=True)
    unit.write_text("[Unit]\n", "utf-8")
    for action in ("install", "uninstall"):
        done = cli("service", action, "office.yaml")
        assert (done.code, "was not written by orchestra" in done.err) == (1, True)
    assert unit.read_text("utf-8") == "[Unit]\n"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("broken.yaml",), "UNKNOWN_KEY"),
        (("office.yaml", "--name", "../x"), "cannot be the name"),
        (("office.yaml", "--http", "0.0.0.0:1"), "--http-exposed"),
        (("office.yaml", "-t", "nobody"), "nobody"),
    ],
)
def test_what_could_not_be_started_is_not_installed(
    home: Home, cli: Cli, unit: Path, arguments: tuple[str, ...], why: str
) -> None:
    home.write("sever: {}\n", "broken.yaml")
    done = cli("service", "install", *arguments)
    assert (done.code, why in done.err) == (2, True), done.err
    assert not unit.parent.exists()


def test_where_there_is_no_systemd_that_is_said(cli: Cli, unit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    done = cli("service", "install", "office.yaml")
    assert (done.code, "systemd only" in done.err) == (2, True)


DIRECT = """\
clients: {{laptop: {{}}}}
targets: {{db: {{host: laptop, address: "127.0.0.1:{port}"}}}}
tunnels: {{db: {{listen: auto, check: none}}}}
"""


def test_its_manager_is_told_of_its_life(home: Home, cli: Cli, unit: Path) -> None:
    home.write(DIRECT.format(port=9))
    assert cli("service", "install", "office.yaml").code == 0
    start = command(unit, "ExecStart")
    path = home.path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(30)
        environ = home.environ | {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "2000000"}
        with subprocess.Popen(start, env=environ, cwd="/", stderr=subprocess.PIPE) as service:

            def told(until: str) -> list[str]:
                lines: list[str] = []
                while until not in lines:
                    assert len(lines) < 100
                    lines += manager.recv(4096).decode().splitlines()
                return lines

            try:
                started = told("READY=1")
                assert "WATCHDOG=1" in told("WATCHDOG=1")
                assert any(line.startswith("STATUS=ready: 1 of 1 tunnel") for line in [*started, *told("WATCHDOG=1")])
                home.write(DIRECT.format(port=10))
                subprocess.run(command(unit, "ExecReload"), env=environ, cwd="/", check=True, timeout=30)
                reloaded = told("RELOADING=1")
                assert any(re.fullmatch(r"MONOTONIC_USEC=\d+", line) for line in [*reloaded, *told("READY=1")])
                os.kill(service.pid, signal.SIGTERM)
                assert "READY=1" not in told("STOPPING=1")
                service.communicate(timeout=30)
            finally:
                service.kill()
        assert service.returncode == 0
