"""What every kind of tunnel that binds by itself has to do, and whatever else carries datagrams, as rules that any
implementation is run through: by a whole engine, with real sockets and programs of this machine and without sshd::

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
    def test_mine(rule):
        hold(rule, Subject(my_plugin, "kind: parcels, to: service"))

Where clients do not just send datagrams to the listener (a proxy), ``client`` says how they do it.
"""

# ruff: noqa: S101 - rules are assertions

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Protocol, TypeAlias

from orchestra.diagnostics import Code
from orchestra.model.frozen import dataclass
from orchestra.testing.machine import LOOPBACK, Echo, MachineBench, until

SIZES = (0, 1, 2, 511, 512, 1232, 1472, 1473, 8192, 16385)
"""Empty; around what DNS, Ethernet and the buffers of programs can take. The most that a client can send comes last."""
MOST = 65507
"""Bytes of a datagram over IPv4."""
TEXT = """
clients: {{laptop: }}
servers: {{gateway: {{ssh: {{host: gateway.example, port: {ssh}}}}}}}
targets: {{service: {{host: gateway, address: "127.0.0.1:{target}", protocol: udp}}}}
tunnels: {{way: {{listen: "127.0.0.1:{listen}", hold: 5s, {tunnel}}}}}
"""
PATIENCE = 10.0
"""Seconds that an answer may take."""
AGAIN = 0.1
"""Seconds after which a client asks again, where something may have been lost."""
DEADLINE = 40.0
"""Seconds that a rule may take."""
FLOOD, LARGE, LOT = 320, 8192, 8
"""Datagrams, and bytes of each: more than may wait anywhere; so many are sent at a time."""


class Client(Protocol):
    """Whoever sends datagrams to the target through a tunnel."""

    def send(self, data: bytes, /) -> None: ...

    async def receive(self) -> bytes:
        """What came back."""
        ...


Connect: TypeAlias = Callable[[MachineBench, int], AbstractAsyncContextManager[Client]]
"""A new client of the tunnel ``way``; the number is the target's port, where clients have to say it."""


class _Direct:
    """A socket that takes answers from nobody but the listener's address."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def send(self, data: bytes, /) -> None:
        self._sock.send(data)

    async def receive(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self._sock, 65536)


@asynccontextmanager
async def direct(bench: MachineBench, _target: int) -> AsyncIterator[Client]:
    """Clients of a plain kind send to its listener."""
    host, _, port = bench.status("way").listen[0].rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((host, int(port)))
        yield _Direct(sock)


@dataclass(frozen=True, slots=True)
class Subject:
    """A kind: the plugin that adds it, and the keys of a tunnel of that kind, which leaves at ``gateway``.

    ``most``: bytes of a datagram that a client can send; a proxy's clients write a header before it.
    """

    plugin: object
    tunnel: str
    client: Connect = direct
    most: int = MOST


@dataclass(frozen=True, slots=True)
class Field:
    """What a rule is held on: the tunnel ``way`` from here to ``gateway``, and an echo that is its target."""

    subject: Subject
    bench: MachineBench
    target: Echo
    clients: AsyncExitStack
    listen: int

    async def client(self) -> Client:
        """Another one, once the tunnel is ready."""
        await self.bench.until("way", "ready")
        return await self.clients.enter_async_context(self.subject.client(self.bench, self.target.port))

    def text(self, ssh: int = 22) -> str:
        """The topology, with the port of its server's sshd."""
        return _text(self.subject, self.target.port, self.listen, ssh)

    @property
    def dropped(self) -> int:
        """Datagrams that are counted as lost, whatever the cause."""
        counters = self.bench.status("way").counters
        return sum(count for name, count in counters.items() if name.startswith("dropped_"))


Rule: TypeAlias = Callable[[Field], Awaitable[None]]


