from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from orchestra.assembly.readiness import GaveUp, TakenDown, as_failure, make_ready, until_failure
from orchestra.diagnostics import Code
from orchestra.engine.core.report import EngineStatus
from orchestra.errors import RuntimeFailure
from orchestra.model.status import ErrorStatus, SessionStatus
from tests.assembly.engines import READY, STARTING, ScriptedEngine, failing, make_running


def waiting(*states: EngineStatus, act: Callable[[ScriptedEngine], object] = lambda _: None, **how: object) -> None:
    """Waits for readiness while the engine goes through the states."""

    async def scene() -> None:
        running, engine = make_running()
        async with running:
            waiter = asyncio.create_task(make_ready(running, **how))  # type: ignore[arg-type]
            for state in states:
                await asyncio.sleep(0)
                engine.become(state)
            act(engine)
            await waiter

    asyncio.run(asyncio.wait_for(scene(), 10))


def test_failures_that_come_and_go_are_waited_out() -> None:
    waiting(failing("DIAL_FAILED"), READY)


def test_an_identity_error_ends_it_with_its_whole_text() -> None:
    with pytest.raises(RuntimeFailure, match="refused") as caught:
        waiting(failing("AUTH_FAILED"))
    assert (caught.value.code, caught.value.host) == (Code.AUTH_FAILED, "gateway")
    assert caught.value.suggestion == "look there"


def test_the_patient_wait_on() -> None:
    waiting(failing("AUTH_FAILED"), READY, patient=True)


def test_who_wants_to_fail_fast_does() -> None:
    with pytest.raises(RuntimeFailure) as caught:
        waiting(failing("DIAL_FAILED"), fail_fast=True, patient=True)
    assert caught.value.code is Code.DIAL_FAILED


def test_a_timeout_says_what_each_tunnel_waits_for() -> None:
    with pytest.raises(GaveUp, match=r"office is not ready after 0\.01 s") as caught:
        waiting(failing("CONNECT_REFUSED"), timeout=0.01)
    assert caught.value.waiting == ("desk: gateway dialed 10.0.0.1:5900: refused",)
    connecting = replace(STARTING, sessions=(SessionStatus(id="gateway", server="gateway", state="connecting"),))
    with pytest.raises(GaveUp) as caught:
        waiting(connecting, timeout=0.01)
    assert caught.value.waiting == ("desk: still starting; gateway is connecting",)


def test_being_taken_down_meanwhile_is_said() -> None:
    with pytest.raises(TakenDown, match="office was taken down before it was ready"):
        waiting(act=lambda engine: engine.stop())


def test_a_failure_after_readiness() -> None:
    async def scene(fails: bool) -> None:
        running, engine = make_running()
        async with running:
            engine.become(READY)
            watching = asyncio.create_task(until_failure(running))
            await asyncio.sleep(0)
            if fails:
                engine.become(failing("SESSION_LOST"))
            else:
                running.stop()
            await watching

    asyncio.run(asyncio.wait_for(scene(fails=False), 10))
    with pytest.raises(RuntimeFailure) as caught:
        asyncio.run(asyncio.wait_for(scene(fails=True), 10))
    assert caught.value.code is Code.SESSION_LOST


def test_a_code_of_a_newer_version_is_a_failure_all_the_same() -> None:
    error = ErrorStatus(code="MOON_IN_THE_WAY", host=None, message="wait for the new moon", since=0.0)
    assert as_failure(error).message == "wait for the new moon"
