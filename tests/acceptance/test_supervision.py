"""Two hops of real sshd: how soon traffic passes again, and what a machine that was suspended finds."""

from __future__ import annotations

import random
import signal
import time

import pytest

from orchestra.engine.core import session
from orchestra.engine.core.messages import NetworkChanged, Resumed
from tests.acceptance.world import needs_netns, play
from tests.faults.field import TWO_HOPS, Field, Hasty, field, take

pytestmark = [pytest.mark.netns, needs_netns]

PATIENT = TWO_HOPS.replace("hold: 500ms", "hold: 2s").replace("keepalive: 1s", "keepalive: 60s")


class Longest(random.Random):
    """Waits as long as it may, and half a minute more."""

    def uniform(self, a: float, b: float) -> float:  # noqa: ARG002
        return b + 30.0


async def lost_for_long(up: Field, server: str) -> None:
    """A server is killed, and would not be tried for half a minute."""
    await up.until_ready()
    up.engine._rng = Longest()
    await up.lab.stop_server(server)
    await up.until_lost(server)


@pytest.mark.parametrize("server", ["gateway", "inner"])
def test_who_comes_when_the_cause_is_gone_is_served_within_two_seconds(server: str) -> None:
    async def scene() -> None:
        async with field(PATIENT) as up:
            await lost_for_long(up, server)
            await up.lab.start_server(server)
            begun = time.monotonic()
            assert await up.get(1000) == take(1000)
            assert time.monotonic() - begun < 2.0
            await up.until_ready()

    play(scene())


def test_a_change_of_the_network_has_what_is_down_tried_at_once() -> None:
    async def scene() -> None:
        async with field(PATIENT) as up:
            await lost_for_long(up, "gateway")
            await up.lab.start_server("gateway")
            up.engine._rng = Hasty()
            up.engine._hear(NetworkChanged())
            assert await up.until_back() < 2.0

    play(scene())


def test_after_a_suspend_the_hop_that_is_gone_is_noticed_and_named_long_before_its_keepalive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "PROBE", 0.5)

    async def scene() -> None:
        async with field(PATIENT) as up:
            await up.until_ready()
            up.engine._hear(Resumed())
            await up.stays_quiet(1.0)  # everybody answers
            up.signal("gateway", signal.SIGSTOP)
            up.engine._hear(Resumed())
            assert await up.until_lost("gateway") < 1.0
            assert "did not answer within 0.5 seconds" in up.error("gateway").message
            assert "retrying" not in up.states("inner")
            up.signal("gateway", signal.SIGCONT)
            await up.until_back()

    play(scene())
