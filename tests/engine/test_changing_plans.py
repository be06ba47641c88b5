"""An engine whose plan changes while it is used, over sessions in memory and in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from orchestra.model.plan import Dial, Plan
from orchestra.model.topology import SshSettings
from orchestra.session.errors import DialRefused
from orchestra.testing import Collector, run_virtual
from tests.engine import plans
from tests.engine.plans import chain, listen, plan, session, tunnel
from tests.engine.rig import Rig, on_rig

ONE = plan(chain("edge"), tunnel("desk", "edge"))
TOPOLOGY = plans.topology("edge", "west")


async def talk(rig: Rig, port: int = 5920) -> tuple[object, Collector]:
    """A conversation that has begun."""
    stream, client = await rig.here.create_connection(Collector, "127.0.0.1", port)
    stream.write(b"hi")
    assert await client.receive(2) == b"hi"
    return stream, client


def change(rig: Rig, after: Plan, drain: float | None = 30.0) -> None:
    rig.engine.change(after, TOPOLOGY, drain=drain)


def sessions(rig: Rig) -> list[str]:
    return [each.id for each in rig.engine.snapshot().sessions]


def test_a_session_that_is_replaced_ends_with_its_last_connection() -> None:
    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        stream, client = await talk(rig)
        change(rig, plan((session("west"),), tunnel("desk", "west")), drain=None)
        await rig.until(lambda: not rig.engine.coming())
        await rig.until_state("ready")
        assert sessions(rig) == ["edge", "west"]
        edge = rig.opened("edge")
        stream.write(b"still")  # type: ignore[attr-defined]
        assert await client.receive(7) == b"histill"
        _, second = await talk(rig)
        stream.close()  # type: ignore[attr-defined]
        await rig.until(lambda: sessions(rig) == ["west"])
        assert await edge.wait_closed() is None
        assert not second.ended.is_set()
        assert rig.tunnel().connections == 1

    run_virtual(on_rig(ONE, test)())


def test_connections_that_outlast_the_time_to_drain_are_cut() -> None:
    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        _, client = await talk(rig)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        change(rig, plan((session("west"),), tunnel("desk", "west")), drain=7.0)
        await client.ended.wait()
        assert loop.time() - begun == pytest.approx(7.0, abs=0.1)
        assert not client.eof.is_set()
        assert sessions(rig) == ["west"]

    run_virtual(on_rig(ONE, test)())


def test_a_tunnel_that_is_removed_takes_nobody_and_carries_on_until_it_has_drained() -> None:
    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        _, client = await talk(rig)
        change(rig, plan(chain("edge")), drain=5.0)
        with pytest.raises(DialRefused):
            await rig.here.create_connection(Collector, "127.0.0.1", 5920)
        assert not client.ended.is_set()
        await client.ended.wait()
        assert rig.engine.snapshot().tunnels == ()
        change(rig, ONE)
        await rig.until_state("ready")
        await talk(rig)

    run_virtual(on_rig(ONE, test)())


def test_another_target_keeps_listener_counters_and_connections() -> None:
    async def test(rig: Rig) -> None:
        rig.network.listeners[("desk-vnc", 5901)] = rig.network.listeners[("desk-vnc", 5900)]
        await rig.until_state("ready")
        stream, client = await talk(rig)
        there = Dial(by="edge", host="10.20.0.30", port=5901, means="desk-vnc")
        change(rig, plan(chain("edge"), tunnel("desk", "edge", dial=there)))
        await rig.until_state("ready")
        assert rig.opened("edge").dialed[-1] == "10.20.0.30:5901"
        stream.write(b"more")  # type: ignore[attr-defined]
        assert await client.receive(6) == b"himore"
        assert (rig.tunnel().connections, rig.tunnel().bytes_in) == (1, 6)
        del rig.network.listeners[("desk-vnc", 5901)]

    run_virtual(on_rig(ONE, test)())


def test_another_address_is_open_before_the_first_is_closed() -> None:
    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        stream, _ = await talk(rig)
        change(rig, plan(chain("edge"), tunnel("desk", "edge", entry=listen("127.0.0.1", port=5921))))
        await rig.until(lambda: rig.tunnel().listen == ("127.0.0.1:5921",))
        assert ("laptop", 5920) not in rig.network.listeners
        await talk(rig, 5921)
        assert rig.tunnel().connections == 2
        stream.close()  # type: ignore[attr-defined]

    run_virtual(on_rig(ONE, test)())


def test_a_session_is_opened_with_the_settings_that_its_plan_has() -> None:
    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        host = TOPOLOGY.hosts["edge"]
        assert host.server is not None
        bob = replace(host, server=replace(host.server, ssh=SshSettings(user="bob")))
        topology = replace(TOPOLOGY, hosts={**TOPOLOGY.hosts, "edge": bob})
        rig.engine.change(plan((session("edge~2", server="edge"),), tunnel("desk", "edge~2")), topology, drain=1.0)
        await rig.until(lambda: sessions(rig) == ["edge~2"])
        await rig.until_state("ready")
        await talk(rig)

    run_virtual(on_rig(ONE, test)())


def test_leaving_waits_for_who_is_there_and_stops_then() -> None:
    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        stream, client = await talk(rig)
        rig.engine.leave(None)
        assert rig.engine.snapshot().state == "starting"
        with pytest.raises(DialRefused):
            await rig.here.create_connection(Collector, "127.0.0.1", 5920)
        await asyncio.sleep(1000)
        assert sessions(rig) == ["edge"]
        stream.close()  # type: ignore[attr-defined]
        await client.ended.wait()
        await rig.until(lambda: sessions(rig) == [])

    run_virtual(on_rig(ONE, test)())


def test_reconnecting_drops_what_is_carried_and_opens_at_once() -> None:
    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        first, (_, client) = rig.opened("edge"), await talk(rig)
        rig.engine.reconnect(("edge",), ("desk",))
        await client.ended.wait()
        await rig.until_state("ready")
        assert rig.opened("edge") is not first

    run_virtual(on_rig(ONE, test)())
