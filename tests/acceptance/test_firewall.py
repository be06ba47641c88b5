"""Two hops through a real firewall: its own counters show that nothing but port 22 passed."""

import asyncio
from pathlib import Path

import pytest

from orchestra.session import DialRefused
from orchestra.testing.collect import Collector
from tests.acceptance.world import LABS, World, ask, play, world

EXAMPLE = Path(__file__).parents[2] / "topologies" / "vnc-firewall.yaml"


@pytest.mark.parametrize("kind", LABS)
def test_traffic_passes_and_only_ssh_passes_the_firewall(kind: str) -> None:
    async def scene() -> None:
        async with world(EXAMPLE, kind) as up:
            await up.until_ready()
            for index in range(20):
                page = await ask(up.user_of(up.plan.tunnel("desk")), *up.entrance("desk", index % 2))
                assert b"desk on desk" in page
            counters = await up.lab.counters()
            assert {(c.firewall, c.protocol, c.port) for c in counters if c.packets} == {("edge", "tcp", 22)}
            assert sum(c.packets for c in counters) == 1  # one session carries everything

    play(scene())


@pytest.mark.parametrize("kind", LABS)
@pytest.mark.parametrize("address", ["10.30.0.30", "10.20.0.3", "203.0.113.2"])
def test_the_client_cannot_reach_the_service_by_itself(kind: str, address: str) -> None:
    async def scene() -> None:
        async with world(EXAMPLE, kind) as up:
            await refuse(up, address)

    play(scene())


async def refuse(up: World, address: str) -> None:
    """A dropped packet has no answer; a host without a route says so at once."""
    with pytest.raises((DialRefused, TimeoutError)):
        async with asyncio.timeout(1):
            await up.lab.place("laptop").create_connection(Collector, address, 5900)


@pytest.mark.parametrize("kind", LABS)
def test_every_address_of_the_plan_is_the_one_a_careful_engineer_would_write(kind: str) -> None:
    async def scene() -> None:
        async with world(EXAMPLE, kind) as up:
            gateway, inner = up.plan.sessions
            assert (gateway.dial.by, str(gateway.dial), gateway.dial.means) == ("laptop", "203.0.113.2:22", "gateway")
            assert (inner.dial.by, str(inner.dial), inner.dial.means) == ("gateway", "10.20.0.3:22", "inner")
            (desk,) = up.plan.tunnels
            assert desk.dial
            assert desk.listen
            assert (desk.dial.by, str(desk.dial), desk.dial.means) == ("inner", "10.30.0.30:5900", "desk")
            assert desk.listen.addresses == ("127.0.0.1:5920", "[::1]:5920")
            assert desk.path == ("laptop", "gateway", "inner")

    play(scene())
