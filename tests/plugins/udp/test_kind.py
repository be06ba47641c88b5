"""The kind in an engine: entry and exit here or where helpers are, with real sockets and no sshd."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pytest
from orchestra_plugins import udp
from orchestra_plugins.udp import sockets
from orchestra_plugins.udp.kind import Exits
from orchestra_plugins.udp.station import Treatment

from orchestra.engine import Engine, builtin
from orchestra.errors import RuntimeFailure
from orchestra.loading import load
from orchestra.model.events import ConnectionFailed, Event
from orchestra.model.plan import Dial
from orchestra.model.status import TunnelStatus
from orchestra.planning import make_plan
from orchestra.plugin import hookimpl
from orchestra.plugin.interfaces import OpenRequest, Transport
from orchestra.plugin.manager import load_plugins
from orchestra.plugin.vocabulary import TransportSpec
from orchestra.session.here import Here
from tests.plugins.udp.rig import DEADLINE, Party, Shell, closed_port, play, target, until


class LocalTransport:
    """Servers that are this machine, and have helpers all the same."""

    spec = TransportSpec(name="ssh")

    def __init__(self, script: str = "COMMAND") -> None:
        self.script = script
        self.opened: list[Shell] = []

    async def open(self, request: OpenRequest) -> Shell:
        session = Shell(self.script)
        session.host, session.is_here = request.server.name, False
        self.opened.append(session)
        return session

    @hookimpl
    def orchestra_transports(self) -> Iterable[Transport]:
        return [self]


class Up:
    """A topology that is up."""

    def __init__(self, engine: Engine, transport: LocalTransport, events: list[Event]) -> None:
        self.engine, self.transport, self.events = engine, transport, events

    @property
    def status(self) -> TunnelStatus:
        return self.engine.snapshot().tunnels[0]

    def client(self, index: int = 0) -> socket.socket:
        host, _, port = self.status.listen[index].rpartition(":")
        sock = socket.socket(socket.AF_INET6 if "[" in host else socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.connect((host.strip("[]"), int(port)))
        return sock

    def helpers(self) -> list[int]:
        processes = [process for session in self.transport.opened for process in session.processes]
        return [process._transport.get_pid() for process in processes if process.exit_status is None]


@asynccontextmanager
async def up(tunnel: str, port: int, script: str = "COMMAND", ready: bool = True) -> AsyncIterator[Up]:
    transport, events = LocalTransport(script), list[Event]()
    plugins = load_plugins([udp, builtin, transport], entry_points=False)
    text = (
        f"clients: {{laptop: }}\nservers: {{gw: gw.example}}\ntargets: {{echo: {{protocol: udp, address: {port}, "
        f"host: {'laptop' if 'at:' in tunnel else 'gw'}}}}}\ntunnels: {{echo: {{kind: udp, {tunnel}}}}}\n"
    )
    loaded = load(["-"], environ={}, vocabulary=plugins.vocabulary, stdin=text)
    assert loaded.topology, loaded.diagnostics
    plan = make_plan(loaded.topology, vocabulary=plugins.vocabulary)
    assert plan.tunnels[0].verdict == "reachable", plan.diagnostics
    engine = Engine(plan, loaded.topology, here=Here("laptop"), plugins=plugins, observe=events.append)
    running = asyncio.create_task(engine.run())
    try:
        if ready:
            await until(lambda: engine.snapshot().tunnels[0].state == "ready")
        yield Up(engine, transport, events)
    finally:
        engine.stop()
        await running
        for session in transport.opened:
            for process in session.processes:  # that ended with their session, if it were one
                process.close()
                await until(lambda: process._transport._loop is None)  # noqa: B023


async def ask(sock: socket.socket, data: bytes) -> bytes:
    sock.send(data)
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, 65536), DEADLINE)


WAYS = pytest.mark.parametrize("way", ["listen: auto", "at: gw, listen: 'localhost:auto'"], ids=["local", "remote"])


@WAYS
def test_both_directions_carry_and_count(way: str) -> None:
    async def scene() -> None:
        with target() as (port, _):
            async with up(way, port) as it:
                assert (it.status.proven, len(it.status.listen)) == (True, 2)
                for index in (0, 1):
                    with it.client(index) as sock:
                        assert await ask(sock, b"hello") == b"hello"
                        assert await ask(sock, b"x" * 60000) == b"x" * 60000
                        assert await ask(sock, b"") == b""
                counters = dict(it.status.counters)
                assert counters == {"flows": 2, "flows_opened": 2, "datagrams_out": 6, "datagrams_in": 6}
                assert (it.status.bytes_out, it.status.bytes_in) == (120010, 120010)
                assert len(it.helpers()) == 1

    play(scene)


@WAYS
def test_fifty_peers_do_not_cross(way: str) -> None:
    async def scene() -> None:
        with target() as (port, heard):
            async with up(way, port) as it:
                clients = [it.client() for _ in range(50)]
                for turn in range(3):
                    for number, sock in enumerate(clients):
                        sock.send(b"%d %d" % (turn, number))
                    for number, sock in enumerate(clients):
                        got = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(sock, 100), DEADLINE)
                        assert got == b"%d %d" % (turn, number)
                for sock in clients:
                    sock.close()
                assert it.status.counters["flows"] == 50
                assert len({address for address, _ in heard}) == 50

    play(scene)


@WAYS
def test_a_helper_that_is_killed_comes_back(way: str) -> None:
    async def scene() -> None:
        with target() as (port, _):
            async with up(way, port) as it:
                listen = it.status.listen
                with it.client() as sock:
                    assert await ask(sock, b"before") == b"before"
                    (pid,) = it.helpers()
                    os.kill(pid, signal.SIGKILL)
                    loop = asyncio.get_running_loop()
                    async with asyncio.timeout(DEADLINE):
                        while True:
                            try:
                                sock.send(b"after")
                                got = await asyncio.wait_for(loop.sock_recv(sock, 100), 0.2)
                            except (TimeoutError, ConnectionRefusedError):
                                continue
                            assert got == b"after"
                            break
                assert it.status.listen == listen
                assert len(it.helpers()) == 1
                assert it.status.counters["flows"] == 1

    play(scene)


@WAYS
def test_a_session_that_is_lost_takes_its_flows_along_and_the_next_has_new_ones(way: str) -> None:
    async def scene() -> None:
        with target() as (port, _):
            async with up(way, port) as it:
                with it.client() as sock:
                    assert await ask(sock, b"before") == b"before"
                it.transport.opened[0].abort()
                for process in it.transport.opened[0].processes:
                    process.abort()
                await until(lambda: len(it.transport.opened) == 2)
                await until(lambda: it.status.state == "ready" and it.status.proven)
                with it.client() as sock:
                    assert await ask(sock, b"after") == b"after"

    play(scene)


@WAYS
def test_a_flood_of_a_hundred_thousand_is_counted_to_the_last(way: str) -> None:
    """Sent is what has arrived and what was dropped on the way, or by the target's own socket."""
    sent = 100_000

    async def scene() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
            sink.bind(("127.0.0.1", 0))
            sink.setblocking(False)
            async with up(way, sink.getsockname()[1]) as it:
                arrived = 0

                def readable() -> None:
                    nonlocal arrived
                    with suppress(BlockingIOError):
                        while sink.recv(100):
                            arrived += 1

                def accounted() -> int:
                    dropped = (count for name, count in it.status.counters.items() if name.startswith("dropped_"))
                    return arrived + sockets.lost(sink) + sum(dropped)

                asyncio.get_running_loop().add_reader(sink, readable)
                with it.client() as sock:
                    sock.setblocking(True)
                    for number in range(sent):
                        sock.send(b"flood")
                        if number % 500 == 0:
                            await asyncio.sleep(0)
                    await until(lambda: accounted() >= sent)
                    assert accounted() == sent, it.status.counters
                    assert arrived > 1000
                asyncio.get_running_loop().remove_reader(sink)

    play(scene)


