from __future__ import annotations

import asyncio
import os
import time
from dataclasses import replace

import pytest

from orchestra.assembly import running as module
from orchestra.control.handlers import Handlers, Readiness
from orchestra.model.events import Closed, Event, Occurrence, OverallChanged, PathChanged, TunnelChanged
from tests.assembly.engines import READY, failing, make_running


def test_it_answers_the_control_socket() -> None:
    async def scene() -> None:
        running, engine = make_running()
        handlers: Handlers = running
        async with running:
            assert (handlers.status().state, handlers.status().pid) == ("starting", os.getpid())
            assert handlers.variables() == {}
            engine.become(READY)
            assert handlers.status().state == "ready"
            assert handlers.variables()["ORCHESTRA_DESK_ADDRESS"] == "127.0.0.1:5920"
            assert await handlers.wait_ready() == Readiness(ready=True)
            handlers.stop()
            await handlers.wait_closed()
        assert engine.ended == ["in order"]

    asyncio.run(asyncio.wait_for(scene(), 10))


def test_waiting_for_readiness_ends_with_an_error_that_will_not_mend_and_with_the_end() -> None:
    async def scene() -> tuple[Readiness, Readiness]:
        running, engine = make_running()
        async with running:
            refused = asyncio.create_task(running.wait_ready())
            await asyncio.sleep(0)
            engine.become(failing("DIAL_FAILED"))
            engine.become(failing("AUTH_FAILED"))
            first = await refused
            engine.become(failing("DIAL_FAILED"))
            ended = asyncio.create_task(running.wait_ready())
            await asyncio.sleep(0)
            running.stop()
            return first, await ended

    first, second = asyncio.run(asyncio.wait_for(scene(), 10))
    assert not first.ready
    assert first.fatal is not None
    assert first.fatal.code == "AUTH_FAILED"
    assert second == Readiness(ready=False)


def test_events_begin_with_what_is_true_now_and_end_with_it() -> None:
    async def scene() -> list[Occurrence]:
        running, engine = make_running()
        async with running:
            events = running.events()
            seen = [await anext(events), await anext(events)]
            engine.become(READY)
            seen.append(await anext(events))
            running.stop()
            return seen + [event async for event in events]

    seen = asyncio.run(asyncio.wait_for(scene(), 10))
    assert [(told.event, told.snapshot) for told in seen] == [
        (TunnelChanged(name="desk", state="starting", proven=False), True),
        (OverallChanged(state="starting"), True),
        (OverallChanged(state="ready"), False),
        (Closed(), False),
    ]
    assert [told.time for told in seen] == sorted(told.time for told in seen)
    assert time.time() - 60 < seen[0].time <= time.time()


def test_events_begin_with_the_path_when_it_is_not_the_planned_one() -> None:
    async def scene() -> list[Event]:
        running, engine = make_running()
        async with running:
            elsewhere = replace(READY.tunnels[0], path=("laptop", "west"), failed_over=True)
            engine.become(replace(READY, tunnels=(elsewhere,)))
            events = running.events()
            return [(await anext(events)).event for _ in range(3)]

    _, moved, _ = asyncio.run(asyncio.wait_for(scene(), 10))
    assert isinstance(moved, PathChanged)
    assert (moved.name, moved.path, moved.planned) == ("desk", ("laptop", "west"), False)


def test_observers_hear_everything_in_order_but_not_that_it_is_less_ready_while_it_goes() -> None:
    heard: list[Event] = []

    async def scene() -> None:
        running, engine = make_running(heard.append)
        async with running:
            engine.become(READY)
            running.stop()
            engine.become(failing("SESSION_LOST"))

    asyncio.run(asyncio.wait_for(scene(), 10))
    assert heard == [OverallChanged(state="ready")]


def test_a_fault_of_the_engine_reaches_whoever_waits() -> None:
    async def scene() -> None:
        running, engine = make_running()
        async with running:
            engine.fail(RuntimeError("a contradiction"))
            await running.wait_closed()

    with pytest.raises(RuntimeError, match="a contradiction"):
        asyncio.run(asyncio.wait_for(scene(), 10))


def test_cancelled_it_stops_in_order_and_cancelled_again_at_once() -> None:
    async def scene(cancels: int) -> list[str]:
        running, engine = make_running()
        engine.deaf = cancels > 1

        async def stay() -> None:
            async with running:
                await running.wait_closed()

        task = asyncio.create_task(stay())
        for _ in range(cancels):
            for _ in range(3):
                await asyncio.sleep(0)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return engine.ended

    assert asyncio.run(asyncio.wait_for(scene(1), 10)) == ["in order"]
    assert asyncio.run(asyncio.wait_for(scene(2), 10)) == ["at once"]


def test_what_does_not_stop_in_time_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ORDERLY", 0.01)

    async def scene() -> list[str]:
        running, engine = make_running()
        engine.deaf = True
        async with running:
            pass
        return engine.ended

    assert asyncio.run(asyncio.wait_for(scene(), 10)) == ["at once"]
