"""One tunnel while it is open: its dials, its connections, its counters, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.accepting import Joining
from orchestra.engine.context import OpenTunnel
from orchestra.engine.dialing import Caps
from orchestra.engine.places import Outlook, Places
from orchestra.engine.usage import Usage
from orchestra.model.events import ConnectionFailed, Event
from orchestra.session.errors import DialRefused, SessionLost
from orchestra.session.protocols import Peer, Receiver, Session
from orchestra.testing import Collector, MemoryNetwork, run_virtual
from orchestra.testing.collect import stream_of
from tests.engine import plans

PEER = Peer(host="127.0.0.1", port=50000, text="127.0.0.1:50000")


class Scene:
    """A tunnel that leaves here; ``served`` are the target's connections, ``told`` what observers heard."""

    def __init__(self, **spec: Any) -> None:
        self.network = MemoryNetwork({"10.20.0.30": "desk-vnc"})
        self.here = self.network.place("laptop", is_here=True)
        self.desk = self.network.place("desk-vnc")
        self.served: list[Collector] = []
        self.told: list[Event] = []
        self.tunnel = OpenTunnel(
            plans.tunnel(**spec),
            Places(self.here, lambda _: Outlook("it is down")),
            Caps(),
            self.told.append,
            plans.read_secret,
        )

    async def serve(self) -> None:
        async def accept(peer: Peer) -> Receiver:
            self.served.append(Collector(echo=True))
            return self.served[-1]

        await self.desk.create_server(accept, "*", 5900)


def test_a_dial_goes_to_the_target_or_where_the_kind_says() -> None:
    async def main() -> None:
        scene = Scene()
        await scene.serve()
        _, dialed = await scene.tunnel.dial(Collector)
        await dialed.send(b"x")
        assert await dialed.receive(1) == b"x"
        with pytest.raises(DialRefused, match=r"laptop dialed 10\.20\.0\.30:1"):
            await scene.tunnel.dial(Collector, "10.20.0.30", 1)
        assert scene.tunnel.dials.count == 1  # what was refused took no time worth knowing

    run_virtual(main())


@pytest.mark.parametrize(("at", "found"), [(None, "laptop"), ("gateway", "gateway")])
def test_the_entry_is_where_it_listens(at: str | None, found: str) -> None:
    async def main() -> None:
        network = MemoryNetwork()
        places = Places(network.place("laptop", is_here=True), lambda _: Outlook("it is down"))
        planned = plans.tunnel(entry=plans.listen("127.0.0.1", at=at), hold=1.0)
        tunnel = OpenTunnel(planned, places, Caps(), lambda _: None, plans.read_secret)
        if at is not None:
            with pytest.raises(SessionLost, match="it is down"):
                await tunnel.entry()
            places.put(at, network.place(at))
        assert ((await tunnel.entry()).host, (await tunnel.by(0).entry()).host) == (found, found)

    run_virtual(main())


def test_a_kind_s_fault_refuses_one_connection_and_is_told_once() -> None:
    async def serve(peer: Peer) -> Receiver:
        raise ZeroDivisionError("by zero")

    async def main() -> None:
        scene = Scene()
        with pytest.raises(Exception, match="by zero"):
            await scene.tunnel.fence(serve)(PEER)
        (told,) = scene.told
        assert isinstance(told, ConnectionFailed)
        assert (told.tunnel, told.peer, told.code) == ("desk", PEER.text, Code.PLUGIN_FAILED)
        assert (scene.tunnel.accepted, scene.tunnel.refused) == (1, 1)

    run_virtual(main())


def test_what_a_kind_never_answers_has_a_deadline() -> None:
    async def never(peer: Peer) -> Receiver:
        await asyncio.Event().wait()
        raise AssertionError

    async def main() -> None:
        scene = Scene(hold=2.0, dial_timeout=10.0)
        with pytest.raises(Exception, match=r"."):
            await scene.tunnel.fence(never)(PEER)
        assert asyncio.get_running_loop().time() == 2.0 + 2 * 10.0 + 5.0

    run_virtual(main())


