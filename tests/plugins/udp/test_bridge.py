"""Bridges of one session share a helper, for as long as anybody needs it."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from orchestra_plugins.udp import bridge as module
from orchestra_plugins.udp.bridge import Bridges

from orchestra.errors import RuntimeFailure
from orchestra.session.here import Here
from tests.plugins.udp.rig import Party, far, play, target, until


def test_this_machine_needs_no_helper() -> None:
    async def scene() -> None:
        with target() as (port, _):
            here, party = Here("here"), Party()
            bridge = await Bridges().open(here)
            bridge.flow(party, "127.0.0.1", port).send(b"near")
            await party.until(lambda: party.got == [b"near"])
            assert (bridge.about, bridge.is_over) == ("here itself", False)
            bridge.close()

    play(scene)


def test_one_helper_serves_all_and_leaves_after_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER", 0.0)

    async def scene() -> None:
        with target() as (port, _):
            async with far() as session:
                shared = Bridges()
                bridges = await asyncio.gather(*(shared.open(session) for _ in range(5)))
                assert len(session.processes) == 1
                parties = [Party() for _ in bridges]
                for number, (bridge, party) in enumerate(zip(bridges, parties, strict=True)):
                    bridge.flow(party, "127.0.0.1", port).send(b"%d" % number)
                for number, party in enumerate(parties):
                    await party.until(lambda: party.got == [b"%d" % number])  # noqa: B023
                for bridge in bridges[:-1]:
                    bridge.close()
                    bridge.close()
                await asyncio.sleep(0.01)
                assert not bridges[-1].is_over
                bridges[-1].close()
                await until(lambda: session.processes[0].exit_status is not None)
                again = await shared.open(session)
                assert len(session.processes) == 2
                again.close()

    play(scene)


def test_one_that_is_killed_is_started_again_but_not_without_end() -> None:
    async def scene() -> None:
        shared = Bridges()
        async with far() as session:
            for round_ in range(2):
                bridge = await shared.open(session)
                assert len(session.processes) == round_ + 1
                os.kill(int(bridge.about.split()[2]), signal.SIGKILL)
                await until(lambda: bridge.is_over)  # noqa: B023
                bridge.close()
            with pytest.raises(RuntimeFailure, match="the helper at far ended"):
                await shared.open(session)
            assert len(session.processes) == 2

    play(scene)


def test_what_cannot_be_started_is_said_again_without_being_tried() -> None:
    async def scene() -> None:
        shared = Bridges()
        async with far("echo no; exit 1") as session:
            said = []
            for _ in range(4):
                with pytest.raises(RuntimeFailure) as failed:
                    await shared.open(session)
                said.append(failed.value.message)
            assert len(set(said)) == 1
            assert len(session.processes) == 4  # both languages, twice

    play(scene)
