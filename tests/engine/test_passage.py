"""Dials by several ways, over sessions in memory and in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.dialing import Caps
from orchestra.engine.passage import Passage
from orchestra.engine.places import Outlook, Places
from orchestra.session.errors import DialRefused, SessionLost
from orchestra.session.protocols import Peer, Receiver
from orchestra.testing import Collector, MemoryNetwork, MemorySession, run_virtual
from tests.engine import plans


class Scene:
    """Two servers, each of which dials the desk; ``awaited`` are the sessions that somebody asked for."""

    def __init__(self, *exits: str, **spec: Any) -> None:
        self.network = MemoryNetwork({"10.20.0.30": "desk-vnc"})
        here = self.network.place("laptop", is_here=True)
        self.desk = self.network.place("desk-vnc")
        self.awaited: list[str] = []
        self.outlook = Outlook("it is being opened")
        self.places = Places(here, lambda _: self.outlook, self.awaited.append)
        planned = plans.with_ways(plans.tunnel("desk", "east", **spec), *exits)
        self.passage = Passage(planned, self.places, Caps())

    def opened(self, server: str) -> MemorySession:
        self.places.put(server, session := self.network.place(server))
        return session

    async def serve(self) -> None:
        async def accept(peer: Peer) -> Receiver:
            return Collector(echo=True)

        await self.desk.create_server(accept, "*", 5900)

    async def dial(self) -> None:
        stream, _ = await self.passage.dial(self.passage.order, Collector, None, None)
        stream.abort()


def test_the_live_way_is_dialed_and_the_others_are_not() -> None:
    async def main() -> None:
        scene = Scene("west", "north")
        await scene.serve()
        east, west = scene.opened("east"), scene.opened("west")
        await scene.dial()
        scene.passage.take(1)
        await scene.dial()
        assert (east.dialed, west.dialed) == (["10.20.0.30:5900"], ["10.20.0.30:5900"])
        live = scene.passage.tunnel
        assert (live.exit, live.path) == ("west", ("laptop", "west"))
        assert [each.exit for each in live.alternatives] == ["east", "north"]
        assert [each.dial.by for each in (live, *live.alternatives) if each.dial] == ["west", "east", "north"]

    run_virtual(main())


def test_who_cannot_connect_by_one_way_is_tried_by_the_next_once() -> None:
    async def main() -> None:
        scene = Scene("west", "north")
        east, west, north = (scene.opened(server) for server in ("east", "west", "north"))
        with pytest.raises(DialRefused) as caught:
            await scene.dial()
        assert caught.value.code is Code.CONNECT_REFUSED
        assert caught.value.message == (
            "east dialed 10.20.0.30:5900 (desk-vnc): connection refused; "
            "west dialed 10.20.0.30:5900 (desk-vnc): connection refused"
        )
        assert [len(session.dialed) for session in (east, west, north)] == [1, 1, 0]

    run_virtual(main())


def test_what_an_exit_forbids_is_not_asked_of_another() -> None:
    async def main() -> None:
        scene = Scene("west")
        await scene.serve()
        forbidden = DialRefused(Code.FORWARD_REFUSED, "its policy forbids it", host="east")
        scene.network.refused_dials["desk-vnc", 5900] = forbidden
        scene.opened("east")
        west = scene.opened("west")
        with pytest.raises(DialRefused, match="policy"):
            await scene.dial()
        assert west.dialed == []

    run_virtual(main())


def test_who_cannot_connect_waits_for_a_way_that_only_stands_by() -> None:
    async def main() -> None:
        scene = Scene("west")
        scene.opened("east")
        dialing = asyncio.create_task(scene.dial())
        await asyncio.sleep(0.5)
        assert scene.awaited == ["west"]
        await scene.serve()
        scene.opened("west")
        await dialing
        assert asyncio.get_running_loop().time() == 0.5

    run_virtual(main())


def test_without_another_way_the_first_refusal_is_the_answer() -> None:
    async def main() -> None:
        scene = Scene()
        scene.opened("east")
        with pytest.raises(DialRefused, match=r"^east dialed 10\.20\.0\.30:5900 \(desk-vnc\): connection refused$"):
            await scene.dial()
        assert asyncio.get_running_loop().time() == 0.0

    run_virtual(main())


def test_a_dial_that_loses_its_session_is_made_anew_by_what_is_open_within_hold() -> None:
    async def main() -> None:
        scene = Scene("west", hold=2.0)
        await scene.serve()
        scene.opened("east").stall()
        dialing = asyncio.create_task(scene.dial())
        await asyncio.sleep(1.0)
        lost = scene.places.remove("east")
        assert isinstance(lost, MemorySession)
        lost.lose()
        west = scene.opened("west")
        lost.resume()
        await dialing
        assert west.dialed == ["10.20.0.30:5900"]
        assert asyncio.get_running_loop().time() == 1.0

    run_virtual(main())


def test_with_no_way_open_any_that_opens_will_do_until_hold_is_over() -> None:
    async def main() -> None:
        scene = Scene("west", hold=2.0)
        await scene.serve()
        dialing = asyncio.create_task(scene.dial())
        await asyncio.sleep(1.5)
        scene.opened("west")
        await dialing
        scene.places.remove("west")
        with pytest.raises(SessionLost, match="the session east is down and did not come back within 2 seconds"):
            await scene.dial()
        scene.outlook = Outlook("its key has changed", hopeless=True)
        with pytest.raises(SessionLost, match="its key has changed"):
            await scene.dial()
        assert asyncio.get_running_loop().time() == 3.5

    run_virtual(main())