def test_an_end_refuses_who_waits_and_who_comes_and_tells_nobody() -> None:
    async def never(peer: Peer) -> Receiver:
        await asyncio.Event().wait()
        raise AssertionError

    async def main() -> None:
        scene = Scene()
        accept = scene.tunnel.fence(never)
        waiting = asyncio.create_task(accept(PEER))
        await asyncio.sleep(0)
        scene.tunnel.end()
        for attempt in (waiting, accept(PEER)):
            with pytest.raises(SessionLost, match="the tunnel desk is closing"):
                await attempt
        assert scene.told == []

    run_virtual(main())


def test_counters_and_connections_are_the_kind_s_own_when_it_serves_itself() -> None:
    async def main() -> None:
        scene = Scene()
        receiver = Collector()

        async def serve(peer: Peer) -> Receiver:
            return receiver

        tracked = await scene.tunnel.fence(serve)(PEER)
        await scene.serve()
        stream, _ = await scene.tunnel.dial(Collector)
        tracked.connection_made(stream)
        scene.tunnel.count(bytes_in=3, bytes_out=4)
        assert (scene.tunnel.connections, scene.tunnel.bytes_in, scene.tunnel.bytes_out) == (1, 3, 4)
        tracked.connection_lost(None)
        assert (scene.tunnel.connections, receiver.calls) == (0, ["made", "lost"])
        stream.abort()

    run_virtual(main())


def test_what_a_kind_carries_by_itself_is_over_its_sessions_until_it_says_otherwise() -> None:
    usage = Usage()
    network = MemoryNetwork()
    places = Places(network.place("laptop", is_here=True), lambda _: Outlook("it is down"))
    tunnel = OpenTunnel(plans.tunnel("desk", "gateway"), places, Caps(), lambda _: None, plans.read_secret, usage)
    ends = [tunnel.carry(), tunnel.by(0).carry()]
    tunnel.adopt(plans.tunnel("desk", "other"))
    ends[0]()
    assert (usage.is_used("gateway"), usage.is_used("other")) == (True, False)
    ends[1]()
    assert not any(map(usage.is_used, ("gateway", "other")))


def test_tunnels_share_what_was_made_for_the_first_who_asked() -> None:
    common: dict[Any, Any] = {}
    network = MemoryNetwork()
    places = Places(network.place("laptop", is_here=True), lambda _: Outlook("it is down"))
    one, two = (
        OpenTunnel(plans.tunnel(), places, Caps(), lambda _: None, plans.read_secret, common=common) for _ in range(2)
    )
    made = one.shared(Collector)
    assert made is two.shared(Collector) is two.by(0).shared(Collector)
    assert Scene().tunnel.shared(Collector) is not made


class Asked:
    """A place that dials when it is told to."""

    def __init__(self, place: Session) -> None:
        self._place = place
        self.asked: list[tuple[Any, str, int, Callable[[Exception | None], None]]] = []
        self.given_up = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._place, name)

    def begin_connection(self, *asked: Any) -> Callable[[], None]:
        self.asked.append(cast("tuple[Any, str, int, Callable[[Exception | None], None]]", asked))
        return self._give_up

    def _give_up(self) -> None:
        self.given_up += 1

    async def answer(self) -> None:
        make, host, port, done = self.asked.pop()
        try:
            await self._place.create_connection(make, host, port)
        except DialRefused as error:
            done(error)
        else:
            done(None)


class Prompted(Scene):
    """A plain tunnel that leaves at a place which dials without anybody who waits, and else at ``exits``."""

    def __init__(self, *exits: str) -> None:
        super().__init__()
        self.east = Asked(self.network.place("east"))
        places = Places(self.here, lambda _: Outlook("it is down"))
        for name, place in {"east": self.east, **{each: self.network.place(each) for each in exits}}.items():
            places.put(name, cast(Session, place))
        planned = plans.with_ways(plans.tunnel("desk", "east"), *exits)
        self.caps = Caps(1)
        self.tunnel = OpenTunnel(planned, places, self.caps, self.told.append, plans.read_secret)

    async def comes(self) -> Collector:
        """Somebody connects; what it is told."""
        entry = self.tunnel.accept_at_once(lambda: PEER)
        assert entry is not None
        client = Collector()

        async def accept(peer: Peer) -> Receiver:
            return client

        listener = await self.desk.create_server(accept, "*", 1)
        await self.here.create_connection(lambda: entry, "10.20.0.30", 1)
        listener.close()
        return client


