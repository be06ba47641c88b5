"""Core's own check, against services in memory."""

from __future__ import annotations

import asyncio

from orchestra.engine.checks import GOODBYE, TcpCheck
from orchestra.model.topology import CheckRef
from orchestra.session import Peer, Receiver
from orchestra.testing import Collector, MemoryNetwork, run_virtual
from orchestra.testing.checks import Dialing


def heard(port: int, *, hangs_up: bool) -> tuple[bytes, float]:
    """What a service at that port hears of the check, and how many seconds it takes."""

    async def scene() -> tuple[bytes, float]:
        network = MemoryNetwork()
        gateway, desk = network.place("gateway"), network.place("desk")
        service = Collector(keep_open=not hangs_up)

        async def accept(_peer: Peer) -> Receiver:
            return service

        await desk.create_server(accept, "*", port)
        await TcpCheck().run(Dialing(gateway, CheckRef(), port=port))
        took = asyncio.get_running_loop().time()
        await service.ended.wait() if hangs_up else await service.eof.wait()
        assert not gateway.streams
        return bytes(service.data), took

    return run_virtual(scene())


def test_a_dial_is_enough_and_nothing_is_said() -> None:
    assert heard(80, hangs_up=True) == (b"", 0)


def test_an_sshd_is_told_goodbye_and_given_a_moment_to_hang_up() -> None:
    assert heard(22, hangs_up=False) == (GOODBYE, 1)
