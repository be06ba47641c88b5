"""The kernel is asked what the planner says: random topologies in namespaces, every host dials every address.

Left out is what the planner does not claim to know: what it assumes, and addresses that it calls ambiguous.
"""

from __future__ import annotations

import asyncio
import random

import pytest

from orchestra.diagnostics import Code
from orchestra.graph import compile_world, dialer_at, judge
from orchestra.lab.interface import Lab
from orchestra.lab.netns import open_netns_lab
from orchestra.session import DialRefused
from orchestra.testing.collect import Collector
from tests.acceptance.world import needs_netns, play
from tests.lab.embedded.test_agreement import PORTS, random_topology

PATIENCE = 1.5
"""Seconds after which a dial counts as dropped; everything is on one machine."""


async def arrives(lab: Lab, dialer: str, address: str, port: int) -> bool:
    """Whether it reaches a host: one that refuses was reached."""
    try:
        async with asyncio.timeout(PATIENCE):
            stream, _ = await lab.place(dialer).create_connection(Collector, address, port)
    except TimeoutError:
        return False
    except DialRefused as refused:
        return refused.code is Code.CONNECT_REFUSED
    stream.abort()
    return True


@pytest.mark.netns
@needs_netns
@pytest.mark.parametrize("seed", [*range(8), 12, 94])  # in the last two nat sends dials back to their dialers
def test_kernel_and_planner_agree(seed: int) -> None:
    topology = random_topology(random.Random(seed))  # noqa: S311 - not for secrets
    client = next(iter(topology.hosts))
    model = compile_world(topology, client)
    addresses = sorted(
        {str(a) for host in topology.hosts.values() for attached in host.attachments for a in attached.addresses}
    )

    async def scene() -> None:
        lab = await open_netns_lab(topology, client)
        try:
            questions = [
                (dialer, address, port) for dialer in topology.hosts for address in addresses for port in PORTS
            ]
            said = [judge(model, dialer_at(model, dialer), address, port) for dialer, address, port in questions]
            certain = [
                (question, verdict)
                for question, verdict in zip(questions, said, strict=True)
                if not verdict.assumed and all(step.code is not Code.AMBIGUOUS_ADDRESS for step in verdict.steps)
            ]
            found = await asyncio.gather(*(arrives(lab, *question) for question, _ in certain))
            differ = [
                f"{question}: the kernel says {kernel}, the planner {verdict.steps}"
                for (question, verdict), kernel in zip(certain, found, strict=True)
                if kernel != verdict.passes
            ]
            assert not differ, f"{len(differ)} of {len(certain)}\n" + "\n".join(differ[:10])
        finally:
            await lab.close()

    play(scene())
