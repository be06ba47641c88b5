"""A topology's text comes to life in memory, and what is left behind is found out."""

from __future__ import annotations

import asyncio

import pytest

from orchestra.plugin import hookimpl
from orchestra.session.protocols import Peer, Receiver
from orchestra.testing import run_virtual
from orchestra.testing.workbench import Workbench

TEXT = """
servers: {gateway: gateway.example, inner: {behind: gateway, ssh: inner.example}}
targets: {db: {address: "db.example:5432", behind: inner}}
tunnels:
  db: {listen: "127.0.0.1:5432", hold: 2s}
  callback: {at: inner, listen: "127.0.0.1:9000", to: db}
"""


def test_what_a_client_sends_reaches_the_target_and_the_other_way() -> None:
    async def main() -> None:
        bench = Workbench(TEXT)
        async with bench.running():
            for tunnel in ("db", "callback"):
                client = await bench.connect(tunnel)
                await client.send(b"question")
                target = await bench.reached("db")
                assert await target.receive(8) == b"question"
                await target.send(b"answer")
                assert await client.receive(6) == b"answer"
            assert [session.host for session in bench.transport.opened] == ["gateway", "inner"]

    run_virtual(main())


def test_what_breaks_is_opened_again() -> None:
    async def main() -> None:
        bench = Workbench(TEXT)
        async with bench.running():
            await bench.until("db", "ready")
            bench.session("gateway").lose()
            await bench.until_true(lambda: bench.status("db").state != "ready")
            client = await bench.connect("db")
            await client.send(b"again")
            assert await (await bench.reached("db")).receive(5) == b"again"
            assert [session.host for session in bench.transport.opened] == ["gateway", "inner"] * 2

    run_virtual(main())


def test_what_stalls_is_no_loss_until_somebody_says_so() -> None:
    async def main() -> None:
        bench = Workbench(TEXT)
        async with bench.running():
            client = await bench.connect("db")
            target = await bench.reached("db")
            bench.session("gateway").stall()
            await client.send(b"held")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1):
                    await bench.session("inner").ping()
            assert not target.data
            bench.session("gateway").resume()
            assert await target.receive(4) == b"held"

    run_virtual(main())


def test_a_listener_that_is_left_is_found_out() -> None:
    async def nobody(_: Peer) -> Receiver:
        raise ConnectionRefusedError

    async def main() -> None:
        bench = Workbench(TEXT)
        with pytest.raises(AssertionError, match=r"listeners are left: .*77"):
            async with bench.running():
                await bench.here.create_server(nobody, "127.0.0.1", 77)

    run_virtual(main())


def test_a_text_that_is_wrong_is_shown_with_its_places() -> None:
    with pytest.raises(ValueError, match=r"<stdin>:2:\d+: UNKNOWN_KEY: unknown key 'sever'"):
        Workbench("\nsever: {}")


def test_a_plugin_that_is_wrong_is_named() -> None:
    class Misspelt:
        @hookimpl
        def orchestra_oops(self) -> None: ...

    with pytest.raises(ValueError, match=r"Misspelt: .*orchestra_oops"):
        Workbench(TEXT, Misspelt())
