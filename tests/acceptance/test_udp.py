"""UDP through real sshd in namespaces: two hops, both directions, and what happens when a helper is not to be had."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from orchestra_plugins.udp.bridge import Bridge, Bridges

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.session.protocols import Datagrams
from tests.acceptance.world import LABS, World, play, world
from tests.engine.ssh.sshd import Keys, descendants, needs_sshd, opened
from tests.plugins.udp.rig import SIZES, Party, Visited, lives, target, until

EXAMPLE = Path(__file__).parents[2] / "topologies" / "udp.yaml"
NETNS = LABS[1:]


async def exchange(sock: socket.socket, data: bytes, deadline: float = 5.0) -> bytes:
    """Sends one datagram and waits for one."""
    loop = asyncio.get_running_loop()
    sock.setblocking(False)
    sock.send(data)
    async with asyncio.timeout(deadline):
        return await loop.sock_recv(sock, 65536)


def client(up: World, tunnel: str, index: int = 0) -> socket.socket:
    """A socket of this machine, connected to where the tunnel is entered."""
    host, port = up.entrance(tunnel, index)
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((host, port))
    return sock


@pytest.mark.parametrize("kind", NETNS)
def test_datagrams_through_two_hops_and_back(kind: str) -> None:
    async def scene() -> None:
        async with world(EXAMPLE, kind) as up:
            await up.until_ready()
            for index in (0, 1):
                with client(up, "plc", index) as sock:
                    assert await exchange(sock, b"read 7") == b"plc on plc read 7"
            machine = up.lab.guest("machines")
            assert isinstance(machine, Datagrams)
            with await machine.create_datagram_connection("10.30.0.3", 5140) as sock:
                assert await exchange(sock, b"<13>hello") == b"syslog on laptop <13>hello"
            counters = up.tunnel("plc").counters
            assert (counters["flows"], counters["datagrams_out"], counters["datagrams_in"]) == (2, 2, 2)

    play(scene())


def pid_of(bridge: Bridge) -> int:
    return int(bridge.about.split()[2])


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def programs(tmp_path: Path) -> Callable[..., str]:
    """A line of sshd_config by which commands find these programs and no others."""

    def only(*names: str) -> str:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in names:
            real = sys.executable if name == "python3" else shutil.which(name) or ""
            (folder / name).symlink_to(Path(real).resolve())
        return f'ForceCommand PATH={folder}; export PATH; eval "$SSH_ORIGINAL_COMMAND"'

    return only


@needs_sshd
@pytest.mark.parametrize("language", ["python3", "perl"])
@pytest.mark.parametrize("hops", [1, 2])
def test_both_languages_over_sshd(hops: int, language: str, keys: Keys, programs: Callable[..., str]) -> None:
    async def scene() -> None:
        with target() as (port, _), target("::1") as (port6, _):
            async with opened(keys, programs(language), hops=hops) as (_, session, _):
                bridge = await Bridges().open(session)
                assert bridge.about.startswith(language[:4])
                party, other = Party(), Party()
                flow = bridge.flow(party, "127.0.0.1", port)
                for index, size in enumerate(SIZES):
                    flow.send(b"x" * size)
                    await party.until(lambda: len(party.got) == index + 1)  # noqa: B023
                assert [len(data) for data in party.got] == list(SIZES)
                bridge.flow(other, "::1", port6).send(b"six")
                await other.until(lambda: other.got == [b"six"])
                for number in range(1000):
                    flow.send(number.to_bytes(2))
                await party.until(lambda: len(party.got) + party.notes.total() >= len(SIZES) + 1000)
                assert len(party.got) + party.notes.total() == len(SIZES) + 1000
                assert not other.notes

    play(scene())


@needs_sshd
def test_a_helper_is_gone_within_a_second_of_its_session(keys: Keys) -> None:
    async def scene() -> None:
        async with opened(keys, hops=2) as (_, session, _):
            bridge, party = await Bridges().open(session), Party()
            listening = await bridge.listen(Visited(), "127.0.0.1", 0)
            bridge.flow(party, "127.0.0.1", 9)
            pid = pid_of(bridge)
            assert lives(pid)
            session.abort()
            await until(lambda: not lives(pid), 1.0)
            await party.until(lambda: party.why)
            assert bridge.is_over
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.bind(("127.0.0.1", listening.port))

    play(scene())


@needs_sshd
def test_one_channel_serves_where_sshd_permits_one(keys: Keys) -> None:
    async def scene() -> None:
        with target() as (port, _):
            async with opened(keys, "MaxSessions 1", "AllowTcpForwarding no") as (_, session, _):
                shared = Bridges()
                bridges = [await shared.open(session) for _ in range(12)]
                parties = [Party() for _ in bridges]
                for bridge, party in zip(bridges, parties, strict=True):
                    bridge.flow(party, "127.0.0.1", port).send(b"x")
                for party in parties:
                    await party.until(lambda: party.got == [b"x"])  # noqa: B023

    play(scene())


@needs_sshd
def test_login_files_that_talk_are_listened_through(keys: Keys, tmp_path: Path, programs: Callable[..., str]) -> None:
    noise = tmp_path / "noise"
    noise.write_text("printf 'Welcome to \\033[1mgateway\\033[0m\\n'; head -c 10240 /dev/urandom\n")

    async def scene() -> None:
        async with opened(keys, f"SetEnv BASH_ENV={noise}", programs("python3")) as (_, session, _):
            bridge = await Bridges().open(session)
            assert bridge.about.startswith("python3")

    play(scene())


@needs_sshd
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ForceCommand echo only git is served here", "said: only git is served here"),
        ("ForceCommand /usr/sbin/nologin", "This account is currently not available"),
        ("nothing", "gateway has neither python3 nor perl"),
    ],
)
def test_what_keeps_a_helper_from_running_is_said(
    line: str, said: str, keys: Keys, programs: Callable[..., str]
) -> None:
    async def scene() -> None:
        async with opened(keys, programs() if line == "nothing" else line) as (_, session, _):
            with pytest.raises(RuntimeFailure) as failed:
                await Bridges().open(session)
            assert failed.value.code is Code.HELPER_FAILED
            assert said in failed.value.message
            assert session.state == "open"

    play(scene())


@pytest.mark.parametrize("kind", NETNS)
def test_a_helper_that_is_killed_and_a_server_that_restarts(kind: str) -> None:
    async def scene() -> None:
        async with world(EXAMPLE, kind) as up:
            await up.until_ready()
            with client(up, "plc") as sock:
                assert await exchange(sock, b"one") == b"plc on plc one"
                for pid in helpers():
                    os.kill(pid, signal.SIGKILL)
                assert await insist(sock, b"two") == b"plc on plc two"
                await up.lab.stop_server("gateway")
                await up.until(lambda: up.tunnel("plc").state != "ready")
                await up.lab.start_server("gateway")
                await up.until_ready()
                assert await insist(sock, b"three") == b"plc on plc three"
            machine = up.lab.guest("machines")
            assert isinstance(machine, Datagrams)
            with await machine.create_datagram_connection("10.30.0.3", 5140) as sock:
                assert await insist(sock, b"<13>again") == b"syslog on laptop <13>again"
        await until(lambda: not helpers(), 1.0)

    play(scene())


def helpers() -> list[int]:
    """The helpers among the processes below this one's labs."""
    found = []
    for pid in descendants(os.getpid()):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[1:4] == [b"-I", b"-S", b"-c"] and b"sys.stdin.buffer" in words[4]:
            found.append(pid)
    return found


async def insist(sock: socket.socket, data: bytes) -> bytes:
    """As a client of UDP does: asks again until there is an answer to it."""
    for _ in range(100):
        try:
            got = await exchange(sock, data, 0.2)
        except (TimeoutError, ConnectionRefusedError):
            continue
        if got.endswith(data):
            return got
    raise AssertionError(f"no answer to {data!r}")
