from __future__ import annotations

import asyncio

import pytest

from orchestra.engine.places import Outlook, Places
from orchestra.session.errors import SessionLost
from orchestra.testing import MemoryNetwork, run_virtual


def test_waiting_ends_with_the_session_with_patience_or_with_hope() -> None:
    async def main() -> None:
        network, loop = MemoryNetwork(), asyncio.get_running_loop()
        outlook = {"gateway": Outlook("it is being opened")}
        places = Places(network.place("laptop", is_here=True), outlook.__getitem__)
        assert (await places.wait((None,), 0.0))[1].host == "laptop"

        waiting = asyncio.create_task(places.wait(("gateway",), 9.0))
        await asyncio.sleep(1)
        session = network.place("gateway")
        places.put("gateway", session)
        assert await waiting == ("gateway", session)
        assert await places.wait(("gateway",), 0.0) == ("gateway", session)

        session.lose()
        with pytest.raises(SessionLost, match="did not come back within 2 seconds: it is being opened"):
            await places.wait(("gateway",), 2.0)
        assert loop.time() == 3.0

        waiting = asyncio.create_task(places.wait(("gateway",), 9.0))
        await asyncio.sleep(1)
        places.settle()
        assert not waiting.done()
        outlook["gateway"] = Outlook("its key has changed", hopeless=True)
        places.settle()
        with pytest.raises(SessionLost, match="the session gateway is down: its key has changed"):
            await waiting
        with pytest.raises(SessionLost):
            await places.wait(("gateway",), 9.0)
        assert loop.time() == 4.0
        assert places._waiting == {}

    run_virtual(main())


def test_who_is_cancelled_waits_no_longer() -> None:
    async def main() -> None:
        places = Places(MemoryNetwork().place("laptop", is_here=True), lambda _: Outlook("…"))
        waiting = asyncio.create_task(places.wait(("gateway",), 9.0))
        await asyncio.sleep(1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert places._waiting == {}

    run_virtual(main())
