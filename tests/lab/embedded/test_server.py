"""The SSH servers of the lab: that they start and stop, and hand on what they accept."""

from __future__ import annotations

import asyncssh
import pytest

from orchestra.lab.embedded import EmbeddedLab
from orchestra.testing.collect import Collector
from tests.lab.embedded.build import host, in_lab, target, topology
from tests.lab.embedded.ssh import CONNECT_FAILED, ask, dials, greets, login, office, refusal


def test_commands_are_refused() -> None:
    async def test(lab: EmbeddedLab) -> None:
        async with login(lab) as gateway:
            with pytest.raises(asyncssh.ChannelOpenError):
                await gateway.run("true")

    in_lab(office(), test)


def test_a_server_stops_as_in_a_crash_and_starts_again() -> None:
    async def test(lab: EmbeddedLab) -> None:
        async with login(lab) as gateway:
            await gateway.start_server(greets, "localhost", 8080)
            reader, _ = await gateway.open_connection("10.20.0.30", 5900)
            await lab.stop_server("gateway")
            with pytest.raises(asyncssh.Error):
                await reader.read()
            await gateway.wait_closed()
        assert not await dials(lab, "laptop", "198.51.100.2", 22)
        assert not await dials(lab, "gateway", "127.0.0.1", 8080)
        await lab.start_server("gateway")
        async with login(lab) as gateway:
            assert await ask(gateway, "10.20.0.30", 5900) == b"desk on desk\n"

    in_lab(office(), test)


def test_an_ssh_session_through_another() -> None:
    what = topology(
        host("laptop", "client", {"internet": None}),
        host("outer", on={"internet": "198.51.100.2", "office": "10.20.0.2"}),
        host("inner", on={"office": "10.20.0.3", "lab": "10.30.0.3"}),
        target("deep", "10.30.0.9:80"),
        host("deep", "target", {"lab": "10.30.0.9"}),
    )

    async def test(lab: EmbeddedLab) -> None:
        inner = lab.topology.hosts["inner"].server
        assert inner is not None
        async with (
            login(lab, "outer") as outer,
            asyncssh.connect(
                "10.20.0.3",
                tunnel=outer,
                username=inner.ssh.user,
                client_keys=list(inner.ssh.identity),
                known_hosts=([asyncssh.import_public_key(inner.ssh.host_key[0])], [], []),
                config=None,
                agent_path=None,
            ) as connection,
        ):
            assert await ask(connection, "10.30.0.9", 80) == b"deep on deep\n"
            assert await refusal(outer, "10.30.0.9", 80) == (CONNECT_FAILED, "No route to host")

    in_lab(what, test)


def test_what_is_not_ssh_is_let_go() -> None:
    async def test(lab: EmbeddedLab) -> None:
        _, stranger = await lab.here.create_connection(Collector, "198.51.100.2", 22)
        stranger.stream.write(b"GET / HTTP/1.1\r\n\r\n" * 1000)
        await stranger.eof.wait()
        stranger.stream.abort()
        assert bytes(stranger.data).startswith(b"SSH-2.0-")
        async with login(lab) as gateway:
            assert await ask(gateway, "10.20.0.30", 5900) == b"desk on desk\n"

    in_lab(office(), test)