def test_1025_peers_of_a_tunnel_for_1024() -> None:
    async def scene() -> None:
        with target() as (port, heard):
            async with up("listen: '127.0.0.1:auto'", port) as it:
                host, _, entrance = it.status.listen[0].rpartition(":")
                theirs = closed_port()
                for number in range(1025):  # each of them at an address of its own, so that none is another
                    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                        sock.setblocking(False)
                        sock.bind((f"127.0.{1 + number // 250}.{1 + number % 250}", theirs))
                        sock.connect((host, int(entrance)))
                        assert await ask(sock, b"%d" % number) == b"%d" % number
                counters = it.status.counters
                assert (counters["flows"], counters["flows_opened"], counters["flows_evicted"]) == (1024, 1025, 1)
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:  # the oldest begins anew
                    sock.setblocking(False)
                    sock.bind(("127.0.1.1", theirs))
                    sock.connect((host, int(entrance)))
                    assert await ask(sock, b"again") == b"again"
                assert heard[-1][0] != heard[0][0]
                assert (it.status.counters["flows"], it.status.counters["flows_evicted"]) == (1024, 2)

    play(scene)


def test_a_target_that_refuses_is_counted() -> None:
    async def scene() -> None:
        async with up("listen: auto", closed_port()) as it:
            with it.client() as sock:
                sock.send(b"anybody?")
                await until(lambda: it.status.counters.get("refused") == 1)
                assert it.status.state == "ready"

    play(scene)


