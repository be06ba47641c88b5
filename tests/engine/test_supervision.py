"""An engine over sessions in memory, in virtual time: what it does when something breaks, and what its users see."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from orchestra.diagnostics import Code
from orchestra.engine.core.messages import Event, NetworkChanged, Resumed
from orchestra.model.events import PathChanged
from orchestra.model.topology import CheckRef
from orchestra.session.errors import OpenFailed
from orchestra.session.protocols import Stream
from orchestra.testing import Collector, run_virtual
from tests.engine.plans import chain, plan, session, tunnel, with_ways
from tests.engine.rig import Rig, on_rig

REFUSED = OpenFailed(Code.CONNECT_REFUSED, "laptop dials east.example:22: refused", host="laptop")


def now() -> float:
    return asyncio.get_running_loop().time()


async def connect(rig: Rig) -> tuple[Stream, Collector]:
    stream, client = await rig.here.create_connection(Collector, "127.0.0.1", 5920)
    await client.send(b"x")
    assert await client.receive(1) == b"x"
    return stream, client


def two_ways(standby: str = "cold", **spec: Any) -> Any:
    desk = with_ways(tunnel("desk", "east", standby=standby, **spec), "west")
    return plan((session("east"), session("west")), desk)


def moves(rig: Rig) -> list[tuple[str, ...]]:
    return [event.path for event in rig.events if isinstance(event, PathChanged)]


class World:
    """What an engine is told of its machine."""

    def __init__(self) -> None:
        self.tell: Callable[[Event], None] = lambda _: None

    @contextlib.contextmanager
    def watch(self, tell: Callable[[Event], None]) -> Iterator[None]:
        self.tell = tell
        yield


def test_new_connections_take_the_other_way_and_go_back_when_the_better_has_lasted() -> None:
    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        _, cut = await connect(rig)
        rig.network.refused_opens["east"] = REFUSED
        rig.opened("east").lose()
        await cut.ended.wait()
        staying, kept = await connect(rig)
        assert now() < 1.0
        assert rig.tunnel().failed_over
        rig.network.refused_opens.clear()
        await rig.until(lambda: rig.states("east")[-1] == "open")
        back = now()
        await rig.until(lambda: not rig.tunnel().failed_over)
        assert now() - back == 30.0
        assert moves(rig) == [("laptop", "west"), ("laptop", "east")]
        await kept.send(b"still")
        assert await kept.receive(6) == b"xstill"
        staying.abort()
        await connect(rig)
        assert rig.opened("east").dialed[-1] == "10.20.0.30:5900"

    run_virtual(on_rig(two_ways(), test)())


def test_who_waits_has_its_server_tried_at_once() -> None:
    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        rig.network.refused_opens["edge"] = REFUSED
        rig.opened("edge").lose()
        await asyncio.sleep(1000.0)
        rig.network.refused_opens.clear()
        tried, begun = len(rig.states("edge")), now()
        await connect(rig)
        assert now() - begun < 0.1
        assert len(rig.states("edge")) == tried + 2

    run_virtual(on_rig(plan(chain("edge", "gateway"), tunnel("desk", "edge", "gateway")), test)())


def test_a_crowd_that_waits_does_not_hammer_its_server() -> None:
    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        rig.network.refused_opens["edge"] = REFUSED
        rig.opened("edge").lose()
        await asyncio.sleep(1000.0)
        tried = rig.states("edge").count("connecting")
        visits = []
        for _ in range(200):
            visits.append(asyncio.create_task(rig.here.create_connection(Collector, "127.0.0.1", 5920)))
            await asyncio.sleep(0.1)
        assert rig.states("edge").count("connecting") - tried <= 11  # of twenty seconds
        await asyncio.gather(*visits, return_exceptions=True)

    run_virtual(on_rig(plan(chain("edge"), tunnel("desk", "edge")), test)())


def test_after_a_suspend_the_hop_that_does_not_answer_is_named_within_seconds() -> None:
    world = World()

    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        first = rig.opened("edge")
        first.stall()
        await asyncio.sleep(100.0)
        begun = now()
        world.tell(Resumed())
        await rig.until(lambda: "retrying" in rig.states("edge"))
        assert now() - begun == 5.0
        error = next(event.error for event in rig.events if getattr(event, "state", "") == "retrying")
        assert error.message == "the session to edge was lost: it did not answer within 5 seconds"
        assert "retrying" not in rig.states("gateway")
        await rig.until_state("ready")
        assert first.state == "closed"

    two_hops = plan(chain("edge", "gateway"), tunnel("desk", "edge", "gateway"))
    run_virtual(on_rig(two_hops, test, watch=world.watch)())


def test_when_the_network_changes_what_answers_stays_and_what_waits_is_tried() -> None:
    world = World()

    async def test(rig: Rig) -> None:
        rig.network.refused_opens["east"] = REFUSED
        await rig.until(lambda: rig.states("west")[-1:] == ["open"])
        await asyncio.sleep(1000.0)
        rig.network.refused_opens.clear()
        begun = now()
        world.tell(NetworkChanged())
        await rig.until_state("ready")
        assert now() - begun <= 0.5
        await asyncio.sleep(10.0)
        assert rig.states("west") == ["connecting", "open"]

    beside = plan((session("east"), session("west")), tunnel("desk", "east"))
    run_virtual(on_rig(beside, test, watch=world.watch)())


def test_while_real_connections_succeed_no_check_is_run() -> None:
    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        _, client = await connect(rig)
        for _ in range(10):
            await asyncio.sleep(60.0)
            await client.send(b"x")
        assert len(rig.here.dialed) == 3  # the first check, and the connection at both ends
        await asyncio.sleep(150.0)  # the last bytes count once more
        before = len(rig.here.dialed)
        await asyncio.sleep(600.0)
        assert len(rig.here.dialed) == before + 10

    run_virtual(on_rig(plan((), tunnel("desk", check=CheckRef(every=60.0))), test)())


def test_a_target_that_fails_now_and_then_degrades_only_when_it_fails_in_a_row() -> None:
    async def test(rig: Rig) -> None:
        await rig.until_state("ready")
        rig.listener.close()
        begun = now()
        await rig.until_state("degraded")
        assert now() - begun == 180.0
        await rig.serve_target()
        await rig.until_state("ready")
        proofs = [event.proven for event in rig.events if hasattr(event, "proven") and event.listen]
        assert proofs == [False, True, False, True]

    run_virtual(on_rig(plan((), tunnel("desk", check=CheckRef(every=60.0, rise=2, fall=3))), test)())
