"""What the tests of datagrams need: targets that echo, and parties that remember."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from orchestra_plugins.udp.channel import Channel, start_helper
from orchestra_plugins.udp.helper import TIERS
from orchestra_plugins.udp.names import addresses
from orchestra_plugins.udp.station import Flow

from orchestra.session import Peer
from orchestra.session.here import Here

SIZES = (0, 1, 2, 511, 512, 1232, 1472, 1473, 8192, 16385, 65507)
"""Empty; around what DNS, Ethernet and the buffers of netcat and socat can take; the most that IPv4 carries."""
DEADLINE = 20.0
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="a name server of its own takes root")
_python, _perl = TIERS


def elsewhere(nonce: bytes, window: int) -> bytes:
    """The helper in Python, waiting as it does on other systems than Linux."""
    return b"import select\nselect.__dict__.pop('epoll', None)\n" + _python.text(nonce, window)


tiers = pytest.mark.parametrize(
    "tier",
    [
        pytest.param(_python, id="python3"),
        pytest.param(replace(_python, text=elsewhere), id="python3-elsewhere"),
        pytest.param(_perl, id="perl"),
    ],
)


class Party:
    """Remembers, and says when there is something new."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.notes: Counter[str] = Counter()
        self.why: list[str] = []
        self._changed = asyncio.Event()

    def received(self, data: bytes, /) -> None:
        self.got.append(data)
        self._changed.set()

    def noted(self, cause: str, count: int, /) -> None:
        self.notes[cause] += count
        self._changed.set()

    def ended(self, why: str, /) -> None:
        self.why.append(why)
        self._changed.set()

    async def until(self, true: Callable[[], object], deadline: float = DEADLINE) -> None:
        """Waits until something is true of it."""
        try:
            async with asyncio.timeout(deadline):
                while not true():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{len(self.got)} received, {self.notes}, {self.why}") from None


class Echoing(Party):
    """Sends back what it receives."""

    flow: Flow

    def received(self, data: bytes, /) -> None:
        super().received(data)
        self.flow.send(data)


class Visited(Party):
    """A listener's: what each peer sends is echoed to it."""

    def __init__(self) -> None:
        super().__init__()
        self.peers: list[tuple[Peer, Echoing]] = []

    def arrived(self, flow: Flow, peer: Peer) -> Party:
        party = Echoing()
        party.flow = flow
        self.peers.append((peer, party))
        return party


@contextmanager
def target(host: str = "127.0.0.1", *, echo: bool = True) -> Iterator[tuple[int, list[tuple[Any, bytes]]]]:
    """A UDP service of this machine: its port, and who has sent what. asyncio's own would not echo what is empty."""
    loop, heard = asyncio.get_running_loop(), list[tuple[Any, bytes]]()
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.bind((host, 0))
    sock.setblocking(False)

    def readable() -> None:
        while True:
            try:
                data, address = sock.recvfrom(65536)
            except OSError:
                return
            heard.append((address, data))
            if echo:
                sock.sendto(data, address)

    loop.add_reader(sock, readable)
    try:
        yield sock.getsockname()[1], heard
    finally:
        loop.remove_reader(sock)
        sock.close()


@contextmanager
def silent_name_server() -> Iterator[tuple[str, socket.socket]]:
    """One that hears questions and answers none: the script for :func:`far` whose helper asks it, and its socket."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, tempfile.NamedTemporaryFile("w") as config:
        server.setblocking(False)
        server.bind((f"127.53.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}", 53))
        config.write(f"nameserver {server.getsockname()[0]}\noptions timeout:20 attempts:1\n")
        config.flush()
        yield (
            f"unshare --mount /bin/sh /dev/fd/3 3<<'END'\nmount --bind {config.name} /etc/resolv.conf\nCOMMAND\nEND",
            server,
        )


class Lookups:
    """Of names, which end when a test says so: what :class:`orchestra_plugins.udp.names.Names` is given."""

    def __init__(self) -> None:
        self.begun: dict[str, Callable[[], object]] = {}
        """By host, those that have not ended."""
        self.answers: dict[str, tuple[list[Any], OSError | None]] = {}

    def look(self, host: str, port: int) -> tuple[list[Any], OSError | None]:
        """What the test says of a host, else that it is here."""
        return self.answers.setdefault(host, addresses("127.0.0.1", port))

    def begin(self, work: Callable[[tuple[str, int]], object], name: tuple[str, int]) -> None:
        """In place of a thread."""
        assert name[0] not in self.begun
        self.begun[name[0]] = lambda: work(name)

    def end(self, host: str) -> None:
        """One has its answer."""
        self.begun.pop(host)()


def answer(question: bytes, address: str) -> bytes:
    """The answer to a question of DNS for a name's IPv4 address; that it has none to one of another type."""
    asked, is_a = question[12:].split(b"\0", 1)[0] + b"\0", question[-4:-2] == b"\0\1"
    found = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(address)
    head = question[:2] + b"\x81\x80\0\1\0" + bytes([is_a]) + b"\0\0\0\0"
    return head + asked + question[12 + len(asked) : 16 + len(asked)] + found * is_a


async def asked_there(port: int, host: str) -> None:
    """A client that takes answers from nobody but the address that it asks, and from a second one."""
    for _ in range(2):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect((host, port))
            for data in (b"one", b"two"):
                sock.send(data)
                assert await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, 10), DEADLINE) == data


def closed_port(host: str = "127.0.0.1") -> int:
    """A port at which nobody takes datagrams."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((host, 0))
        port: int = sock.getsockname()[1]
        return port


class Shell(Here):
    """This machine, whose shell does something else first, or instead."""

    def __init__(self, script: str) -> None:
        super().__init__("far")
        self.script = script
        self.processes: list[Any] = []

    async def create_process(self, make: Any, command: str) -> Any:
        started = await super().create_process(make, self.script.replace("COMMAND", command))
        self.processes.append(started[0])
        return started

    # What makes it a session that has no sockets of this process.

    create_datagram_connection = None


@asynccontextmanager
async def far(script: str = "COMMAND") -> AsyncIterator[Shell]:
    """A place that runs helpers, and has none of them left at the end."""
    session = Shell(script)
    try:
        yield session
    finally:
        for process in session.processes:
            await until(lambda: process._transport._loop is None)  # noqa: B023 - asyncio's own mark of the end


@asynccontextmanager
async def helper(tier: Any) -> AsyncIterator[Channel]:
    """One that runs on this machine."""
    async with far() as session:
        channel = await start_helper(session, (tier,))
        try:
            yield channel
        finally:
            channel.close()


async def until(true: Callable[[], object], deadline: float = DEADLINE) -> None:
    """Waits for what nobody tells: the end of a process."""
    async with asyncio.timeout(deadline):
        while not true():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.005)


def lives(pid: int) -> bool:
    """Whether that process runs."""
    try:
        return "Z (zombie)" not in Path(f"/proc/{pid}/status").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):  # before it was opened, or read
        return False


def play(scene: Callable[[], Awaitable[None]]) -> None:
    """Runs it."""

    async def run() -> None:
        await scene()

    asyncio.run(run())