def test_a_helper_that_cannot_run_fails_the_check_and_says_why() -> None:
    async def scene() -> None:
        async with up("listen: auto", 9, "echo This account is currently not available.; exit 1", ready=False) as it:
            await until(lambda: it.status.error is not None)
            assert it.status.error is not None
            assert it.status.error.code == "HELPER_FAILED"
            assert "This account is currently not available." in it.status.error.message
            with it.client() as sock:
                sock.send(b"anybody?")
                await until(lambda: it.status.counters.get("dropped_unreachable") == 1)
            assert [event for event in it.events if isinstance(event, ConnectionFailed)]

    play(scene)


def test_a_port_that_is_taken_fails_the_tunnel() -> None:
    async def scene() -> None:
        with target() as (port, _):
            async with up(f"listen: '127.0.0.1:{port}'", 9, ready=False) as it:
                await until(lambda: it.status.error is not None)
                assert it.status.error is not None
                assert (it.status.state, it.status.error.code) == ("failed", "LISTEN_IN_USE")
                assert "by UDP: it is held by" in it.status.error.message

    play(scene)


def test_a_flow_leads_where_its_exit_dials_though_the_way_changes_meanwhile() -> None:
    async def scene() -> None:
        with target() as (port, heard):
            before, after = (Dial(by=by, host="127.0.0.1", port=at) for by, at in (("one", 9), ("two", port)))
            ways = SimpleNamespace(dial=before, alternatives=(), spec=SimpleNamespace(options={}))
            here = Here("two")

            async def leave() -> Here:
                context.tunnel = SimpleNamespace(dial=after, alternatives=(), spec=ways.spec)
                return here

            context: Any = SimpleNamespace(tunnel=ways, exit=leave, shared=lambda make: make())
            exits, party = Exits(context, Treatment()), Party()
            for _ in range(2):  # the way that is taken now, and another than that
                (await exits.open(party)).send(b"x")
                context.exit = lambda: asyncio.sleep(0, here)
                context.tunnel = SimpleNamespace(
                    dial=before, alternatives=(SimpleNamespace(dial=after),), spec=ways.spec
                )
            await party.until(lambda: party.got == [b"x", b"x"])
            assert len(heard) == 2
            context.tunnel = SimpleNamespace(name="dns", dial=before, alternatives=(), spec=ways.spec)
            with pytest.raises(RuntimeFailure, match="two dials nothing for dns any more"):
                await exits.open(party)
            exits.close()

    play(scene)


def test_everything_is_gone_when_it_is_down() -> None:
    async def scene() -> None:
        with target() as (port, _):
            async with up("listen: auto", port) as it:
                with it.client() as sock:
                    assert await ask(sock, b"x") == b"x"
                address = it.status.listen[0]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", int(address.rpartition(":")[2])))
        assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

    play(scene)
