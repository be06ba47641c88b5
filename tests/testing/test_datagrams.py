"""The kinds that come along and carry datagrams pass the suite, and kinds that break a promise are found out."""

from __future__ import annotations

import asyncio
import socket
import types
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from orchestra_plugins import socks, udp

from orchestra.diagnostics import Code
from orchestra.plugin import hookimpl
from orchestra.plugin.interfaces import TunnelContext
from orchestra.plugin.vocabulary import KindSpec
from orchestra.session.errors import BindRefused
from orchestra.session.protocols import Session
from orchestra.testing import datagrams
from orchestra.testing.datagrams import MOST, RULES, Rule, Subject, hold
from orchestra.testing.machine import MachineBench
from tests.plugins.socks.client import Client, header


class Associated:
    """A client of SOCKS 5, which writes a header before what it sends."""

    def __init__(self, client: Client, target: int) -> None:
        self._client, self._header = client, header("127.0.0.1", target)

    def send(self, data: bytes) -> None:
        self._client.send(self._header + data)

    async def receive(self) -> bytes:
        return (await self._client.receive())[2]


@asynccontextmanager
async def associated(bench: MachineBench, target: int) -> AsyncIterator[Associated]:
    host, _, port = bench.status("way").listen[0].rpartition(":")
    client = await Client.associate(host, int(port))
    yield Associated(client, target)
    await client.close()


