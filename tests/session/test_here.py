"""This machine passes the suite that all sessions pass, and what only sockets do."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from orchestra.session.here import Here
from orchestra.testing.conformance import CHECKS, Arena, run_check


@asynccontextmanager
async def _arena():
    session, neighbour = Here("laptop"), Here("laptop")
    yield Arena(session=session, neighbour=neighbour)
    session.abort()
    neighbour.abort()
    await asyncio.gather(session.wait_closed(), neighbour.wait_closed())


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_here(check):
    asyncio.run(run_check(check, _arena))
