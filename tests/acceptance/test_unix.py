"""Unix sockets at either end and in both directions, through a real sshd: who made them, who may use them, who removes
them."""

from __future__ import annotations

import json
import os
import socket
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.cli.instances import Home, kill, needs_sshd, sshd

pytestmark = needs_sshd


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, as the paths of sockets have to be."""
    with tempfile.TemporaryDirectory(prefix="orc") as path:
        yield Path(path)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    for part in ("run", "state", "keys"):
        (tmp_path / part).mkdir(mode=0o700)
    made = Home(tmp_path)
    yield made
    made.end()


@contextmanager
def echo(where: Path | None = None) -> Iterator[int]:
    """A service that says back what it was told, on a Unix socket or a port of loopback."""
    family, address = (socket.AF_INET, ("127.0.0.1", 0)) if where is None else (socket.AF_UNIX, str(where))
    with socket.socket(family) as listening:
        listening.bind(address)
        listening.listen()
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        yield 0 if where else listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def serve(listening: socket.socket) -> None:
    while True:
        try:
            connected, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=answer, args=(connected,), daemon=True).start()


def answer(connected: socket.socket) -> None:
    with connected, suppress(OSError):
        said = b"".join(iter(lambda: connected.recv(65536), b""))
        connected.sendall(said[::-1])


def asked(path: Path | str) -> bytes:
    """What a service on a Unix socket says back, after we have ended."""
    with socket.socket(socket.AF_UNIX) as connected:
        connected.settimeout(20)
        connected.connect(str(path))
        connected.sendall(b"hello")
        connected.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connected.recv(100), b""))


def up(home: Home, settings: str, targets: str, tunnels: str, more: str = "", code: int = 0) -> str:
    """Brings it up in the background; what it said."""
    home.write(
        f"clients: {{laptop: }}\nservers: {{gateway: {{ssh: {{{settings}}}{more}}}}}\n"
        f"targets: {{{targets}}}\ntunnels: {{{tunnels}}}\n"
    )
    done = home.call("up", "-d", "--fail-fast", "office.yaml")
    assert done.returncode == code, done.stderr
    return done.stderr


def tunnels(home: Home) -> dict[str, Any]:
    found = json.loads(home.call("status", "-o", "json").stdout)
    return {tunnel["name"]: tunnel for tunnel in found["tunnels"]}


def test_here_to_a_port_and_to_a_socket_of_the_server(home: Home, folder: Path) -> None:
    private = folder / "private"
    with sshd(home.path / "keys") as settings, echo() as port, echo(folder / "docker.sock"):
        up(
            home,
            settings,
            f"web: {{host: gateway, address: '127.0.0.1:{port}'}}, "
            f"docker: {{host: gateway, address: 'unix:{folder}/docker.sock'}}",
            f"web: {{listen: 'unix:{private}/web.sock'}}, docker: {{listen: 'unix:{private}/docker.sock'}}",
        )
        assert [asked(private / name) for name in ("web.sock", "docker.sock")] == [b"olleh", b"olleh"]
        found = tunnels(home)
        assert {tunnel["proven"] for tunnel in found.values()} == {True}
        assert found["web"]["listen"] == [f"unix:{private}/web.sock"]
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        assert stat.S_IMODE((private / "web.sock").stat().st_mode) == 0o600
        variables = json.loads(home.call("env", "-o", "json").stdout)
        assert variables == {
            "ORCHESTRA_WEB_ADDRESS": f"{private}/web.sock",
            "ORCHESTRA_DOCKER_ADDRESS": f"{private}/docker.sock",
        }
        assert home.call("down").returncode == 0
        assert list(private.iterdir()) == []


def test_from_a_socket_of_the_server_to_a_port_and_a_socket_here(home: Home, folder: Path) -> None:
    with sshd(home.path / "keys") as settings, echo() as port, echo(folder / "here.sock"):
        up(
            home,
            settings,
            f"web: {{host: laptop, address: '127.0.0.1:{port}'}}, "
            f"docker: {{host: laptop, address: 'unix:{folder}/here.sock'}}",
            f"web: {{at: gateway, listen: 'unix:{folder}/a.sock'}}, "
            f"docker: {{at: gateway, listen: 'unix:{folder}/b.sock'}}",
        )
        assert [asked(folder / name) for name in ("a.sock", "b.sock")] == [b"olleh", b"olleh"]
        found = tunnels(home)
        assert (found["web"]["listen"], found["web"]["at"]) == ([f"unix:{folder}/a.sock"], "gateway")
        assert home.call("down").returncode == 0
        assert sorted(path.name for path in folder.iterdir()) == ["here.sock"]


@pytest.mark.parametrize("at", ["laptop", "gateway"])
def test_what_a_killed_one_left_is_no_hindrance(home: Home, folder: Path, at: str) -> None:
    with sshd(home.path / "keys") as settings, echo() as port:
        topology = (
            settings,
            f"web: {{host: gateway, address: '127.0.0.1:{port}'}}",
            f"web: {{at: {at}, listen: 'unix:{folder}/a.sock'}}",
        )
        up(home, *topology)
        kill(home.pid())
        assert (folder / "a.sock").is_socket()
        up(home, *topology)
        assert asked(folder / "a.sock") == b"olleh"
        assert home.call("down").returncode == 0
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("at", "who"), [("laptop", "(pid {})"), ("gateway", "another program")])
def test_a_live_socket_is_never_taken(home: Home, folder: Path, at: str, who: str) -> None:
    with sshd(home.path / "keys") as settings, echo(folder / "a.sock"), echo() as port:
        said = up(
            home,
            settings,
            f"web: {{host: gateway, address: '127.0.0.1:{port}'}}",
            f"web: {{at: {at}, listen: 'unix:{folder}/a.sock'}}",
            code=1,
        )
        assert "LISTEN_IN_USE" in said
        assert who.format(os.getpid()) in said
        assert asked(folder / "a.sock") == b"olleh"


def leave(path: Path) -> None:
    """A socket that nobody listens on."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))


