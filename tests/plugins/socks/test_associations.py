"""UDP ASSOCIATE with real sockets: entry and exit here or where helpers are, without sshd."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from orchestra_plugins.socks import associations
from orchestra_plugins.socks.serving import serve
from orchestra_plugins.udp.flows import FlowTable
from orchestra_plugins.udp.joint import TOLD

from orchestra.diagnostics import Code
from orchestra.engine.context import OpenTunnel
from orchestra.engine.dialing import Caps
from orchestra.engine.places import Outlook, Places
from orchestra.model.events import ConnectionFailed, Event
from orchestra.session import Peer, Receiver, Session
from orchestra.session.here import Here
from orchestra.testing import Collector, MemoryNetwork
from tests.engine import plans
from tests.plugins.socks.client import Client, header
from tests.plugins.udp.rig import Shell, play, target, until

LOOPBACKS = pytest.mark.parametrize("host", ["127.0.0.1", "::1"])


class Scene:
    """A proxy from here to ``gateway``, or, ``at`` that, back to here; ``told`` is what the observers heard."""

    def __init__(self, gateway: Session | None, at: str | None, host: str, options: dict[str, Any]) -> None:
        self.laptop = Here("laptop")
        self.gateway = gateway or Shell("COMMAND")
        self.gateway.host, self.gateway.is_here = "gateway", False
        self.told: list[Event] = []
        self.clients: list[Client] = []
        self.host, self.port = host, 0
        places = Places(self.laptop, lambda _: Outlook("it is down"))
        places.put("gateway", self.gateway)
        self.entry: Session = self.gateway if at else self.laptop
        exit_ = None if at else "gateway"
        planned = replace(
            plans.tunnel(
                "proxy", entry=plans.listen(host, at=at), exit_=exit_, kind="socks", hold=1.0, options=options
            ),
            dial=None,
            path=(self.entry.host, exit_ or "laptop"),
        )
        self.tunnel = OpenTunnel(planned, places, Caps(), self.told.append, plans.read_secret)

    async def client(self, *, from_: tuple[str, int] = ("0.0.0.0", 0)) -> Client:
        self.clients.append(await Client.associate(self.host, self.port, from_=from_))
        return self.clients[-1]

    @property
    def counters(self) -> dict[str, int]:
        return {name: count for name, count in self.tunnel.counters.items() if count}

    def codes(self) -> list[str]:
        return [event.code for event in self.told if isinstance(event, ConnectionFailed)]

    def helpers(self) -> list[int]:
        assert isinstance(self.gateway, Shell)
        return [process._transport.get_pid() for process in self.gateway.processes if process.exit_status is None]


@asynccontextmanager
async def proxy(
    gateway: Session | None = None, *, at: str | None = None, host: str = "127.0.0.1", **options: Any
) -> AsyncIterator[Scene]:
    scene = Scene(gateway, at, host, options)
    listener = await scene.entry.create_server(scene.tunnel.fence(serve(scene.tunnel)), host, 0)
    scene.port = listener.port
    try:
        yield scene
    finally:
        scene.tunnel.end()
        listener.close()
        for client in scene.clients:
            await client.close()
        await until(lambda: not scene.tunnel.connections)
        assert not {"associations", "flows"} & set(scene.counters)
        for process in getattr(scene.gateway, "processes", ()):  # it lingers, for whoever comes next
            process.close()
            await until(lambda: process._transport._loop is None)  # noqa: B023


@pytest.mark.parametrize("at", [None, "gateway"], ids=["local", "remote"])
@LOOPBACKS
def test_datagrams_of_every_size_go_there_and_back(host: str, at: str | None) -> None:
    async def scene() -> None:
        with target(host) as (port, _):
            async with proxy(at=at, host=host) as it:
                client = await it.client()
                assert (client.code, client.relay[0], client.relay[1] > 0) == (0, host, True)
                before = len(header(host, port))
                sizes = (0, 1, 1472, 8192, 65507 - before)
                for size in sizes:
                    assert await client.ask(host, port, b"x" * size) == (host, port, b"x" * size)
                carried = {"datagrams_out": 5, "datagrams_in": 5, "flows": 1, "flows_opened": 1}
                assert it.counters == {"associations": 1, **carried}
                assert it.tunnel.bytes_out == it.tunnel.bytes_in == sum(sizes)
                assert (it.told, len(it.helpers())) == ([], 1)

    play(scene)


def test_a_name_is_resolved_at_the_exit_and_its_answers_say_the_true_source() -> None:
    async def scene() -> None:
        first = socket.getaddrinfo("localhost", 9, type=socket.SOCK_DGRAM)[0][4][0]
        with target(str(first)) as (port, _):
            async with proxy() as it:
                client = await it.client()
                assert await client.ask("localhost", port, b"by name") == (first, port, b"by name")

    play(scene)


def test_destinations_and_clients_do_not_cross() -> None:
    async def scene() -> None:
        with target() as (one, heard), target("::1") as (two, _):
            async with proxy() as it:
                clients = [await it.client() for _ in range(8)]
                for number, client in enumerate(clients):
                    client.send(header("127.0.0.1", one) + b"v4 %d" % number)
                    client.send(header("::1", two) + b"v6 %d" % number)
                for number, client in enumerate(clients):
                    got = {await client.receive(), await client.receive()}
                    assert got == {("127.0.0.1", one, b"v4 %d" % number), ("::1", two, b"v6 %d" % number)}
                assert len({address for address, _ in heard}) == len(clients)
                assert (it.counters["flows"], len(it.helpers())) == (16, 1)

    play(scene)


def test_only_its_client_is_served() -> None:
    async def scene() -> None:
        with target() as (port, heard), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            async with proxy() as it:
                client = await it.client()
                assert await client.ask("127.0.0.1", port, b"mine") == ("127.0.0.1", port, b"mine")
                for _ in range(3):
                    stranger.sendto(header("127.0.0.1", port) + b"not mine", client.relay)
                await until(lambda: it.counters.get("dropped_stranger") == 3)
                assert await client.ask("127.0.0.1", port, b"still") == ("127.0.0.1", port, b"still")
                assert [data for _, data in heard] == [b"mine", b"still"]

    play(scene)


def test_a_port_that_the_client_has_named_is_the_only_one() -> None:
    async def scene() -> None:
        with target() as (port, heard), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.bind(("127.0.0.1", 0))
            async with proxy() as it:
                client = await it.client(from_=("192.168.0.7", own.getsockname()[1]))
                client.send(header("127.0.0.1", port) + b"from another port")
                await until(lambda: it.counters.get("dropped_stranger") == 1)
                own.sendto(header("127.0.0.1", port) + b"from that port", client.relay)
                await until(lambda: heard)
                assert [data for _, data in heard] == [b"from that port"]

    play(scene)


def test_what_cannot_be_carried_is_counted_by_cause_and_what_is_not_allowed_is_told_once() -> None:
    async def scene() -> None:
        with target() as (port, heard):
            async with proxy(allow=[f"127.0.0.1:{port}", "nobody:*"]) as it:
                client = await it.client()
                to = header("127.0.0.1", port)
                for datagram in (b"", b"\0\0\0", to[:-1], b"\0\0\1" + to[3:] + b"x", to[:-2] + b"\0\0x"):
                    client.send(datagram)
                for _ in range(3):
                    client.send(header("127.0.0.1", port + 1 if port < 65535 else 1) + b"x")
                    client.send(header("localhost", port) + b"a name is no address")
                client.send(to + b"well")
                assert await client.receive() == ("127.0.0.1", port, b"well")
                drops = {"dropped_malformed": 4, "dropped_fragment": 1, "dropped_not_allowed": 6}
                assert {name: count for name, count in it.counters.items() if name.startswith("dropped")} == drops
                assert it.codes() == [Code.NOT_ALLOWED] * 2
                assert [data for _, data in heard] == [b"well"]
                for number in range(TOLD + 10):
                    client.send(header("10.0.0.1", number + 1) + b"x")
                await until(lambda: it.counters["dropped_not_allowed"] == 6 + TOLD + 10)
                assert len(it.codes()) == TOLD

    play(scene)


def test_what_a_reload_no_longer_allows_is_not_sent_to_any_more() -> None:
    async def scene() -> None:
        with target() as (one, heard), target() as (two, _):
            async with proxy(allow=[f"127.0.0.1:{one}"]) as it:
                client = await it.client()
                assert await client.ask("127.0.0.1", one, b"before") == ("127.0.0.1", one, b"before")
                planned = it.tunnel.tunnel
                spec = replace(planned.spec, options={"allow": [f"127.0.0.1:{two}"]})
                it.tunnel.adopt(replace(planned, spec=spec))
                client.send(header("127.0.0.1", one) + b"after")
                assert await client.ask("127.0.0.1", two, b"new") == ("127.0.0.1", two, b"new")
                assert [data for _, data in heard] == [b"before"]
                assert (it.counters["dropped_not_allowed"], it.counters["flows"]) == (1, 1)
                assert it.codes() == [Code.NOT_ALLOWED]

    play(scene)


def test_a_name_that_is_unknown_at_the_exit_is_told() -> None:
    async def scene() -> None:
        async with proxy() as it:
            client = await it.client()
            client.send(header("no-such-host.invalid", 53) + b"x")
            await until(it.codes)
            (told,) = it.told
            assert isinstance(told, ConnectionFailed)
            assert (told.code, told.message) == (
                Code.NAME_UNRESOLVED,
                "gateway sends to no-such-host.invalid:53: EUNRESOLVED",
            )
            await until(lambda: "flows" not in it.counters)

    play(scene)


@pytest.mark.parametrize("how", ["eof", "reset"])
def test_it_ends_with_its_connection(how: str) -> None:
    async def scene() -> None:
        with target() as (port, _):
            async with proxy() as it:
                client, other = await it.client(), await it.client()
                await client.ask("127.0.0.1", port, b"x")
                client.writer.write(b"whatever else it says")
                if how == "eof":
                    client.writer.write_eof()
                    assert await client.ended()
                else:
                    client.writer.transport.abort()
                await until(lambda: it.counters["associations"] == 1 and "flows" not in it.counters)
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                    sock.bind(client.relay)  # it is free
                assert await other.ask("127.0.0.1", port, b"y") == ("127.0.0.1", port, b"y")
                assert it.told == []

    play(scene)


def test_a_helper_that_is_killed_at_the_exit_is_replaced_and_one_at_the_entry_ends_the_connection() -> None:
    async def scene() -> None:
        with target() as (port, _):
            for at in (None, "gateway"):
                async with proxy(at=at) as it:
                    client = await it.client()
                    await client.ask("127.0.0.1", port, b"x")
                    (pid,) = it.helpers()
                    os.kill(pid, signal.SIGKILL)
                    if at is None:
                        await until(lambda: "flows" not in it.counters)
                        assert await client.ask("127.0.0.1", port, b"again") == ("127.0.0.1", port, b"again")
                    else:
                        assert not await client.ended()
                        assert it.codes() == [Code.SESSION_LOST]

    play(scene)


@pytest.mark.parametrize(
    ("gateway", "reply", "told"),
    [
        (lambda: Shell("exit 127"), 1, Code.HELPER_FAILED),
        (lambda: MemoryNetwork().place("gateway"), 7, Code.TRANSPORT_CANNOT),
    ],
    ids=["no interpreter", "no commands"],
)
def test_where_there_cannot_be_datagrams_the_client_is_told_at_once(gateway: Any, reply: int, told: Code) -> None:
    async def scene() -> None:
        async with proxy(gateway()) as it:
            client = await it.client()
            assert (client.code, client.relay) == (reply, ("0.0.0.0", 0))
            assert await client.ended()
            assert it.codes() == [told]

    play(scene)


def test_one_too_many_is_refused_until_another_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(associations, "MOST", 2)

    async def scene() -> None:
        async with proxy() as it:
            first, _, third = [await it.client() for _ in range(3)]
            assert (first.code, third.code, it.codes()) == (0, 1, [Code.LISTEN_FAILED])
            first.writer.close()
            await until(lambda: it.counters["associations"] == 1)
            assert (await it.client()).code == 0

    play(scene)


def test_the_flow_that_was_silent_longest_makes_room_and_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FlowTable.__init__, "__defaults__", (2, 300.0))

    async def scene() -> None:
        with target() as (one, heard), target() as (two, _), target() as (three, _):
            async with proxy() as it:
                client = await it.client()
                for port in (one, two, three, one):
                    assert await client.ask("127.0.0.1", port, b"x") == ("127.0.0.1", port, b"x")
                assert (it.counters["flows"], it.counters["flows_evicted"]) == (2, 2)
                assert len({address for address, _ in heard}) == 2

    play(scene)


def test_a_client_without_an_address_is_told() -> None:
    async def main() -> None:
        scene = Scene(MemoryNetwork().place("gateway"), None, "127.0.0.1", {})
        network = MemoryNetwork()
        laptop = network.place("laptop", is_here=True)
        accept = scene.tunnel.fence(serve(scene.tunnel))

        async def unknown(peer: Peer) -> Receiver:
            return await accept(replace(peer, host=None))

        await laptop.create_server(unknown, "127.0.0.1", 1080)
        _, client = await laptop.create_connection(Collector, "127.0.0.1", 1080)
        await client.send(b"\5\1\0" + b"\5\3\0\1" + bytes(6))
        await client.eof.wait()
        assert bytes(client.data) == b"\5\0" + b"\5\7\0\1" + bytes(6)
        assert scene.codes() == [Code.TRANSPORT_CANNOT]
        scene.tunnel.end()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("hosts", "client", "beside"),
    [
        (("127.0.0.1", "::1"), "127.0.0.1", "127.0.0.1"),
        (("127.0.0.1", "::1"), "::1", "::1"),
        (("127.0.0.1", "10.20.0.2"), "10.20.0.7", "10.20.0.2"),
        (("10.20.0.2",), "127.0.0.1", "10.20.0.2"),
        (("*",), "127.0.0.1", "127.0.0.1"),
        (("*",), "10.20.0.7", "0.0.0.0"),
        (("*",), "fd00::7", "::"),
    ],
)
def test_at_a_server_it_is_bound_beside_the_listener(hosts: tuple[str, ...], client: str, beside: str) -> None:
    assert associations._beside(plans.listen(*hosts, at="gateway"), client) == beside
