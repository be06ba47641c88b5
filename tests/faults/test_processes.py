"""What happens to the process itself and to its files: rows 24, 27, 29, 30 and 40 of docs/faults.md, by real
processes over a real sshd."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from orchestra.control.client import Client
from tests.acceptance.test_unix import echo
from tests.cli.instances import Home, kill, needs_sshd, sshd, until
from tests.engine.ssh.sshd import descendants
from tests.faults.field import long
from tests.faults.leaks import nothing_left

pytestmark = needs_sshd

ENDED = 5.0
"""Seconds that the end may take."""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    for part in ("run", "run/orchestra", "state", "keys"):
        (tmp_path / part).mkdir(mode=0o700)
    made = Home(tmp_path)
    with nothing_left(tmp_path / "run"):
        yield made
        made.end()


@contextmanager
def office(home: Home) -> Iterator[None]:
    """A topology with two hops to a service that says back what it was told."""
    with sshd(home.path / "keys") as settings, echo() as port:
        home.write(
            f"clients: {{laptop: }}\n"
            f"servers: {{gateway: {{ssh: {{{settings}}}}}, inner: {{behind: gateway, ssh: {{{settings}}}}}}}\n"
            f"targets: {{desk: {{host: inner, address: '127.0.0.1:{port}'}}}}\n"
            f"tunnels: {{desk: {{listen: '127.0.0.1:auto', hold: 5s}}}}\n"
        )
        yield


def entrance(home: Home) -> tuple[str, int]:
    host, _, port = Client(home.place()).status().tunnels[0].listen[0].rpartition(":")
    return host, int(port)


def said_back(where: tuple[str, int]) -> bytes:
    """What the service says to hello."""
    with socket.create_connection(where, timeout=20) as connected:
        connected.sendall(b"hello")
        connected.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connected.recv(100), b""))


def end_sessions() -> None:
    """The processes of sshd that serve sessions are killed."""
    for pid in descendants(os.getpid()):
        with suppress(OSError):  # it went with the one above it
            called = Path(f"/proc/{pid}/cmdline").read_bytes()
            if called.startswith(b"sshd: ") and b"[listener]" not in called:
                os.kill(pid, signal.SIGKILL)


@long
def test_fault_24_who_is_started_where_one_runs_leaves_it_as_it_is(home: Home) -> None:
    with office(home), home.started("up", "office.yaml") as up:
        up.said("orchestra: ready")
        where = entrance(home)
        again = home.orchestra("up", "office.yaml")
        assert again.returncode == 0, again.stderr
        assert "office runs already" in again.stderr
        assert orchestras(home) == [up.process.pid]
        assert said_back(where) == b"olleh"
        assert up.ends(signal.SIGTERM)[0] == 0


@long
def test_fault_24_of_several_that_start_at_once_there_is_one(home: Home) -> None:
    with office(home), ExitStack() as all_of_them:
        started = [all_of_them.enter_context(home.started("up", "office.yaml")) for _ in range(3)]
        until(lambda: sum(each.process.poll() is not None for each in started) == 2)
        (winner,) = (each for each in started if each.process.poll() is None)
        for each in started:
            if each is not winner:
                code, said = each.ends()
                assert code == 0 or "ALREADY_RUNNING" in said, said
        assert Client(home.place()).wait_ready(20.0).ready
        assert orchestras(home) == [winner.process.pid]
        assert said_back(entrance(home)) == b"olleh"
        assert winner.ends(signal.SIGTERM)[0] == 0


def test_fault_27_without_descriptors_who_comes_waits_which_is_said_once_and_is_let_in_later(home: Home) -> None:
    with office(home), home.started("up", "office.yaml") as up:
        up.said("orchestra: ready")
        where = entrance(home)
        held = len(list(Path(f"/proc/{up.process.pid}/fd").iterdir()))
        resource.prlimit(up.process.pid, resource.RLIMIT_NOFILE, (held + 8, held + 8))
        with ExitStack() as clients:
            waiting = [clients.enter_context(socket.create_connection(where, timeout=1)) for _ in range(20)]
            for client in waiting:
                client.sendall(b"x")
                client.shutdown(socket.SHUT_WR)
            said = up.said("has to wait: too many open files")
            assert said.count("has to wait") == 1
            served = [client for client in waiting if client.recv(1) == b"x"]  # as some end, others are let in
            assert len(served) == 20
        assert said_back(where) == b"olleh"
        code, rest = up.ends(signal.SIGTERM)
        assert code == 0
        assert rest.count("has to wait") <= 1


@contextmanager
def small_disk(path: Path) -> Iterator[None]:
    """A file system of 64 KiB at a directory."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "small", str(path)]
    if os.geteuid() or shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root can mount")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def fill(path: Path) -> Path:
    """Until nothing more fits."""
    filler = path / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    assert os.statvfs(path).f_bavail == 0
    return filler