def hold(rule: Rule, subject: Subject) -> None:
    """Runs one rule; a program, a socket or a task that is left when the engine has stopped is a failure too."""

    async def main() -> None:
        listen = _free_port()
        async with asyncio.timeout(DEADLINE):
            with Echo() as target:
                bench = MachineBench(_text(subject, target.port, listen), subject.plugin)
                async with bench.running(), AsyncExitStack() as clients:
                    await rule(Field(subject, bench, target, clients, listen))

    asyncio.run(main())


def _text(subject: Subject, target: int, listen: int, ssh: int = 22) -> str:
    return TEXT.format(target=target, listen=listen, ssh=ssh, tunnel=subject.tunnel)


def _free_port() -> int:
    """One that is free by UDP and by TCP, below those that the system gives to clients meanwhile."""
    return next(port for port in iter(lambda: random.randrange(12_000, 32_000), 0) if not _is_taken(port))  # noqa: S311


async def _receive(client: Client) -> bytes:
    try:
        return await asyncio.wait_for(client.receive(), PATIENCE)
    except TimeoutError:
        raise AssertionError("no answer comes") from None


async def _ask(client: Client, data: bytes) -> None:
    client.send(data)
    answer = await _receive(client)
    assert answer == data, f"{len(data)} bytes came back as {len(answer)}, or as others"


async def _ask_until_answered(client: Client, data: bytes) -> None:
    """What is sent while something breaks may be lost; what is sent afterwards is not."""
    loop = asyncio.get_running_loop()
    until_ = loop.time() + PATIENCE
    while loop.time() < until_:
        client.send(data)
        try:
            while await asyncio.wait_for(client.receive(), AGAIN) != data:
                """An answer from before."""
        except TimeoutError:
            continue
        return
    raise AssertionError("it does not come back")


async def every_size_arrives_whole_and_comes_back(field: Field) -> None:
    client = await field.client()
    for size in (*SIZES, field.subject.most):
        await _ask(client, bytes(number % 251 for number in range(size)))
    assert [len(data) for _, data in field.target.heard] == [*SIZES, field.subject.most]


async def none_is_merged_with_another_or_overtakes_it(field: Field) -> None:
    client = await field.client()
    await _ask(client, b"first")
    sent = [b"%d" % number * number for number in range(1, 50)]
    for data in sent:
        client.send(data)
    assert [await _receive(client) for _ in sent] == sent
    assert [data for _, data in field.target.heard[1:]] == sent


async def clients_do_not_hear_one_another(field: Field) -> None:
    clients = [await field.client() for _ in range(10)]
    for turn in range(3):
        for number, client in enumerate(clients):
            client.send(b"%d of %d" % (turn, number))
        for number, client in enumerate(clients):
            assert await _receive(client) == b"%d of %d" % (turn, number)
    assert len({address for address, _ in field.target.heard}) == len(clients), "the target cannot tell them apart"


async def a_target_may_say_more_than_it_was_asked(field: Field) -> None:
    client = await field.client()
    await _ask(client, b"subscribe")
    for number in range(5):
        field.target.send(b"news %d" % number, field.target.heard[0][0])
    assert [await _receive(client) for _ in range(5)] == [b"news %d" % number for number in range(5)]


async def a_target_that_is_not_there_ends_nothing(field: Field) -> None:
    client = await field.client()
    await _ask(client, b"here")
    field.target.close()
    for _ in range(3):
        client.send(b"anybody?")
        await asyncio.sleep(AGAIN / 2)
    with Echo(field.target.port):
        await _ask_until_answered(client, b"here again")
    assert field.bench.status("way").state == "ready"


async def a_path_that_returns_is_taken_again(field: Field) -> None:
    client = await field.client()
    await _ask(client, b"before")
    field.bench.server("gateway").abort()
    await field.bench.until_true(lambda: field.bench.status("way").state != "ready")
    await _ask_until_answered(client, b"after")


async def what_is_killed_at_the_exit_is_begun_anew(field: Field) -> None:
    client = await field.client()
    await _ask(client, b"before")
    gateway = field.bench.server("gateway")
    gateway.kill()
    await until(lambda: not gateway.runs, "the end of what ran there", PATIENCE)
    await _ask_until_answered(client, b"after")