@pytest.mark.parametrize("exits", [(), ("west",)])
def test_plain_streams_are_dialed_at_once_and_joined_when_that_is_through(exits: tuple[str, ...]) -> None:
    async def main() -> None:
        scene = Prompted(*exits)
        await scene.serve()
        scene.tunnel.fence(Joining(scene.tunnel))
        client = await scene.comes()
        assert [(host, port) for _, host, port, _ in scene.east.asked] == [("10.20.0.30", 5900)]
        assert (scene.tunnel.connections, scene.tunnel.is_idle) == (0, False)
        if exits:  # it cannot, and the next one does
            scene.east.asked.pop()[-1](DialRefused(Code.CONNECT_REFUSED, "refused"))
        else:
            await scene.east.answer()
        await client.send(b"x")
        assert await client.receive(1) == b"x"
        assert (scene.tunnel.connections, scene.tunnel.accepted, scene.tunnel.dials.count) == (1, 1, 1)
        stream_of(client).abort()
        await asyncio.sleep(1)
        assert (scene.tunnel.is_idle, scene.tunnel.bytes_in, scene.tunnel.refused) == (True, 1, 0)

    run_virtual(main())


def test_who_was_dialed_for_at_once_in_vain_is_aborted_and_told_of_once() -> None:
    async def main() -> None:
        scene = Prompted()
        scene.tunnel.fence(Joining(scene.tunnel))
        client = await scene.comes()
        await scene.east.answer()
        await asyncio.sleep(1)
        assert stream_of(client).is_closing()
        (told,) = scene.told
        assert isinstance(told, ConnectionFailed)
        assert (told.code, told.message[:11]) == (Code.CONNECT_REFUSED, "east dialed")
        assert (scene.tunnel.refused, scene.tunnel.is_idle) == (1, True)

    run_virtual(main())


def test_an_end_aborts_those_whose_dial_is_not_through() -> None:
    async def main() -> None:
        scene = Prompted()
        await scene.serve()
        scene.tunnel.fence(Joining(scene.tunnel))
        client = await scene.comes()
        scene.tunnel.end()
        await scene.east.answer()
        await asyncio.sleep(1)
        assert stream_of(client).is_closing()
        assert stream_of(scene.served[0]).is_closing()
        assert (scene.tunnel.is_idle, scene.told) == (True, [])
        assert scene.tunnel.accept_at_once(lambda: PEER) is None

    run_virtual(main())


@pytest.mark.parametrize("ends", ["the tunnel", "who connected"])
def test_a_dial_is_given_up_with_what_it_was_for_and_none_begins_afterwards(ends: str) -> None:
    async def main() -> None:
        scene = Prompted()
        scene.tunnel.fence(Joining(scene.tunnel))
        clients = [await scene.comes() for _ in range(3)]
        assert len(scene.east.asked) == 1  # the others wait for its place
        if ends == "the tunnel":
            scene.tunnel.end()
        else:
            for client in reversed(clients):
                stream_of(client).abort()
                await asyncio.sleep(1)
        await asyncio.sleep(1)
        assert (len(scene.east.asked), scene.east.given_up) == (1, 1)
        assert (scene.caps._pending, scene.caps._waiting) == ({}, {})
        assert (scene.tunnel.is_idle, scene.told) == (True, [])

    run_virtual(main())


def test_a_second_attempt_is_given_up_with_who_it_was_for() -> None:
    async def main() -> None:
        scene = Prompted("west")
        scene.network.black_holes.add(("desk-vnc", 5900))
        scene.tunnel.fence(Joining(scene.tunnel))
        client = await scene.comes()
        scene.east.asked.pop()[-1](DialRefused(Code.CONNECT_REFUSED, "refused"))
        await asyncio.sleep(1)
        assert not scene.tunnel.is_idle
        stream_of(client).abort()
        await asyncio.sleep(1)
        assert (scene.tunnel.is_idle, scene.told) == (True, [])
        assert (scene.caps._pending, scene.caps._waiting) == ({}, {})

    run_virtual(main())
