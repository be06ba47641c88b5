"""What runs is changed while it is used, through real sshd: nothing that does not change is touched."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from orchestra.cli import main
from tests.cli.instances import DEADLINE, Home, needs_sshd, sshd, until
from tests.engine.ssh.sshd import free_port

pytestmark = needs_sshd

CHUNK = random.Random(7).randbytes(1 << 18)  # noqa: S311


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    for part in ("run", "state"):
        (tmp_path / part).mkdir(mode=0o700)
    made = Home(tmp_path)
    yield made
    made.end()


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str


Cli: TypeAlias = Callable[..., Ran]


@pytest.fixture
def cli(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs a command of the user of ``home`` in this process."""
    home.enter(monkeypatch)

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(arguments)
        return Ran(code, *capsys.readouterr())

    return run


@contextmanager
def service(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A service on loopback, a thread for each who comes."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:

        def serve() -> None:
            while True:
                try:
                    connected, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=talk, args=(connected,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def says(word: bytes) -> Callable[[socket.socket], None]:
    def talk(connected: socket.socket) -> None:
        with connected:
            connected.sendall(word)

    return talk


def keeps(connected: socket.socket) -> None:
    """Says back what it hears, as long as somebody talks."""
    with connected:
        while heard := connected.recv(4096):
            connected.sendall(heard)


class Stream:
    """Sends until it is told to stop; then what was sent has a digest."""

    def __init__(self) -> None:
        self.enough = threading.Event()
        self.digest = hashlib.sha256()

    def __call__(self, connected: socket.socket) -> None:
        with connected:
            first = connected.recv(1)
            while first and not self.enough.wait(0.01):
                connected.sendall(CHUNK)
                self.digest.update(CHUNK)


class Reader(threading.Thread):
    """Reads to the end of file; ``digest`` is of everything that came."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.digest = hashlib.sha256()
        self.received = 0
        self.connected = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        self.connected.sendall(b"!")

    def run(self) -> None:
        with self.connected:
            while data := self.connected.recv(1 << 16):
                self.digest.update(data)
                self.received += len(data)


def one_tunnel(ssh: str, target: int, port: int) -> str:
    """A file with one server, one target there, and one tunnel to it."""
    return f"""\
servers: {{a: {{ssh: {{{ssh}}}}}}}
targets: {{t: {{address: '127.0.0.1:{target}', host: a}}}}
tunnels: {{t: {{listen: 'localhost:{port}'}}}}
"""


def test_a_transfer_over_two_hops_is_whole_after_ten_reloads_of_everything_else(home: Home, cli: Cli) -> None:
    stream, port, others = Stream(), free_port(), [free_port() for _ in range(3)]
    with sshd(home.path) as ssh, service(stream) as bulk, service(says(b"hello")) as small:

        def write(step: int) -> None:
            """Each time other tunnels and sessions, other settings of those, and another check of this tunnel."""
            more = [
                f"  t{n}: {{to: small, listen: 'localhost:{others[n]}', via: [c]}}\n"
                for n in range(3)
                if (step + n) % 3
            ]
            home.write(
                f"servers:\n  a: {{ssh: {{{ssh}}}}}\n  b: {{ssh: {{{ssh}}}, behind: a}}\n"
                f"  c: {{ssh: {{{ssh}, keepalive: {10 + step}s}}, behind: a}}\n"
                f"targets:\n  bulk: {{address: '127.0.0.1:{bulk}', host: b}}\n"
                f"  small: {{address: '127.0.0.1:{small}', host: c}}\n"
                f"tunnels:\n  bulk: {{listen: 'localhost:{port}', check: none, hold: {1 + step % 3}s}}\n"
                + "".join(more)
            )

        write(0)
        done = cli("up", "-d", "-q", "office.yaml")
        assert done.code == 0, done.err
        reader = Reader(port)
        reader.start()
        until(lambda: reader.received > 0)
        for step in range(1, 11):
            before = reader.received
            write(step)
            done = cli("reload", "--drain", "1")
            assert done.code == 0, done.err
            assert "~ session c" in done.out
            assert "= session a, session b" in done.out
            until(lambda before=before: reader.received > before)  # type: ignore[misc]
        stream.enough.set()
        reader.join(DEADLINE)
        assert not reader.is_alive()
        assert reader.digest.hexdigest() == stream.digest.hexdigest()
        assert reader.received > 10 * len(CHUNK)


def test_while_a_tunnel_gets_another_target_and_session_nobody_is_refused(home: Home, cli: Cli) -> None:
    port, answers, over = free_port(), list[bytes](), threading.Event()

    def knock() -> None:
        while not over.is_set():
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as connected:
                    answers.append(connected.recv(16))
            except OSError as error:
                answers.append(str(error).encode())

    with sshd(home.path) as ssh, service(says(b"one")) as one, service(says(b"two")) as two:

        def write(target: int, keepalive: int) -> None:
            home.write(one_tunnel(f"{ssh}, keepalive: {keepalive}s", target, port))

        write(one, 10)
        assert cli("up", "-d", "-q", "office.yaml").code == 0
        knocking = threading.Thread(target=knock, daemon=True)
        knocking.start()
        until(lambda: b"one" in answers)
        for target, keepalive in ((two, 10), (one, 10), (two, 20)):
            write(target, keepalive)
            done = cli("reload")
            assert done.code == 0, done.err
            count = len(answers)
            until(lambda count=count: len(answers) > count + 3)  # type: ignore[misc]
        over.set()
        knocking.join(DEADLINE)
    assert set(answers) == {b"one", b"two"}
    assert answers[-1] == b"two"
    assert len(answers) > 20


def test_a_session_with_other_settings_takes_over_and_the_old_one_ends_with_its_last_connection(
    home: Home, cli: Cli
) -> None:
    port = free_port()
    with sshd(home.path) as ssh, service(keeps) as echo:

        def write(keepalive: int) -> None:
            home.write(one_tunnel(f"{ssh}, keepalive: {keepalive}s", echo, port))

        def sessions() -> str:
            return cli("status").out

        write(10)
        assert cli("up", "-d", "-q", "office.yaml").code == 0
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as old:
            old.sendall(b"before")
            assert old.recv(16) == b"before"
            write(20)
            assert cli("reload").code == 0
            assert "a~2" in sessions()
            old.sendall(b"after")
            assert old.recv(16) == b"after"
            with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as new:
                new.sendall(b"new")
                assert new.recv(16) == b"new"
        until(lambda: "a " not in sessions().replace("a~2", ""))
        write(10)
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as late:
            late.sendall(b"x")
            assert late.recv(16) == b"x"
            assert cli("reload", "--drain", "1").code == 0
            with pytest.raises(ConnectionResetError):  # its time to drain was over
                late.recv(16)


def sender(port: int) -> socket.socket:
    """A peer of a tunnel of datagrams."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(DEADLINE)
    sock.connect(("127.0.0.1", port))
    return sock


def test_datagrams_are_carried_all_the_while_and_each_flow_holds_the_old_session_until_it_sends_or_is_cut(
    home: Home, cli: Cli
) -> None:
    port = free_port()
    with (
        sshd(home.path) as ssh,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as service,
        sender(port) as talks,
        sender(port) as listens,
    ):
        service.settimeout(DEADLINE)
        service.bind(("127.0.0.1", 0))

        def write(keepalive: int) -> None:
            home.write(
                f"servers: {{a: {{ssh: {{{ssh}, keepalive: {keepalive}s}}}}}}\n"
                f"targets: {{t: {{address: '127.0.0.1:{service.getsockname()[1]}', host: a, protocol: udp}}}}\n"
                f"tunnels: {{t: {{listen: 'localhost:{port}', kind: udp}}}}\n"
            )

        def asked(client: socket.socket, data: bytes) -> tuple[str, int]:
            """As whom the service knows that client, whom it has answered."""
            client.send(data)
            heard, address = service.recvfrom(64)
            assert heard == data
            service.sendto(data, address)
            assert client.recv(64) == data
            known: tuple[str, int] = address
            return known

        def sessions() -> list[str]:
            return [session["id"] for session in status()["sessions"]]

        def status() -> dict[str, Any]:
            found: dict[str, Any] = json.loads(cli("status", "-o", "json").out)
            return found

        write(10)
        assert cli("up", "-d", "-q", "office.yaml").code == 0
        asked(talks, b"before")
        silent = asked(listens, b"subscribe")
        write(20)
        assert cli("reload").code == 0
        asked(talks, b"after")
        assert sessions() == ["a", "a~2"]  # for who has sent nothing since
        service.sendto(b"news", silent)
        assert listens.recv(64) == b"news"
        assert asked(listens, b"more") != silent
        until(lambda: sessions() == ["a~2"])
        assert status()["tunnels"][0]["counters"]["flows_moved"] == 2
        write(10)
        assert cli("reload", "--drain", "100ms").code == 0
        until(lambda: "a~2" not in sessions())  # its time to drain was over, and it took the flows along
        asked(talks, b"again")
        counters = status()["tunnels"][0]["counters"]
        assert (counters["flows"], counters["flows_opened"], counters["flows_moved"]) == (1, 3, 2)


def test_a_key_that_does_not_let_in_leaves_the_tunnel_as_it_was(home: Home, cli: Cli) -> None:
    port = free_port()
    with sshd(home.path) as ssh, service(says(b"one")) as one:

        def write(settings: str) -> None:
            home.write(one_tunnel(settings, one, port))

        write(ssh)
        assert cli("up", "-d", "-q", "office.yaml").code == 0
        (home.path / "wrong").write_bytes((home.path / "host").read_bytes())
        (home.path / "wrong").chmod(0o600)
        write(ssh.replace(f"identity: {home.path / 'user'}", f"identity: {home.path / 'wrong'}"))
        refused = cli("reload")
        assert refused.code == 4
        assert "AUTH_FAILED" in refused.err
        assert "it goes on as it was" in refused.err
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as connected:
            assert connected.recv(16) == b"one"
        write(ssh)
        mended = cli("reload")
        assert mended.code == 0, mended.err
        assert "before the last reload" not in cli("status").out


def test_a_port_that_somebody_has_leaves_the_tunnel_where_it_was(home: Home, cli: Cli) -> None:
    port = free_port()
    with sshd(home.path) as ssh, service(says(b"one")) as one, socket.create_server(("127.0.0.1", 0)) as taken:

        def write(listen: int) -> None:
            home.write(one_tunnel(ssh, one, listen))

        write(port)
        assert cli("up", "-d", "-q", "office.yaml").code == 0
        write(taken.getsockname()[1])
        refused = cli("reload")
        assert refused.code == 1
        assert "LISTEN_IN_USE" in refused.err
        assert "it goes on as it was" in refused.err
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as connected:
            assert connected.recv(16) == b"one"


def test_going_down_with_time_to_drain_waits_for_who_is_there_and_lets_nobody_in(home: Home, cli: Cli) -> None:
    port = free_port()
    with sshd(home.path) as ssh, service(keeps) as echo:
        home.write(one_tunnel(ssh, echo, port))
        assert cli("up", "-d", "-q", "office.yaml").code == 0
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as connected:
            connected.sendall(b"x")
            assert connected.recv(16) == b"x"
            with home.started("down", "--drain", "5m") as down:
                until(lambda: is_refused(port))
                connected.sendall(b"still here")
                assert connected.recv(16) == b"still here"
                assert cli("reload").code == 1
                assert down.process.poll() is None
                connected.close()
                assert down.ends() == (0, "office is down\n")


def is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return True
    return False


def test_flows_of_datagrams_end_with_their_listener_and_hold_up_nobody_who_goes_down(home: Home, cli: Cli) -> None:
    port, streams = free_port(), free_port()
    with (
        sshd(home.path) as ssh,
        service(keeps) as echo,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        sender(port) as peer,
    ):
        datagrams.settimeout(DEADLINE)
        datagrams.bind(("127.0.0.1", 0))
        home.write(
            f"servers: {{a: {{ssh: {{{ssh}}}}}}}\n"
            f"targets:\n"
            f"  t: {{address: '127.0.0.1:{echo}', host: a}}\n"
            f"  u: {{address: '127.0.0.1:{datagrams.getsockname()[1]}', host: a, protocol: udp}}\n"
            f"tunnels: {{t: {{listen: 'localhost:{streams}'}}, u: {{listen: 'localhost:{port}', kind: udp}}}}\n"
        )
        assert cli("up", "-d", "-q", "office.yaml").code == 0
        peer.send(b"question")
        asked, flow = datagrams.recvfrom(16)
        datagrams.sendto(b"answer", flow)
        assert (asked, peer.recv(16)) == (b"question", b"answer")
        with (
            socket.create_connection(("127.0.0.1", streams), timeout=DEADLINE) as connected,
            home.started("down", "--drain", "5m") as down,
        ):
            until(lambda: is_deaf(peer))
            connected.sendall(b"still here")
            assert connected.recv(16) == b"still here"
            connected.close()
            assert down.ends() == (0, "office is down\n")


def is_deaf(peer: socket.socket) -> bool:
    """Whether nobody takes its datagrams: of a port that is closed the first tells the second."""
    try:
        peer.send(b"?")
    except ConnectionRefusedError:
        return True
    return False


def test_connections_that_do_not_end_in_time_are_cut(home: Home, cli: Cli) -> None:
    port = free_port()
    with sshd(home.path) as ssh, service(keeps) as echo:
        home.write(one_tunnel(ssh, echo, port))
        assert cli("up", "-d", "-q", "office.yaml").code == 0
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as connected:
            connected.sendall(b"x")
            assert connected.recv(16) == b"x"
            assert cli("down", "--drain", "300ms").code == 0
            with pytest.raises(ConnectionResetError):
                connected.recv(16)


def test_a_signal_reloads_what_is_detached(home: Home, cli: Cli) -> None:
    with service(says(b"one")) as one:
        text = f"""\
clients: {{{{here: {{{{}}}}}}}}
targets: {{{{t: {{{{address: '127.0.0.1:{one}', host: here}}}}}}}}
tunnels: {{{{t: {{{{listen: 'localhost:{{}}'}}}}}}}}
"""
        ports = free_port(), free_port()
        home.write(text.format(ports[0]))
        assert cli("up", "-d", "-q", "office.yaml").code == 0
        home.write(text.format(ports[1]))
        os.kill(home.pid(), signal.SIGHUP)
        until(lambda: not is_refused(ports[1]))
        until(lambda: is_refused(ports[0]))
        home.write("targets: [")
        os.kill(home.pid(), signal.SIGHUP)
        until(lambda: "not reloaded" in cli("logs").out)
        assert "YAML_SYNTAX" in cli("logs").out
        assert not is_refused(ports[1])


def test_a_listener_at_a_server_moves_with_its_session(home: Home, cli: Cli) -> None:
    port = free_port()
    with sshd(home.path) as ssh, service(says(b"one")) as one:

        def write(keepalive: int) -> None:
            home.write(
                f"clients: {{here: {{}}}}\nservers: {{a: {{ssh: {{{ssh}, keepalive: {keepalive}s}}}}}}\n"
                f"targets: {{t: {{address: '127.0.0.1:{one}', host: here}}}}\n"
                f"tunnels: {{t: {{at: a, from: a, listen: '127.0.0.1:{port}'}}}}\n"
            )

        write(10)
        done = cli("up", "-d", "-q", "office.yaml")
        assert done.code == 0, done.err
        for keepalive in (20, 30):
            write(keepalive)
            done = cli("reload")
            assert done.code == 0, done.err
            with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as connected:
                assert connected.recv(16) == b"one"
