"""Servers that are this machine: they run, stand still and die, and what is left behind is found out."""

from __future__ import annotations

import asyncio

import pytest

from orchestra.session.protocols import Datagrams
from orchestra.testing import Collector
from orchestra.testing.machine import Echo, MachineBench, Server, until

TEXT = """
servers: {gateway: gateway.example}
targets: {here: {host: gateway, address: "127.0.0.1:9"}}
tunnels: {here: {listen: "127.0.0.1:auto", check: none}}
"""


def test_what_runs_there_stands_still_goes_on_and_is_killed() -> None:
    async def main() -> None:
        bench = MachineBench(TEXT)
        async with bench.running():
            await bench.until("here", "ready")
            gateway = bench.server("gateway")
            assert not isinstance(gateway, Datagrams)
            process, receiver = await gateway.create_process(Collector, "exec cat")
            gateway.stall()
            process.write(b"held")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(receiver.receive(4), 0.05)
            gateway.go_on()
            assert await receiver.receive(4) == b"held"
            gateway.kill()
            await until(lambda: not gateway.runs)
            gateway.kill()  # nothing is there

    asyncio.run(main())


def test_a_session_that_is_lost_takes_its_programs_along_and_is_opened_again() -> None:
    async def main() -> None:
        bench = MachineBench(TEXT)
        async with bench.running():
            await bench.until("here", "ready")
            gateway = bench.server("gateway")
            await gateway.create_process(Collector, "exec cat")
            gateway.abort()
            await until(lambda: not gateway.runs)
            await until(lambda: bench.server("gateway") is not gateway)
            await bench.until("here", "ready")

    asyncio.run(main())


def test_another_topology_has_sessions_of_its_own() -> None:
    async def main() -> None:
        bench = MachineBench(TEXT)
        async with bench.running():
            await bench.until("here", "ready")
            before = bench.server("gateway")
            bench.change(TEXT.replace("127.0.0.1:9", "127.0.0.1:10"))
            await bench.until_true(lambda: not bench.engine.coming())
            assert bench.server("gateway") is before  # it does as it did
            bench.change(TEXT.replace("gateway.example", "{ssh: {host: gateway.example, port: 2222}}"))
            await until(lambda: before.state != "open")
            assert bench.server("gateway") is not before

    asyncio.run(main())


def test_what_is_left_behind_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    patience = until.__defaults__
    monkeypatch.setattr(until, "__defaults__", ("it", 0.05))
    assert patience is not None

    async def main() -> None:
        bench, place = MachineBench(TEXT), Server("mine")
        with pytest.raises(AssertionError, match="the end of its sockets does not come true"):
            async with bench.running():
                await place.create_process(Collector, "exec cat")
        place.close()
        for _ in range(200):
            await asyncio.sleep(0.005)
            if not place.runs:
                break
        assert not place.runs

    asyncio.run(main())


def test_an_echo_answers_while_it_is_to_and_remembers_who_asked() -> None:
    async def main() -> None:
        with Echo() as one, Echo() as other:
            one.send(b"ping", ("127.0.0.1", other.port))
            other.answers = False
            await until(lambda: other.heard)
            assert other.heard == [(("127.0.0.1", one.port), b"ping")]
            other.close()
            with Echo(other.port) as again:
                assert again.port == other.port

    asyncio.run(main())