async def a_session_that_is_replaced_is_kept_for_what_it_carries(field: Field) -> None:
    """An answer to what was asked before comes by it."""
    client, bench = await field.client(), field.bench
    await _ask(client, b"before")
    field.target.answers = False
    client.send(b"question")
    await until(lambda: len(field.target.heard) == 2, "the question at the target", PATIENCE)
    old = bench.server("gateway")
    bench.change(field.text(ssh=2222))
    await bench.until_true(lambda: not bench.engine.coming())
    await bench.until("way", "ready")
    assert bench.server("gateway") is not old
    field.target.send(b"answer", field.target.heard[1][0])
    assert await _receive(client) == b"answer"
    assert old.state == "open"
    field.target.answers = True
    await _ask_until_answered(client, b"after")


async def what_a_stalled_way_cannot_take_is_dropped_and_counted(field: Field) -> None:
    client = await field.client()
    await _ask(client, b"before")
    gateway, before = field.bench.server("gateway"), field.dropped
    field.target.answers = False
    gateway.stall()
    for start in range(0, FLOOD, LOT):
        for number in range(start, start + LOT):
            client.send(number.to_bytes(4, "big") * (LARGE // 4))
        await asyncio.sleep(0.001)
    gateway.go_on()
    arrived = field.target.heard
    await until(lambda: len(arrived) - 1 + field.dropped - before >= FLOOD, "an account of all", PATIENCE)
    assert len(arrived) - 1 + field.dropped - before == FLOOD
    numbers = [int.from_bytes(data[:4], "big") for _, data in arrived[1:]]
    assert all(data == data[:4] * (LARGE // 4) for _, data in arrived[1:]), "they are not as they were sent"
    assert numbers == sorted(set(numbers)), "they come twice, or out of order"
    field.target.answers = True
    await _ask_until_answered(client, b"after")


async def many_are_served_at_once(field: Field) -> None:
    clients = [await field.client() for _ in range(50)]
    await asyncio.gather(*(_ask(client, b"%d" % number * 100) for number, client in enumerate(clients)))


async def what_is_carried_is_counted(field: Field) -> None:
    client = await field.client()
    for _ in range(4):
        await _ask(client, b"x" * 500)
    status = field.bench.status("way")
    assert status.bytes_out >= 2000
    assert status.bytes_in >= 2000


async def a_port_that_is_taken_is_said(field: Field) -> None:
    """Here by another tunnel of that kind."""
    await field.bench.until("way", "ready")
    second = MachineBench(field.text(), field.subject.plugin)
    async with second.running():
        await second.until_true(lambda: second.status("way").error is not None)
        error = second.status("way").error
        assert error is not None
        assert error.code == Code.LISTEN_IN_USE, error


async def stopping_frees_what_it_has_bound(field: Field) -> None:
    client = await field.client()
    await _ask(client, b"before")
    assert _is_taken(field.listen)
    field.bench.engine.stop()
    await until(lambda: not _is_taken(field.listen), "that its port is free", PATIENCE)


def _is_taken(port: int) -> bool:
    """By UDP, or by a listener of TCP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what has just ended is not taken
        try:
            udp.bind((LOOPBACK, port))
            tcp.bind((LOOPBACK, port))
        except OSError:
            return True
        return False


RULES: tuple[Rule, ...] = (
    every_size_arrives_whole_and_comes_back,
    none_is_merged_with_another_or_overtakes_it,
    clients_do_not_hear_one_another,
    a_target_may_say_more_than_it_was_asked,
    a_target_that_is_not_there_ends_nothing,
    a_path_that_returns_is_taken_again,
    what_is_killed_at_the_exit_is_begun_anew,
    a_session_that_is_replaced_is_kept_for_what_it_carries,
    what_a_stalled_way_cannot_take_is_dropped_and_counted,
    many_are_served_at_once,
    what_is_carried_is_counted,
    a_port_that_is_taken_is_said,
    stopping_frees_what_it_has_bound,
)