SUBJECTS = {
    "udp": Subject(udp, "kind: udp, to: service"),
    "socks": Subject(socks, "kind: socks, exit: gateway", associated, MOST - len(header("127.0.0.1", 0))),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("kind", SUBJECTS)
def test_kinds_that_come_along(kind: str, rule: Rule) -> None:
    hold(rule, SUBJECTS[kind])


class Parcels:
    """A kind of datagrams that is right but for one fault. Its exit is this machine, so that it needs no program there
    and sends by itself; what it cannot send at once it drops."""

    spec = KindSpec(name="parcels", protocols=("udp",), datagrams=True, exec=True)

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.sockets: list[socket.socket] = []

    async def bind(self, context: TunnelContext, session: Session, _port: int) -> Any:
        planned = context.tunnel.listen
        assert planned is not None
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sockets.append(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.setblocking(False)
        try:
            sock.bind(("127.0.0.1", planned.binds[0].port))
        except OSError as error:
            sock.close()
            if self.fault == "says nothing":
                raise
            raise BindRefused(Code.LISTEN_IN_USE, "the address is in use", host=session.host) from error
        return Opened(self, context, sock)


class Opened:
    """Its entrance."""

    notes = ()

    def __init__(self, kind: Parcels, context: TunnelContext, sock: socket.socket) -> None:
        self.kind, self.fault, self.context, self.sock = kind, kind.fault, context, sock
        self.loop = asyncio.get_running_loop()
        self.flows: dict[Any, Flow] = {}
        self.first: Session | None = None
        self.port: int = sock.getsockname()[1]
        self.addresses = (f"127.0.0.1:{self.port}",)
        self.held: list[bytes] = []
        self.number = 0
        self.loop.add_reader(sock, self.readable)

    def readable(self) -> None:
        while True:
            try:
                data, peer = self.sock.recvfrom(65536)
            except OSError:
                return
            self.take(data, None if self.fault == "tells nobody apart" else peer, peer)

    def take(self, data: bytes, key: Any, peer: Any) -> None:
        self.number += 1
        if self.fault == "cuts":
            data = data[:8192]
        elif self.fault == "merges" and len(data) < 10:
            self.held.append(data)
            if len(self.held) < 2:
                return
            data, self.held = b"".join(self.held), []
        elif self.fault == "drops" and self.number % 7 == 0:
            return
        if key not in self.flows and not (self.fault == "serves ten" and len(self.flows) == 10):
            self.flows[key] = Flow(self, peer)
        if key in self.flows:
            self.flows[key].peer = peer
            self.flows[key].send(data)

    def close(self) -> None:
        if self.fault == "stays":
            return
        self.loop.remove_reader(self.sock)
        self.sock.close()
        for flow in self.flows.values():
            flow.close()


class Flow:
    """A peer, and its socket towards the target."""

    def __init__(self, entrance: Opened, peer: Any) -> None:
        self.entrance, self.peer = entrance, peer
        self.early: list[bytes] = []
        self.sock: socket.socket | None = None
        self.end = entrance.context.carry() if entrance.fault != "holds no session" else lambda: None
        self.over = False
        self.opening = asyncio.create_task(self.open())

    async def open(self) -> None:
        session = await self.entrance.context.exit()
        self.entrance.first = first = self.entrance.first or session
        process: Any = None
        if self.entrance.fault in ("stays with the first", "lets die"):
            session = first
        if self.entrance.fault == "lets die":
            process, _ = await session.create_process(lambda: Fate(self), "exec sleep 60")
        self.session, self.process = session, process
        dial = self.entrance.context.tunnel.dial
        assert dial is not None
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.entrance.kind.sockets.append(self.sock)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sock.setblocking(False)
        self.sock.connect((dial.host, dial.port))
        self.entrance.loop.add_reader(self.sock, self.readable)
        early, self.early = self.early, []
        for data in early:
            self.send(data)

    def send(self, data: bytes) -> None:
        fault = self.entrance.fault
        if self.sock is None:
            self.early.append(data)
            return
        if self.over or (fault in ("stays with the first", "holds no session") and self.session.state != "open"):
            return
        if fault != "counts nothing":
            self.entrance.context.count(bytes_out=len(data))
        try:
            self.sock.send(data)
        except ConnectionRefusedError:  # of an earlier one
            self.over = fault == "gives up"

    def readable(self) -> None:
        assert self.sock is not None
        while not (self.over or self.entrance.sock.fileno() < 0):
            try:
                data = self.sock.recv(65536)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                self.over = self.entrance.fault == "gives up"
                continue
            if self.entrance.fault == "holds no session" and self.session.state != "open":
                return
            self.entrance.context.count(bytes_in=len(data))
            self.entrance.sock.sendto(data, self.peer)
            if self.entrance.fault == "answers once":
                self.over = len(self.entrance.flows) == 1 and self.entrance.number == 1

    def close(self) -> None:
        self.opening.cancel()
        self.end()
        if self.sock is not None:
            self.entrance.loop.remove_reader(self.sock)
            self.sock.close()
            if self.process is not None:
                self.process.abort()


class Fate:
    """What becomes of a flow whose program dies, when nobody begins it anew."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def connection_made(self, _stream: Any) -> None: ...
    def data_received(self, _data: bytes) -> None: ...
    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...
    def connection_lost(self, _exc: Exception | None) -> None:
        self.flow.over = True


def parcels(kind: Parcels) -> Subject:
    plugin = types.ModuleType("parcels")
    vars(plugin)["orchestra_kinds"] = hookimpl(lambda: [kind])
    return Subject(plugin, "kind: parcels, to: service, check: none")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_one_that_is_right_is_let_pass(rule: Rule) -> None:
    hold(rule, parcels(Parcels()))


BROKEN: dict[str, Rule] = {
    "cuts": datagrams.every_size_arrives_whole_and_comes_back,
    "merges": datagrams.none_is_merged_with_another_or_overtakes_it,
    "tells nobody apart": datagrams.clients_do_not_hear_one_another,
    "answers once": datagrams.a_target_may_say_more_than_it_was_asked,
    "gives up": datagrams.a_target_that_is_not_there_ends_nothing,
    "stays with the first": datagrams.a_path_that_returns_is_taken_again,
    "lets die": datagrams.what_is_killed_at_the_exit_is_begun_anew,
    "holds no session": datagrams.a_session_that_is_replaced_is_kept_for_what_it_carries,
    "drops": datagrams.what_a_stalled_way_cannot_take_is_dropped_and_counted,
    "serves ten": datagrams.many_are_served_at_once,
    "counts nothing": datagrams.what_is_carried_is_counted,
    "says nothing": datagrams.a_port_that_is_taken_is_said,
    "stays": datagrams.stopping_frees_what_it_has_bound,
}
"""A fault, and the rule that finds it."""


@pytest.mark.parametrize("fault", BROKEN)
def test_a_kind_that_breaks_a_promise_is_found_out(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagrams, "PATIENCE", 0.4)
    kind = Parcels(fault)
    with pytest.raises(AssertionError):
        hold(BROKEN[fault], parcels(kind))
    for sock in kind.sockets:  # it may not have
        sock.close()


def test_every_rule_has_a_kind_that_breaks_it() -> None:
    assert set(BROKEN.values()) == set(RULES)
