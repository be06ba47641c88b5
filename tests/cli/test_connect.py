"""``orchestra connect``: standard input and output joined to a target, and ssh's ProxyCommand for those who use ssh."""

from __future__ import annotations

import hashlib
import os
import select
import shlex
import shutil
import signal
import socket
import socketserver
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ran, new_home
from tests.cli.instances import DEADLINE, UNREACHABLE, Home, closed_port, needs_sshd, refusing, sshd, until

CONNECT = (sys.executable, "-m", "orchestra", "connect")


def here_to(port: int) -> str:
    return f'clients: {{laptop: {{}}}}\ntargets: {{web: {{host: laptop, address: "127.0.0.1:{port}"}}}}\n'


@contextmanager
def service(handle: object) -> Iterator[int]:
    """A service on loopback; its port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            handle(self.request)  # type: ignore[operator]

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def digest(connected: socket.socket) -> None:
    """Reads to the end of file, then answers: only a half-close passed on makes it answer."""
    found = hashlib.sha256()
    while data := connected.recv(65536):
        found.update(data)
    connected.sendall(found.hexdigest().encode())


def connect(home: Home, *arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*CONNECT, *arguments],
        input=data,
        cwd=home.path,
        env=home.environ,
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )


@dataclass(frozen=True)
class Hops:
    """Three servers in a row, of which only the first can be dialed from here, by the file."""

    home: Home
    ports: dict[str, int]

    def ssh(self, target: str = "%h:%p") -> list[str]:
        """Options for whatever speaks to the last one by way of the others."""
        proxy = f"{shlex.join(CONNECT)} -f {self.home.path / 'office.yaml'} {target}"
        keys = self.home.path / "inner"
        (self.home.path / "known").write_text("inner " + (keys / "host.pub").read_text())
        return [
            *("-F", "none", "-i", str(keys / "user")),
            *("-o", f"ProxyCommand={proxy}", "-o", "BatchMode=yes"),
            *(() if target == "%h" else ("-o", f"Port={self.ports['inner']}")),
            *("-o", "IdentityAgent=none", "-o", "HostKeyAlias=inner", "-o", "StrictHostKeyChecking=yes"),
            *("-o", f"UserKnownHostsFile={self.home.path / 'known'}"),
        ]


@pytest.fixture(scope="module")
def hops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hops]:
    home = new_home(tmp_path_factory.mktemp("hops"))
    with ExitStack() as running:
        text, ports, behind = "servers:\n", {}, ""
        for name in ("edge", "middle", "inner"):
            (home.path / name).mkdir()
            settings = running.enter_context(sshd(home.path / name))
            text += f"  {name}: {{{behind}ssh: {{{settings}}}}}\n"
            ports[name] = int(settings.partition("port: ")[2].partition(",")[0])
            behind = f"behind: {name}, "
        home.write(text)
        yield Hops(home, ports)


def over(hops: Hops, *command: str, data: bytes = b"", **environ: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command,
        input=data,
        cwd=hops.home.path,
        env=hops.home.environ | environ,
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


@needs_sshd
def test_ssh(hops: Hops) -> None:
    data = os.urandom(3 << 20)
    done = over(hops, "ssh", *hops.ssh(), "inner", "cat; echo done >&2; exit 7", data=data)
    assert (done.returncode, done.stdout == data, done.stderr) == (7, True, b"done\n")


@needs_sshd
def test_the_port_of_the_file_when_ssh_does_not_say(hops: Hops) -> None:
    done = over(hops, "ssh", *hops.ssh("%h"), "inner", "echo there")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"there\n", b"")


@needs_sshd
def test_scp_there_and_back(hops: Hops) -> None:
    (hops.home.path / "sent").write_bytes(os.urandom(100_000))
    there = over(hops, "scp", "-O", *hops.ssh(), "sent", f"inner:{hops.home.path}/kept")
    back = over(hops, "scp", "-O", *hops.ssh(), f"inner:{hops.home.path}/kept", "back")
    assert (there.returncode, back.returncode, there.stderr, back.stderr) == (0, 0, b"", b"")
    assert (hops.home.path / "back").read_bytes() == (hops.home.path / "sent").read_bytes()


@needs_sshd
@needs("rsync")
def test_rsync(hops: Hops) -> None:
    tree = hops.home.path / "tree"
    tree.mkdir()
    for number in range(20):
        (tree / f"{number}").write_bytes(os.urandom(number * 1000))
    done = over(hops, "rsync", "-a", "-e", shlex.join(["ssh", *hops.ssh()]), "tree/", f"inner:{hops.home.path}/copy/")
    assert (done.returncode, done.stderr) == (0, b"")
    copied = {path.name: path.read_bytes() for path in (hops.home.path / "copy").iterdir()}
    assert copied == {path.name: path.read_bytes() for path in tree.iterdir()}


@needs_sshd
@needs("git")
def test_git(hops: Hops) -> None:
    made = (
        "git init -q -b main work && cd work && echo text >file && git add file && "
        "git -c user.name=a -c user.email=a@example.com commit -q -m first && "
        f"git clone -q --bare . ../bare.git && git push -q inner:{hops.home.path}/bare.git main:other && "
        f"cd .. && git clone -q -b other inner:{hops.home.path}/bare.git cloned && cat cloned/file"
    )
    done = over(hops, "sh", "-c", made, GIT_SSH_COMMAND=shlex.join(["ssh", *hops.ssh()]))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"text\n", b"")


@needs_sshd
@needs("ansible")
def test_ansible(hops: Hops) -> None:
    """Its ``ssh`` connection, with pipelining as it comes, and a module that returns what it read there."""
    (hops.home.path / "fact").write_text("there")
    done = over(
        hops,
        *("ansible", "all", "-i", "inner,", "-m", "ansible.builtin.slurp", "-a", f"src={hops.home.path}/fact"),
        *("-e", f"ansible_python_interpreter={sys.executable}"),
        ANSIBLE_SSH_ARGS=shlex.join(hops.ssh()),
        ANSIBLE_PIPELINING="True",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert b"dGhlcmU=" in done.stdout
    assert b"orchestra" not in done.stderr


@needs_sshd
def test_an_address_that_the_last_server_understands(hops: Hops) -> None:
    with service(digest) as port:
        done = connect(hops.home, "--exit", "inner", "office.yaml", f"localhost:{port}", data=b"data")
    assert (done.returncode, done.stdout, done.stderr) == (0, hashlib.sha256(b"data").hexdigest().encode(), b"")


@needs_sshd
def test_refused_by_the_last_dial(hops: Hops) -> None:
    with closed_port() as port:
        done = connect(hops.home, "--exit", "inner", f"localhost:{port}", "-f", "office.yaml")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"CONNECT_REFUSED" in done.stderr
    assert b"inner dial" in done.stderr


@needs_sshd
def test_a_server_that_lets_nobody_in(hops: Hops) -> None:
    text = (hops.home.path / "office.yaml").read_text()
    wrong = text.replace(f"identity: {hops.home.path}/middle/user", f"identity: {hops.home.path}/edge/user")
    (hops.home.path / "wrong.yaml").write_text(wrong)
    done = connect(hops.home, "wrong.yaml", "inner")
    assert (done.returncode, done.stdout) == (4, b"")
    assert b"AUTH_FAILED" in done.stderr


def test_each_direction_ends_by_itself(home: Home) -> None:
    data = os.urandom(5 << 20)
    with service(digest) as port:
        home.write(here_to(port))
        done = connect(home, "office.yaml", "web", data=data)
    assert (done.returncode, done.stdout, done.stderr) == (0, hashlib.sha256(data).hexdigest().encode(), b"")


def test_what_is_sent_after_the_targets_end_still_arrives(home: Home) -> None:
    received: list[bytes] = []

    def speak_first(connected: socket.socket) -> None:
        connected.sendall(b"hello")
        connected.shutdown(socket.SHUT_WR)
        received.append(b"".join(iter(lambda: connected.recv(65536), b"")))

    with service(speak_first) as port:
        home.write(here_to(port))
        with subprocess.Popen(
            [*CONNECT, "web"], cwd=home.path, env=home.environ | {"ORCHESTRA_FILE": "office.yaml"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as process:  # fmt: skip
            assert process.stdin
            assert process.stdout
            assert process.stdout.read() == b"hello"  # to its end: standard output is closed
            process.stdin.write(b"goodbye")
            process.stdin.close()
            assert process.wait(DEADLINE) == 0
        until(lambda: received)
    assert received == [b"goodbye"]


@contextmanager
def connecting(home: Home, *arguments: str, **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """A connection that stays; it is killed at the end, if it is still there."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    command = [*CONNECT, "office.yaml", *arguments]
    with subprocess.Popen(command, cwd=home.path, env=home.environ, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def digest_of(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


@pytest.fixture
def digesting(home: Home) -> Iterator[Home]:
    """A home whose web digests."""
    with service(digest) as port:
        home.write(here_to(port))
        yield home


def test_files(digesting: Home) -> None:
    data = os.urandom(1 << 20)
    (digesting.path / "in").write_bytes(data)
    with (
        (digesting.path / "in").open("rb") as source,
        (digesting.path / "out").open("wb") as sink,
        connecting(digesting, "web", stdin=source, stdout=sink) as process,
    ):
        assert process.wait(DEADLINE) == 0
    assert (digesting.path / "out").read_bytes() == digest_of(data)


def test_no_input_at_all(digesting: Home) -> None:
    with connecting(digesting, "web", stdin=subprocess.DEVNULL) as process:
        assert process.communicate(timeout=DEADLINE) == (digest_of(b""), b"")
    assert process.returncode == 0


def test_one_socket_for_both(digesting: Home) -> None:
    near, far = socket.socketpair()
    with near, connecting(digesting, "web", stdin=far, stdout=far) as process:
        far.close()
        near.sendall(b"data")
        near.shutdown(socket.SHUT_WR)
        near.settimeout(DEADLINE)
        assert b"".join(iter(lambda: near.recv(4096), b"")) == digest_of(b"data")
        assert process.wait(DEADLINE) == 0


def test_a_terminal_is_left_as_it_was(digesting: Home) -> None:
    ours, theirs = os.openpty()
    try:
        with connecting(digesting, "web", stdin=theirs, stdout=theirs) as process:
            os.write(ours, b"data\n\x04")
            answer = digest_of(b"data\n")
            shown = b""
            while answer not in shown:
                shown += os.read(ours, 4096)
            assert process.wait(DEADLINE) == 0
        assert os.get_blocking(theirs)
    finally:
        os.close(ours)
        os.close(theirs)


def test_at_a_terminal_the_last_word_is_the_targets(home: Home) -> None:
    ours, theirs = os.openpty()
    with service(lambda connected: connected.sendall(b"bye")) as port:
        home.write(here_to(port))
        try:
            with connecting(home, "web", stdin=theirs) as process:
                assert process.communicate(timeout=DEADLINE) == (b"bye", b"")
        finally:
            os.close(ours)
            os.close(theirs)
    assert process.returncode == 0


def test_a_closed_standard_input_is_said(digesting: Home) -> None:
    command = f"exec {shlex.join(CONNECT)} office.yaml web <&-"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=digesting.path,
        env=digesting.environ,
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"standard input and output are not both open" in done.stderr


@pytest.mark.parametrize("speaking", [True, False])
def test_it_ends_quietly_when_nobody_reads_any_more(home: Home, speaking: bool) -> None:
    gone = threading.Event()

    def speak(connected: socket.socket) -> None:
        connected.sendall(b"first")
        with suppress(OSError):
            while connected.recv(1) if not speaking else True:
                connected.sendall(bytes(65536))
        gone.set()

    with service(speak) as port:
        home.write(here_to(port))
        with connecting(home, "web") as process:
            assert process.stdout
            assert process.stdout.read(5) == b"first"
            process.stdout.close()
            assert process.wait(DEADLINE) == 1
            assert process.stderr
            assert process.stderr.read() == b""
        assert gone.wait(DEADLINE)


def test_a_slow_reader_stops_the_target(home: Home) -> None:
    sent: list[int] = [0]

    def flood(connected: socket.socket) -> None:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        with suppress(OSError):
            while sent[0] < 1 << 30:
                sent[0] += connected.send(bytes(65536))

    with service(flood) as port:
        home.write(here_to(port))
        with connecting(home, "web") as process:
            assert process.stdout
            process.stdout.read(1)
            settles(lambda: sent[0])
            assert sent[0] < 32 << 20


def settles(value: Callable[[], int]) -> None:
    """Returns when it has been the same for a while."""
    before, since = value(), time.monotonic()
    while time.monotonic() - since < 0.5:
        time.sleep(0.05)
        if (now := value()) != before:
            before, since = now, time.monotonic()


def test_a_reset_is_no_end(home: Home) -> None:
    def reset(connected: socket.socket) -> None:
        connected.sendall(b"half")
        connected.recv(1)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connected.close()

    with service(reset) as port:
        home.write(here_to(port))
        with connecting(home, "web") as process:
            assert process.stdout
            assert process.stdout.read(4) == b"half"
            out, err = process.communicate(b"x", timeout=DEADLINE)
    assert (process.returncode, out) == (1, b"")
    assert b"the connection to web was cut off" in err


@needs_sshd
def test_a_lost_session_is_no_end(tmp_path: Path, home: Home) -> None:
    """The way to the server breaks under a connection that carries something."""
    (tmp_path / "keys").mkdir()
    with sshd(tmp_path / "keys") as settings, service(lambda connected: connected.recv(1)) as port:
        real = int(settings.partition("port: ")[2].partition(",")[0])
        with socket.create_server(("127.0.0.1", 0)) as front:
            ahead = settings.replace(f"port: {real}", f"port: {front.getsockname()[1]}")
            home.write(f"servers: {{edge: {{ssh: {{{ahead}}}}}}}\n")
            with connecting(home, "--exit", "edge", f"localhost:{port}", "-v") as process:
                cut = threading.Event()
                threading.Thread(target=pass_on, args=(front, real, cut), daemon=True).start()
                assert process.stderr
                until(lambda: b"ready" in process.stderr.readline())  # type: ignore[union-attr]
                cut.set()
                out, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, out) == (1, b"")
    assert b"SESSION_LOST" in err


def pass_on(front: socket.socket, port: int, cut: threading.Event) -> None:
    """One connection, carried until it is cut."""
    one, _ = front.accept()
    with one, socket.create_connection(("127.0.0.1", port)) as other:
        while not cut.is_set():
            for ready in select.select([one, other], [], [], 0.01)[0]:
                (other if ready is one else one).sendall(ready.recv(65536))


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_ends_it_quietly(home: Home, signum: int, code: int) -> None:
    with service(lambda connected: (connected.sendall(b"hi"), connected.recv(1))) as port:
        home.write(here_to(port))
        with connecting(home, "web") as process:
            assert process.stdout
            assert process.stdout.read(2) == b"hi"
            process.send_signal(signum)
            assert process.communicate(timeout=DEADLINE) == (b"", b"")
    assert process.returncode == code


def test_a_server_that_never_answers(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        home.write(refusing(silent.getsockname()[1]))
        done = connect(home, "--timeout", "300ms", "office.yaml", "db")
    assert (done.returncode, done.stdout) == (124, b"")
    assert b"not ready after 0.3 s" in done.stderr


def test_what_the_model_denies(home: Home) -> None:
    home.write(UNREACHABLE)
    done = connect(home, "office.yaml", "desk")
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"FIREWALL_" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["office.yaml", "wbe"], "did you mean 'web'?"),
        (["office.yaml", "web", "more"], "write one TARGET, or a FILE and a TARGET"),
        (["office.yaml", "laptop"], "laptop has no SSH server"),
        (["office.yaml", "80"], "names no host: write HOST:PORT"),
        (["office.yaml", "web", "--exit", "nobody"], "has no host 'nobody'"),
        (["nothing.yaml", "web"], "there is no file nothing.yaml"),
        (["office.yaml", "web", "--timeout", "soon"], "is not a duration"),
    ],
)
def test_calls_that_are_wrong(cli: Callable[..., Ran], words: list[str], said: str) -> None:
    done = cli("connect", *words, files={"office.yaml": here_to(1)})
    assert (done.code, done.out) == (2, "")
    assert said in done.err