def test_fault_29_a_full_disk_stops_no_tunnel_and_what_was_lost_of_the_log_is_said(home: Home) -> None:
    with office(home), small_disk(home.path / "state"):
        assert home.orchestra("up", "-d", "office.yaml").returncode == 0
        where, filler = entrance(home), fill(home.path / "state")
        log = home.path / "state" / "orchestra" / "office.log"
        with log.open("ab", buffering=0) as page, suppress(OSError):
            while page.write(b"."):  # what is left of its last page
                pass
        before = log.read_text()
        end_sessions()
        assert said_back(where) == b"olleh"  # held, until the path was back
        assert Client(home.place()).wait_ready(20.0).ready
        assert log.read_text().startswith(before)
        filler.unlink()
        assert home.orchestra("down").returncode == 0
        assert "… lines were lost: the log could not be written" in log.read_text()


@long
def test_fault_29_where_nothing_can_be_written_nothing_is_begun_and_nothing_is_left(home: Home) -> None:
    with office(home), small_disk(home.path / "run"):
        filler = fill(home.path / "run")
        refused = home.orchestra("up", "-d", "office.yaml")
        assert refused.returncode == 1
        assert "STATE_UNWRITABLE" in refused.stderr
        assert "No space left" in refused.stderr
        assert "Traceback" not in refused.stderr
        assert [path for path in (home.path / "run").rglob("*") if path.is_file() and path != filler] == []
        filler.unlink()
        assert home.orchestra("up", "-d", "office.yaml").returncode == 0
        home.end()


GARBAGE = {
    "nothing": b"",
    "cut off": b'{"name": "office", "pid":',
    "of another kind": b"[1, 2]",
    "of another version": b'{"format_version": 99, "name": "office", "pid": "x"}',
    "noise": bytes(range(256)) * 16,
}


@long
@pytest.mark.parametrize("garbage", GARBAGE)
def test_fault_30_what_is_spoilt_of_a_dead_one_s_files_stops_nobody(home: Home, garbage: str) -> None:
    with office(home):
        assert home.orchestra("up", "-d", "office.yaml").returncode == 0
        place = home.place()
        place.info.write_bytes(GARBAGE[garbage])
        assert home.orchestra("status").returncode == 0  # the one that runs is not its file
        kill(next(pid for pid in orchestras(home)))
        for path in (place.info, place.lock):
            path.write_bytes(GARBAGE[garbage])
        place.socket.unlink()
        place.socket.write_bytes(GARBAGE[garbage])
        again = home.orchestra("up", "-d", "office.yaml")
        assert again.returncode == 0, again.stderr
        assert said_back(entrance(home)) == b"olleh"


def orchestras(home: Home) -> list[int]:
    """The orchestras of this home, by what they have open: their info tells no pid."""
    lock = str(home.place().lock)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if lock in {str(fd.readlink()) for fd in (process / "fd").iterdir()}:
                found.append(int(process.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("rounds", [3, pytest.param(30, marks=long)])
def test_fault_40_ended_at_any_instant_it_ends_in_time_and_leaves_nothing(home: Home, rounds: int) -> None:
    rng = random.Random(40)  # noqa: S311 - instants
    with office(home):
        for instant in sorted(rng.uniform(0.0, 1.5) for _ in range(rounds)):
            with home.started("up", "office.yaml") as up:
                time.sleep(instant)  # that is the fault
                begun = time.monotonic()
                code, said = up.ends(signal.SIGTERM)
                assert time.monotonic() - begun < ENDED
                assert code in (0, 143, -signal.SIGTERM), said  # the last: it was not there yet
                assert "Traceback" not in said
                assert home.places == [], instant


def test_fault_40_ended_under_load_it_ends_in_time_and_resets_what_it_carried(home: Home) -> None:
    with office(home), home.started("up", "office.yaml") as up:
        up.said("orchestra: ready")
        where = entrance(home)
        with ExitStack() as clients:
            busy = [clients.enter_context(socket.create_connection(where, timeout=20)) for _ in range(5)]
            for client in busy:
                client.sendall(bytes(1 << 20))
            begun = time.monotonic()
            assert up.ends(signal.SIGTERM)[0] == 0
            assert time.monotonic() - begun < ENDED
            for client in busy:
                with pytest.raises(ConnectionResetError):
                    client.recv(1)
