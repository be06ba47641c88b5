"""The memory session passes the suite that all sessions pass."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from orchestra.testing import MemoryNetwork
from orchestra.testing.conformance import CHECKS, Arena, run_check


@asynccontextmanager
async def _arena():
    network = MemoryNetwork()
    session, neighbour = network.place("machine"), network.place("machine")

    async def lose():
        session.lose()

    yield Arena(session=session, neighbour=neighbour, lose=lose)
    session.close()
    neighbour.close()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_memory(check):
    asyncio.run(run_check(check, _arena))