def test_without_commands_there_the_person_removes_it(home: Home, folder: Path) -> None:
    leave(folder / "a.sock")
    with sshd(home.path / "keys") as settings, echo() as port:
        target, tunnel = f"web: {{host: laptop, address: '127.0.0.1:{port}'}}", f"listen: 'unix:{folder}/a.sock'"
        said = up(home, settings, target, f"web: {{at: gateway, {tunnel}}}", ", forwarding: {exec: no}", code=1)
        assert "FORWARD_REFUSED" in said
        assert "StreamLocalBindUnlink" in said
        assert (folder / "a.sock").is_socket()


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file away")
def test_a_dead_socket_of_somebody_else_is_theirs(home: Home, folder: Path) -> None:
    leave(folder / "a.sock")
    os.chown(folder / "a.sock", 65534, 65534)
    (folder / "b.sock").write_text("a file")
    with sshd(home.path / "keys") as settings, echo() as port:
        target = f"web: {{host: laptop, address: '127.0.0.1:{port}'}}"
        for name in ("a.sock", "b.sock"):
            said = up(home, settings, target, f"web: {{at: gateway, listen: 'unix:{folder}/{name}'}}", code=1)
            assert "FORWARD_REFUSED" in said
    assert (folder / "a.sock").is_socket()
    assert (folder / "b.sock").read_text() == "a file"


@pytest.mark.parametrize("at", ["laptop", "gateway"])
def test_a_server_that_forwards_none(home: Home, folder: Path, at: str) -> None:
    with sshd(home.path / "keys", "AllowStreamLocalForwarding=no") as settings, echo(folder / "d.sock"), echo() as port:
        where = f"unix:{folder}/d.sock" if at == "laptop" else f"127.0.0.1:{port}"
        host, listen = ("gateway", f"unix:{folder}/x") if at == "laptop" else ("laptop", f"unix:{folder}/y")
        target = f"web: {{host: {host}, address: '{where}'}}"
        said = up(home, settings, target, f"web: {{at: {at}, listen: '{listen}'}}", code=1)
        assert "AllowStreamLocalForwarding" in said
        assert ("FORWARD_REFUSED" if at == "gateway" else "d.sock") in said


def test_a_path_too_long_is_said_before_anything_is_opened(home: Home) -> None:
    home.write(
        f"servers: {{g: g.example}}\ntargets: {{t: {{host: g, address: 1}}}}\n"
        f"tunnels: {{t: {{listen: 'unix:/{'x' * 107}'}}}}\n"
    )
    done = home.call("validate", "office.yaml")
    assert done.returncode == 2
    assert "the path has 108 bytes" in done.stderr
