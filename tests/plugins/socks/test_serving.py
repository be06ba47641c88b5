"""The kind over sessions in memory and in virtual time: order, deadlines, endings, and what is left behind: nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from orchestra_plugins.socks.allow import Judge
from orchestra_plugins.socks.request import Cause
from orchestra_plugins.socks.serving import HANDSHAKE, LINGER, cause_of, serve

from orchestra.diagnostics import Code
from orchestra.engine.context import OpenTunnel
from orchestra.engine.dialing import PENDING, Caps
from orchestra.engine.places import Outlook, Places
from orchestra.errors import RuntimeFailure
from orchestra.model.events import ConnectionFailed, Event
from orchestra.model.topology import SecretRef
from orchestra.session import Peer, Receiver
from orchestra.testing import Collector, MemoryNetwork, run_virtual
from tests.engine import plans

HELLO, WELCOME, GRANTED = b"\5\1\0", b"\5\0", b"\5\0\0\1" + bytes(6)
WIKI = b"\5\1\0\3\x04wiki" + (80).to_bytes(2)


def reply(code: int) -> bytes:
    return WELCOME + b"\5" + bytes((code, 0, 1, 0, 0, 0, 0, 0, 0))


class Scene:
    """laptop listens, gateway dials, wiki echoes; ``told`` is what the observers heard."""

    def __init__(self, **spec: Any) -> None:
        self.network = MemoryNetwork()
        self.laptop = self.network.place("laptop", is_here=True)
        self.gateway, self.wiki = self.network.place("gateway"), self.network.place("wiki")
        self.told: list[Event] = []
        self.clients: list[Collector] = []
        self.reached: list[Collector] = []
        places = Places(self.laptop, lambda _: Outlook("it is down"))
        places.put("gateway", self.gateway)
        planned = plans.tunnel("proxy", "gateway", kind="socks", hold=2.0, **spec)
        self.tunnel = OpenTunnel(replace(planned, dial=None), places, Caps(), self.told.append, plans.read_secret)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Scene]:
        async def accept(_peer: Peer) -> Receiver:
            self.reached.append(Collector(echo=True))
            return self.reached[-1]

        await self.wiki.create_server(accept, "*", 80)
        await self.laptop.create_server(self.tunnel.fence(serve(self.tunnel)), "127.0.0.1", 1080)
        before = asyncio.all_tasks()
        yield self
        self.tunnel.end()
        for _ in range(5):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() <= before
        for theirs in (*self.clients, *self.reached):
            if theirs.stream is not None:
                theirs.stream.close()
        assert not any(place.streams for place in (self.laptop, self.gateway, self.wiki))
        assert self.tunnel.connections == 0

    async def client(self) -> Collector:
        _, client = await self.laptop.create_connection(Collector, "127.0.0.1", 1080)
        self.clients.append(client)
        return client

    def codes(self) -> list[str]:
        return [event.code for event in self.told if isinstance(event, ConnectionFailed)]


def played(scene: Callable[[Scene], Awaitable[None]], **spec: Any) -> None:
    async def main() -> None:
        async with Scene(**spec).listening() as ready:
            await scene(ready)

    run_virtual(main())


def now() -> float:
    return asyncio.get_running_loop().time()


def test_what_follows_the_request_is_carried_in_order_and_counted() -> None:
    async def scene(ready: Scene) -> None:
        client = await ready.client()
        await client.send(HELLO + WIKI + b"early ")
        await client.send(b"later")
        wanted = WELCOME + GRANTED + b"early later"
        assert await client.receive(len(wanted)) == wanted
        assert (ready.tunnel.bytes_out, ready.tunnel.bytes_in, ready.tunnel.connections) == (11, 11, 1)
        assert client.stream
        client.stream.write_eof()
        await client.eof.wait()
        assert ready.told == []

    played(scene)


def test_one_byte_at_a_time() -> None:
    async def scene(ready: Scene) -> None:
        client = await ready.client()
        for byte in HELLO + WIKI + b"hello":
            await client.send(bytes([byte]))
            await asyncio.sleep(0.1)
        wanted = WELCOME + GRANTED + b"hello"
        assert await client.receive(len(wanted)) == wanted

    played(scene)


def test_an_end_of_file_right_behind_the_request_is_passed_on_and_answered() -> None:
    async def scene(ready: Scene) -> None:
        client = await ready.client()
        await client.send(HELLO + WIKI + b"question")
        assert client.stream
        client.stream.write_eof()
        await client.eof.wait()
        assert bytes(client.data) == WELCOME + GRANTED + b"question"
        assert ready.reached[0].calls[:2] == ["made", "eof"]

    played(scene)


def test_the_answer_waits_for_the_far_end() -> None:
    async def scene(ready: Scene) -> None:
        ready.network.black_holes.add(("wiki", 80))
        client = await ready.client()
        await client.send(HELLO + WIKI)
        await client.eof.wait()
        assert (bytes(client.data), now()) == (reply(6), 3.0)
        assert ready.codes() == [Code.CONNECT_TIMEOUT]

    played(scene, dial_timeout=3.0)


@pytest.mark.parametrize(
    ("request_", "code", "told"),
    [
        (b"\5\1\0\3\x04wiki" + (81).to_bytes(2), 5, Code.CONNECT_REFUSED),
        (b"\5\1\0\3\x06nobody" + (80).to_bytes(2), 4, Code.NAME_UNRESOLVED),
        (b"\5\1\0\1" + bytes((10, 0, 0, 1)) + (80).to_bytes(2), 2, Code.NOT_ALLOWED),
        (b"\5\2\0\1" + bytes(6), 7, Code.PROTOCOL_ERROR),
    ],
)
def test_a_refusal_is_told_to_the_client_and_to_the_observers(request_: bytes, code: int, told: Code) -> None:
    async def scene(ready: Scene) -> None:
        client = await ready.client()
        await client.send(HELLO + request_)
        await client.eof.wait()
        assert (bytes(client.data), ready.codes()) == (reply(code), [told])

    played(scene, options={"allow": ["wiki:*", "nobody:*"]})


def test_a_path_that_is_down_is_waited_for_and_then_said() -> None:
    async def scene(ready: Scene) -> None:
        ready.gateway.lose()
        client = await ready.client()
        await client.send(HELLO + WIKI)
        await client.eof.wait()
        assert (bytes(client.data), ready.codes()) == (reply(1), [Code.SESSION_LOST])

    played(scene)


@pytest.mark.parametrize("sent", [b"", b"\5", HELLO, HELLO + WIKI[:-1], b"\4\1", b"CONNECT wiki:80 HTTP/1.1\r\n"])
def test_who_does_not_say_what_it_wants_is_sent_away(sent: bytes) -> None:
    async def scene(ready: Scene) -> None:
        client = await ready.client()
        await client.send(sent)
        await client.eof.wait()
        assert now() == HANDSHAKE
        await client.ended.wait()  # although it did not hang up
        assert now() == HANDSHAKE + LINGER
        assert ready.codes() == [Code.PROTOCOL_ERROR]

    played(scene)


@pytest.mark.parametrize("begins", [b"CONNECT ", b"\4\1\0\x50\0\0\0\1", b"\5\xff", HELLO + b"\5\1\0\3\xff"])
def test_every_byte_late_is_no_way_to_hold_a_connection(begins: bytes) -> None:
    async def scene(ready: Scene) -> None:
        client = await ready.client()
        for byte in (begins + b"x" * 100)[: int(HANDSHAKE + LINGER) + 2]:
            await client.send(bytes([byte]))
            await asyncio.sleep(1)
        assert client.ended.is_set()
        assert ready.codes() == [Code.PROTOCOL_ERROR]

    played(scene)


def test_clients_that_wait_for_a_silent_target_are_in_nobody_s_way() -> None:
    async def scene(ready: Scene) -> None:
        ready.network.place("tarpit")
        ready.network.black_holes.add(("tarpit", 80))
        waiting = [await ready.client() for _ in range(2 * PENDING)]
        for client in waiting:
            await client.send(HELLO + b"\5\1\0\3\x06tarpit" + (80).to_bytes(2))
        quick = await ready.client()
        await quick.send(HELLO + WIKI + b"hello")
        wanted = WELCOME + GRANTED + b"hello"
        assert (await quick.receive(len(wanted)), now()) == (wanted, 0)
        for client in waiting:
            await client.eof.wait()
            assert bytes(client.data) == reply(6)
        assert now() == 3.0

    played(scene, dial_timeout=3.0)


def test_what_a_refused_client_still_sends_does_not_overtake_the_answer() -> None:
    async def scene(ready: Scene) -> None:
        client = await ready.client()
        await client.send(b"CONNECT wiki:81 HTTP/1.1\r\n\r\n" + b"x" * 100_000)
        await client.eof.wait()
        assert client.data.startswith(b"HTTP/1.1 502 ")
        assert client.stream
        client.stream.close()
        await asyncio.sleep(0)
        assert now() == 0

    played(scene)


def test_a_client_that_goes_while_it_waits_takes_its_dial_along() -> None:
    async def scene(ready: Scene) -> None:
        ready.network.black_holes.add(("wiki", 80))
        client = await ready.client()
        await client.send(HELLO + WIKI)
        await asyncio.sleep(1)
        assert client.stream
        client.stream.abort()
        await asyncio.sleep(0.1)
        assert (ready.tunnel.connections, ready.told) == (0, [])

    played(scene)


@pytest.mark.parametrize("sent", [b"", HELLO, HELLO + WIKI, HELLO + WIKI + b"x"])
def test_the_tunnel_s_end_ends_whatever_it_is_about(sent: bytes) -> None:
    async def scene(ready: Scene) -> None:
        if sent.endswith(WIKI):
            ready.network.black_holes.add(("wiki", 80))
        client = await ready.client()
        await client.send(sent)
        await asyncio.sleep(1)
        ready.tunnel.end()
        await client.ended.wait()
        assert ready.told == []

    played(scene)


def test_a_slow_client_stops_its_target_and_nobody_else() -> None:
    async def scene(ready: Scene) -> None:
        slow, quick = await ready.client(), await ready.client()
        for client in (slow, quick):
            await client.send(HELLO + WIKI)
            await client.receive(len(WELCOME + GRANTED))
        assert slow.stream
        slow.stream.pause_reading()
        writer = ready.reached[0]
        for _ in range(64):
            if writer.stream is not None and writer.writable.is_set():
                writer.stream.write(b"x" * 65536)
            await asyncio.sleep(0.01)
        assert not writer.writable.is_set()
        await quick.send(b"hello")
        assert (await quick.receive(len(WELCOME + GRANTED) + 5)).endswith(b"hello")
        slow.stream.resume_reading()
        await asyncio.wait_for(writer.writable.wait(), 1)

    played(scene)


def test_a_lost_exit_is_no_end_of_file() -> None:
    async def scene(ready: Scene) -> None:
        client = await ready.client()
        await client.send(HELLO + WIKI)
        await client.receive(len(WELCOME + GRANTED))
        ready.gateway.lose()
        await client.ended.wait()
        assert "eof" not in client.calls
        assert client.error is not None

    played(scene)


def test_200_at_once() -> None:
    async def one(ready: Scene, number: int) -> bytes:
        client = await ready.client()
        await client.send(HELLO + WIKI + b"%03d" % number)
        return await client.receive(len(WELCOME + GRANTED) + 3)

    async def scene(ready: Scene) -> None:
        silent = [await ready.client() for _ in range(200)]
        answers = await asyncio.gather(*(one(ready, number) for number in range(200)))
        assert answers == [WELCOME + GRANTED + b"%03d" % number for number in range(200)]
        assert ready.tunnel.connections == 400
        await asyncio.sleep(HANDSHAKE + LINGER + 1)
        assert all(client.ended.is_set() for client in silent)
        assert ready.tunnel.connections == 200

    played(scene)


@pytest.mark.parametrize(
    ("exposed", "options", "lets"),
    [
        (False, {}, True),
        (False, {"allow": None}, True),
        (False, {"allow": []}, False),
        (True, {}, False),
        (True, {"allow": ["wiki:80"]}, True),
    ],
)
def test_what_is_open_to_others_needs_a_list(exposed: bool, options: dict[str, Any], lets: bool) -> None:
    async def main() -> None:
        scene = Scene(options=options, entry=replace(plans.listen("127.0.0.1"), exposed=exposed), exit_="gateway")
        assert Judge(scene.tunnel).allows("wiki", 80) is lets

    run_virtual(main())


@pytest.mark.parametrize(("password", "answered"), [(b"s3cret", b"\5\2\1\0" + GRANTED), (b"wrong!", b"\5\2\1\1")])
def test_a_user_and_a_password_where_they_are_wanted(password: bytes, answered: bytes) -> None:
    async def scene(ready: Scene) -> None:
        client = await ready.client()
        await client.send(b"\5\1\2" + b"\1\5alice\6" + password + WIKI)
        assert await client.receive(len(answered)) == answered

    played(scene, options={"login": {"user": "alice", "password": SecretRef(kind="env", value="s3cret")}})


def test_a_password_is_read_once_and_only_when_somebody_comes() -> None:
    async def main() -> None:
        read = []

        async def read_secret(ref: SecretRef) -> bytes:
            read.append(ref.kind)
            await asyncio.sleep(1)
            if len(read) == 1:
                raise RuntimeFailure(Code.SECRET_UNAVAILABLE, "not yet")
            return b"s3cret"

        scene = Scene(options={"login": {"user": "alice", "password": SecretRef(kind="vault", value="x")}})
        scene.tunnel.read_secret = read_secret
        accept = scene.tunnel.fence(serve(scene.tunnel))
        assert read == []
        peer = Peer(host=None, port=None, text="somebody")
        came = await asyncio.gather(*(accept(peer) for _ in range(3)), return_exceptions=True)
        assert [isinstance(each, RuntimeFailure) for each in came] == [True, False, False]
        assert (read, scene.codes()) == (["vault"] * 2, [Code.SECRET_UNAVAILABLE])

    run_virtual(main())


def test_a_password_that_never_comes_refuses_its_clients_in_time() -> None:
    async def main() -> None:
        async def read_secret(_: SecretRef) -> bytes:
            await asyncio.Event().wait()
            raise AssertionError

        scene = Scene(options={"login": {"user": "alice", "password": SecretRef(kind="command", value="x")}})
        scene.tunnel.read_secret = read_secret
        accept = scene.tunnel.fence(serve(scene.tunnel))
        came = await asyncio.gather(
            *(accept(Peer(host=None, port=None, text="x")) for _ in range(3)), return_exceptions=True
        )
        assert [isinstance(each, RuntimeFailure) for each in came] == [True] * 3
        assert (scene.codes(), now()) == ([Code.SECRET_UNAVAILABLE] * 3, HANDSHAKE)

    run_virtual(main())


@pytest.mark.parametrize(
    ("code", "said", "cause"),
    [
        (Code.TRANSPORT_CANNOT, "", Cause.UNSUPPORTED),
        (Code.CONNECT_REFUSED, "", Cause.REFUSED),
        (Code.CONNECT_TIMEOUT, "", Cause.TIMED_OUT),
        (Code.NAME_UNRESOLVED, "", Cause.HOST_UNREACHABLE),
        (Code.FORWARD_REFUSED, "the server's policy forbids it", Cause.NOT_ALLOWED),
        (Code.DIAL_FAILED, "gw dials a:1: Network is unreachable", Cause.NETWORK_UNREACHABLE),
        (Code.DIAL_FAILED, "gw dials a:1: No route to host", Cause.HOST_UNREACHABLE),
        (Code.DIAL_FAILED, "gw dials a:1: [Errno 113] Connect call failed ('10.0.0.1', 1)", Cause.HOST_UNREACHABLE),
        (Code.DIAL_FAILED, "gw dials a:1: [Errno 101] Connect call failed ('10.0.0.1', 1)", Cause.NETWORK_UNREACHABLE),
        (Code.DIAL_FAILED, "gw dials a:1: the server could not open it and does not say why", Cause.FAILED),
        (Code.SESSION_LOST, "", Cause.FAILED),
    ],
)
def test_causes(code: Code, said: str, cause: Cause) -> None:
    assert cause_of(RuntimeFailure(code, said)) is cause
