"""The transport `openssh` through the whole product: real sshd in namespaces, on one path with the transport `ssh`."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from orchestra.model.events import Event, SessionChanged
from orchestra.model.topology import Topology
from orchestra.session.here import Here
from orchestra.testing import Collector
from tests.acceptance.transfers import download, expected, upload
from tests.acceptance.world import needs_netns, play, with_server, world
from tests.engine.ssh.sshd import make_key

EXAMPLE = Path(__file__).parents[2] / "topologies" / "openssh.yaml"
MEGABYTE = 1 << 20
SIZE = 30 * MEGABYTE
BY_OPENSSH = ("bastion", "cell")

pytestmark = [pytest.mark.netns, needs_netns]


def master_of(server: str) -> int:
    """The process that holds the session to a server: a child of ours whose last argument is its name."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            parent = int((process / "stat").read_text().rpartition(") ")[2].split()[1])
        except OSError:  # it has just ended
            continue
        if words[0] == b"ssh" and words[-2:] == [server.encode(), b""] and parent == os.getpid():
            return int(process.name)
    raise AssertionError(f"no ssh to {server} runs")


def test_bulk_both_ways_bit_for_bit_while_another_client_reads_nothing() -> None:
    async def scene() -> None:
        async with world(EXAMPLE, "netns") as up:
            await up.until_ready()
            idle, user = Collector(paused=True), Here("outside")
            stream, _ = await user.create_connection(lambda: idle, *up.entrance("files"))
            stream.write(f"GET /bytes/{100 * SIZE} HTTP/1.0\r\n\r\n".encode())
            assert await download(up, "files", SIZE) == (expected(SIZE), SIZE)
            assert expected(SIZE).encode() in await upload(up, "files", SIZE)
            assert not idle.data
            stream.abort()
            assert up.tunnel("files").bytes_out < 2 * SIZE  # what nobody reads has stopped on its way
            user.abort()

    play(scene())


def test_half_close_and_a_listener_at_the_far_end() -> None:
    async def scene() -> None:
        async with world(EXAMPLE, "netns") as up:
            await up.until_ready()
            reader, writer = await asyncio.open_connection(*up.entrance("files"))
            writer.write(b"over")
            writer.write_eof()
            assert await reader.read() == b"files on files\nover"
            writer.close()
            cell = up.lab.place("cell")
            stream, user = await cell.create_connection(Collector, *up.entrance("report"))
            await user.send(b"from the cell")
            stream.write_eof()
            await asyncio.wait_for(user.eof.wait(), 10)
            assert bytes(user.data) == b"report on laptop\nfrom the cell"
            stream.close()

    play(scene())


def was_lost(event: Event, server: str) -> bool:
    error = event.error if isinstance(event, SessionChanged) and event.server == server else None
    return error is not None and error.code == "SESSION_LOST"


@pytest.mark.parametrize("victim", BY_OPENSSH)
@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_a_download_that_is_cut_ends_in_a_reset_and_the_tunnels_come_back(how: str, victim: str) -> None:
    async def scene() -> None:
        async with world(EXAMPLE, "netns") as up:
            await up.until_ready()
            reader, writer = await asyncio.open_connection(*up.entrance("files"))
            writer.write(f"GET /bytes/{100 * SIZE} HTTP/1.0\r\n\r\n".encode())
            await reader.readexactly(MEGABYTE)
            if how == "killed":
                os.kill(master_of(victim), signal.SIGKILL)
            else:
                await up.lab.stop_server(victim)
            with pytest.raises(ConnectionResetError):
                await reader.read(-1)
            writer.transport.abort()
            if how == "stopped":
                await up.until(lambda: up.session(victim).error is not None)
                assert victim in str(up.session(victim).error)
                await up.lab.start_server(victim)
            else:
                await up.until(lambda: any(was_lost(event, victim) for event in up.log.events))
            await up.until_ready()
            assert await download(up, "files", MEGABYTE) == (expected(MEGABYTE), MEGABYTE)
            stream, user = await up.lab.place("cell").create_connection(Collector, *up.entrance("report"))
            stream.write_eof()
            await asyncio.wait_for(user.eof.wait(), 10)
            assert bytes(user.data) == b"report on laptop\n"
            stream.close()

    play(scene())


@pytest.mark.parametrize(
    ("forwarding", "tunnel", "said"),
    [
        ({"local": False}, "files", "PermitOpen"),
        ({"permit_open": ("172.16.8.40:22",)}, "files", "PermitOpen any or 172.16.8.40:8080"),
        ({"remote": False}, "report", "AllowTcpForwarding yes (or remote)"),
    ],
)
def test_a_server_whose_policy_forbids_it_is_named(forwarding: dict[str, object], tunnel: str, said: str) -> None:
    def reality(topology: Topology) -> Topology:
        return with_server(topology, "cell", forwarding=forwarding)

    async def scene() -> None:
        async with world(EXAMPLE, "netns", reality=reality) as up:
            await up.until(lambda: up.tunnel(tunnel).error is not None)
            error = up.tunnel(tunnel).error
            assert error
            assert (error.code, error.host) == ("FORWARD_REFUSED", "cell")
            assert said in (error.suggestion or "")

    play(scene())


def test_a_target_that_is_down_is_told_with_the_servers_reason() -> None:
    async def scene() -> None:
        async with world(EXAMPLE, "netns") as up:
            await up.lab.stop_target("files")
            await up.until(lambda: up.tunnel("files").error is not None)
            error = up.tunnel("files").error
            assert error
            assert error.code == "CONNECT_REFUSED"
            assert "cell dial" in error.message
            await up.lab.start_target("files")
            await up.until_ready()

    play(scene())


@pytest.mark.parametrize("server", BY_OPENSSH)
@pytest.mark.parametrize(("what", "code"), [("host_key", "HOST_KEY_CHANGED"), ("identity", "AUTH_FAILED")])
def test_who_is_somebody_else_stops_that_branch(what: str, code: str, server: str, tmp_path: Path) -> None:
    def login(topology: Topology) -> Topology:
        return with_server(topology, server, ssh={what: (line if what == "host_key" else str(key),)})

    line, key = make_key(tmp_path / "other"), tmp_path / "other"

    async def scene() -> None:
        async with world(EXAMPLE, "netns", login=login) as up:
            await up.until(lambda: up.session(server).error is not None)
            error = up.session(server).error
            assert error
            assert (error.code, error.host, error.next_retry) == (code, server, None)
            assert server in error.message

    play(scene())
