"""What the tasks tell, each for itself, over sessions in memory and in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.context import OpenTunnel
from orchestra.engine.core.messages import (
    CheckFailed,
    CheckPassed,
    Event,
    ListenerBound,
    ListenerFailed,
    SessionEnded,
    SessionFailed,
    SessionOpened,
    SessionSilent,
)
from orchestra.engine.dialing import Caps
from orchestra.engine.places import Outlook, Places
from orchestra.engine.work import CHECKS, Work
from orchestra.model import events
from orchestra.model.plan import ListenProbe
from orchestra.model.topology import CheckRef, SecretRef
from orchestra.plugin.interfaces import OpenRequest, TunnelContext, nobody
from orchestra.plugin.vocabulary import CheckSpec, TransportSpec
from orchestra.session.errors import OpenFailed, SessionLost
from orchestra.session.protocols import Session
from orchestra.testing import MemoryNetwork, MemorySession, MemoryTransport, run_virtual
from tests.engine import plans

EDGE, GATEWAY = plans.chain("edge", "gateway")


class Scene:
    """``told`` is what the core would hear, ``said`` what observers would."""

    def __init__(self, **parts: Any) -> None:
        self.network = MemoryNetwork({"10.20.0.30": "desk-vnc"})
        self.here = self.network.place("laptop", is_here=True)
        self.network.place("desk-vnc")
        self.transport = MemoryTransport(self.network)
        self.places = Places(self.here, lambda _: Outlook("it is down"))
        self.told: list[Event] = []
        self.said: list[events.Event] = []
        plugins = replace(plans.plugins(self.transport), **parts)
        self.work = Work(plugins, self.places, ask=nobody, tell=self.told.append, observe=self.said.append)
        self.work.expect(plans.plan((EDGE, GATEWAY)), plans.topology("edge", "gateway"))

    def open_tunnel(self, *sessions: str, **parts: Any) -> OpenTunnel:
        return OpenTunnel(
            plans.tunnel("desk", *sessions, **parts), self.places, Caps(), self.said.append, plans.read_secret
        )


async def settle() -> None:
    """Lets everything happen that happens at once."""
    await asyncio.sleep(1)


def failure_of(event: Event) -> tuple[Code, str]:
    assert isinstance(event, SessionFailed | SessionEnded | ListenerFailed | CheckFailed)
    return event.failure.code, event.failure.message


def test_a_session_is_told_of_when_it_opens_and_when_it_ends() -> None:
    async def main() -> None:
        scene = Scene()
        task = asyncio.create_task(scene.work.keep_session(EDGE))
        await settle()
        assert scene.told == [SessionOpened("edge")]
        (session,) = scene.transport.opened
        assert scene.places.get("edge") is session
        session.lose()
        await task
        assert failure_of(scene.told[1]) == (
            Code.SESSION_LOST,
            "the session to edge was lost: the connection broke",
        )
        assert scene.places.get("edge") is None

    run_virtual(main())


def test_a_session_that_ends_in_good_order_is_lost_too() -> None:
    async def main() -> None:
        scene = Scene()
        task = asyncio.create_task(scene.work.keep_session(EDGE))
        await settle()
        scene.transport.opened[0].close()
        await task
        told = "the session to edge was lost: edge closed the connection"
        assert failure_of(scene.told[1]) == (Code.SESSION_LOST, told)

    run_virtual(main())


def test_of_a_session_whose_parent_ended_only_the_parent_is_told() -> None:
    async def main() -> None:
        scene = Scene()
        edge = asyncio.create_task(scene.work.keep_session(EDGE))
        await settle()
        gateway = asyncio.create_task(scene.work.keep_session(GATEWAY))
        await settle()
        scene.transport.opened[0].lose()
        await asyncio.gather(edge, gateway)
        assert [type(event) for event in scene.told] == [SessionOpened, SessionOpened, SessionEnded]
        assert isinstance(scene.told[2], SessionEnded)
        assert scene.told[2].id == "edge"

    run_virtual(main())


def test_a_session_that_does_not_open_is_told_with_its_reason() -> None:
    async def main() -> None:
        scene = Scene()
        scene.network.refused_opens["edge"] = OpenFailed(Code.AUTH_FAILED, "edge does not let ci in", host="edge")
        await scene.work.keep_session(EDGE)
        nobody = Scene(transports={})
        await nobody.work.keep_session(EDGE)
        assert [failure_of(event) for event in (*scene.told, *nobody.told)] == [
            (Code.AUTH_FAILED, "edge does not let ci in"),
            (Code.PLUGIN_FAILED, "no transport ssh is loaded"),
        ]

    run_virtual(main())


class Curious:
    """A transport that asks for two secrets, and says something between them."""

    spec = TransportSpec(name="ssh")
    secret = b""

    async def open(self, request: OpenRequest) -> Session:
        self.secret = await request.read_secret(SecretRef(kind="env", value="GW_PASSWORD"))
        request.notice("a new host key")
        await request.read_secret(SecretRef(kind="vault", value="kv/gw"))
        raise AssertionError("no such secret")


def test_a_transport_reads_secrets_and_says_things(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GW_PASSWORD", "s3cret")
    curious = Curious()

    async def main() -> None:
        scene = Scene(transports={"ssh": curious})
        await scene.work.keep_session(EDGE)
        assert curious.secret == b"s3cret"
        assert scene.said == [events.Noticed(host="edge", message="a new host key")]
        assert failure_of(scene.told[0]) == (Code.SECRET_UNAVAILABLE, "no secret vault is loaded")

    run_virtual(main())


def test_a_listener_is_told_with_its_addresses_and_closed_by_name() -> None:
    async def main() -> None:
        scene = Scene()
        await scene.work.open_listener(scene.open_tunnel(), None)
        assert scene.told == [ListenerBound("desk", ("127.0.0.1:5920",), 0, ())]
        assert ("laptop", 5920) in scene.network.listeners
        scene.work.close_listener("desk")
        scene.work.close_listener("desk")
        assert scene.network.listeners == {}

    run_virtual(main())


def test_a_port_that_was_given_is_told_so_that_it_can_be_asked_for_again() -> None:
    async def main() -> None:
        scene = Scene()
        await scene.work.open_listener(scene.open_tunnel(entry=plans.listen("127.0.0.1", port=0)), 40123)
        assert scene.told == [ListenerBound("desk", ("127.0.0.1:40123",), 40123, ())]

    run_virtual(main())


class Dialing(MemorySession):
    """Keeps what it dialed."""

    def __init__(self, network: MemoryNetwork) -> None:
        super().__init__(network, "gateway")
        self.dials: list[str] = []

    async def create_connection(self, make: Any, host: str, port: int) -> Any:
        self.dials.append(host)
        return await super().create_connection(make, host, port)


def test_a_proof_dials_no_other_listener_of_ours_at_the_same_port() -> None:
    async def main() -> None:
        scene = Scene()
        session = Dialing(scene.network)
        scene.network.aliases["10.20.0.2"] = "gateway"
        scene.places.put("gateway", session)
        for name, own, other in (("inner", "127.0.0.1", "10.20.0.2"), ("outer", "10.20.0.2", "127.0.0.1")):
            probes = (ListenProbe(host=other, expect="closed"),)
            entry = plans.listen(own, port=8080, at="gateway", probes=probes)
            tunnel = plans.tunnel(name, entry=entry)
            live = OpenTunnel(tunnel, scene.places, Caps(), scene.said.append, plans.read_secret)
            await scene.work.open_listener(live, None)
        assert [type(event) for event in scene.told] == [ListenerBound] * 2
        assert session.dials == ["10.20.0.2"]  # at which nobody listened yet

    run_virtual(main())


def test_a_listener_that_does_not_open_is_told_with_its_reason() -> None:
    async def main() -> None:
        scene = Scene()
        await scene.work.open_listener(scene.open_tunnel(), None)
        await scene.work.open_listener(scene.open_tunnel(), None)
        await scene.work.open_listener(scene.open_tunnel(kind="magic"), None)
        assert [failure_of(event)[0] for event in scene.told[1:]] == [Code.LISTEN_IN_USE, Code.PLUGIN_FAILED]
        assert failure_of(scene.told[2])[1] == "no kind magic is loaded"

    run_virtual(main())


@pytest.mark.parametrize(
    ("check", "kind", "has"),
    [("tcp", "tcp", True), ("none", "tcp", False), ("tcp", "socks", False), ("?", "tcp", True)],
)
def test_what_has_a_check(check: str, kind: str, has: bool) -> None:
    tunnel = plans.tunnel(kind=kind, check=CheckRef(type=check))
    assert Scene().work.has_check(tunnel) == has


class Gate:
    """A check that ends when it is told how."""

    spec = CheckSpec(name="tcp")

    def __init__(self) -> None:
        self.answer = asyncio.get_running_loop().create_future()
        self.running = 0

    async def run(self, context: TunnelContext) -> None:  # noqa: ARG002
        self.running += 1
        try:
            await asyncio.shield(self.answer)
        finally:
            self.running -= 1


def test_checks_run_a_number_at_once_and_each_is_told() -> None:
    async def main() -> None:
        gate = Gate()
        scene = Scene(checks={"tcp": gate})
        checks = [
            asyncio.create_task(scene.work.check(scene.open_tunnel(), (0,), again=False)) for _ in range(CHECKS + 1)
        ]
        await settle()
        assert gate.running == CHECKS
        gate.answer.set_result(None)
        await asyncio.gather(*checks)
        assert scene.told == [CheckPassed("desk")] * (CHECKS + 1)

    run_virtual(main())


def test_a_check_that_fails_is_told_unless_its_path_is_gone() -> None:
    async def main() -> None:
        gate = Gate()
        scene = Scene(checks={"tcp": gate})
        scene.places.put("edge", edge := scene.network.place("edge"))
        gate.answer.set_exception(SessionLost(Code.SESSION_LOST, "the session edge is down"))
        await scene.work.check(scene.open_tunnel("edge"), (0,), again=False)
        edge.lose()
        await scene.work.check(scene.open_tunnel("edge"), (0,), again=False)
        await scene.work.check(scene.open_tunnel(check=CheckRef(type="magic")), (0,), again=False)
        assert [failure_of(event) for event in scene.told] == [
            (Code.SESSION_LOST, "the session edge is down"),
            (Code.PLUGIN_FAILED, "no check magic is loaded"),
        ]

    run_virtual(main())


def test_an_open_session_that_says_nothing_is_told_of_and_one_that_is_only_busy_is_not() -> None:
    class Busy(MemorySession):
        heard = 1000.0

    async def main() -> None:
        scene = Scene()
        scene.places.put("edge", edge := scene.network.place("edge"))
        await scene.work.probe("edge", "edge", 5.0)
        assert scene.told == []
        edge.stall()
        await scene.work.probe("edge", "edge", 5.0)
        (told,) = scene.told
        assert isinstance(told, SessionSilent)
        assert told.failure.message == "the session to edge was lost: it did not answer within 5 seconds"
        scene.places.put("edge", busy := Busy(scene.network, "edge"))
        busy.stall()
        await scene.work.probe("edge", "edge", 5.0)
        edge.lose()
        edge.resume()
        scene.places.put("edge", edge)
        for id_ in ("edge", "nobody"):
            await scene.work.probe(id_, id_, 5.0)
        assert scene.told == [told]

    run_virtual(main())
