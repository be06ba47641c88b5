"""The SSH servers of the lab, held against what OpenSSH does, with asyncssh as a plain client."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncssh
import pytest

from orchestra.lab.embedded import EmbeddedLab
from orchestra.lab.stub import payload
from orchestra.model.topology import Topology
from tests.lab.embedded.build import host, in_lab, server, target, topology

PROHIBITED, CONNECT_FAILED = 1, 2


def office(**forwarding: Any) -> Topology:
    return topology(
        host("laptop", "client", {"internet": "192.0.2.7"}),
        host("gateway", on={"internet": "198.51.100.2", "office": "10.20.0.2"}, server=server(**forwarding)),
        host("desk", "target", {"office": "10.20.0.30"}, names=["desk.office"]),
        target("desk", "10.20.0.30:5900"),
        target("own", "127.0.0.1:7000", on="gateway"),
    )


@asynccontextmanager
async def login(
    lab: EmbeddedLab, name: str = "gateway", address: str = "198.51.100.2", sock: socket.socket | None = None
) -> AsyncIterator[asyncssh.SSHClientConnection]:
    settings = lab.topology.hosts[name].server
    assert settings is not None
    ssh = settings.ssh
    trusted = [asyncssh.import_public_key(ssh.host_key[0])]
    sock = sock or await lab._network.connect(lab.here.host, address, ssh.port or 22)
    async with asyncssh.connect(
        name,
        sock=sock,
        username=ssh.user,
        client_keys=list(ssh.identity),
        known_hosts=(trusted, [], []),
        config=None,
        agent_path=None,
    ) as connection:
        yield connection


async def ask(connection: asyncssh.SSHClientConnection, address: str, port: int) -> bytes:
    reader, writer = await connection.open_connection(address, port)
    writer.write_eof()
    answer: bytes = await reader.read()
    writer.close()
    return answer


async def refusal(connection: asyncssh.SSHClientConnection, address: str, port: int) -> tuple[int, str]:
    with pytest.raises(asyncssh.ChannelOpenError) as caught:
        await connection.open_connection(address, port)
    return caught.value.code, caught.value.reason


def test_a_login_and_dials_from_the_server() -> None:
    async def test(lab: EmbeddedLab) -> None:
        async with login(lab) as gateway:
            assert await ask(gateway, "10.20.0.30", 5900) == b"desk on desk\n"
            assert await ask(gateway, "desk.office", 5900) == b"desk on desk\n"
            assert await ask(gateway, "127.0.0.1", 7000) == b"own on gateway\n"
            assert await ask(gateway, "localhost", 7000) == b"own on gateway\n"

    in_lab(office(), test)


def test_dials_that_fail_are_told_with_the_words_of_openssh() -> None:
    async def test(lab: EmbeddedLab) -> None:
        async with login(lab) as gateway:
            assert await refusal(gateway, "10.20.0.30", 1) == (CONNECT_FAILED, "Connection refused")
            assert await refusal(gateway, "::1", 7000) == (CONNECT_FAILED, "Connection refused")
            assert await refusal(gateway, "10.20.0.99", 1) == (CONNECT_FAILED, "No route to host")
            assert await refusal(gateway, "nobody", 1) == (CONNECT_FAILED, "Name or service not known")

    in_lab(office(), test)


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize("permit_open", [None, ("desk.office:5900",), ("10.20.0.30:*",)])
def test_what_may_be_opened(local: bool, permit_open: tuple[str, ...] | None) -> None:
    async def test(lab: EmbeddedLab) -> None:
        async with login(lab) as gateway:
            for address in ("10.20.0.30", "desk.office"):
                if local and (permit_open is None or any(each.startswith(address) for each in permit_open)):
                    assert await ask(gateway, address, 5900) == b"desk on desk\n"
                else:
                    assert await refusal(gateway, address, 5900) == (PROHIBITED, "open failed")

    in_lab(office(local=local, permit_open=permit_open), test)


WHERE = ("127.0.0.1", "::1", "10.20.0.2")
LOOPBACK, EVERYWHERE = {"127.0.0.1", "::1"}, set(WHERE)


@pytest.mark.parametrize(
    ("gateway_ports", "requested", "found"),
    [
        ("no", "localhost", LOOPBACK),
        ("no", "", LOOPBACK),
        ("no", "10.20.0.2", LOOPBACK),
        ("no", "127.0.0.1", {"127.0.0.1"}),
        ("clientspecified", "localhost", LOOPBACK),
        ("clientspecified", "", EVERYWHERE),
        ("clientspecified", "0.0.0.0", {"127.0.0.1", "10.20.0.2"}),
        ("clientspecified", "10.20.0.2", {"10.20.0.2"}),
        ("yes", "localhost", EVERYWHERE),
    ],
)
def test_where_a_remote_forward_can_be_dialed(gateway_ports: str, requested: str, found: set[str]) -> None:
    async def test(lab: EmbeddedLab) -> None:
        async with login(lab) as gateway:
            listener = await gateway.start_server(_greet, requested, 8080)
            assert {address for address in WHERE if await _answers(gateway, address, 8080)} == found
            guest = lab.guest("office")
            assert await _dials(lab, guest.host, "10.20.0.2", 8080) is ("10.20.0.2" in found)
            listener.close()
            await listener.wait_closed()
            assert not await _answers(gateway, "127.0.0.1", 8080)

    in_lab(office(gateway_ports=gateway_ports), test)


def test_remote_forwards_that_are_refused() -> None:
    async def refused(lab: EmbeddedLab) -> None:
        async with login(lab) as gateway:
            for address, port in (("localhost", 8080), ("", 9000)):
                with pytest.raises(asyncssh.ChannelListenError):
                    await gateway.start_server(_greet, address, port)

    in_lab(office(remote=False), refused)
    in_lab(office(permit_listen=("localhost:9000",)), refused)


def test_a_permitted_listener_and_any_free_port() -> None:
    async def test(lab: EmbeddedLab) -> None:
        async with login(lab) as gateway:
            first = await gateway.start_server(_greet, "localhost", 0)
            second = await gateway.start_server(_greet, "localhost", 0)
            assert first.get_port() != second.get_port()
            assert await _answers(gateway, "127.0.0.1", second.get_port())

    in_lab(office(permit_listen=("localhost:*",)), test)


def test_a_listener_is_taken_only_once_but_for_its_other_family() -> None:
    async def test(lab: EmbeddedLab) -> None:
        async with login(lab) as gateway:
            await gateway.start_server(_greet, "127.0.0.1", 8080)
            with pytest.raises(asyncssh.ChannelListenError):
                await gateway.start_server(_greet, "127.0.0.1", 8080)
            await gateway.start_server(_greet, "localhost", 8080)  # sshd is content with ::1 alone
            assert await _answers(gateway, "::1", 8080)

    in_lab(office(), test)


def test_half_close_and_bulk_both_ways() -> None:
    size = 5_000_000

    async def test(lab: EmbeddedLab) -> None:
        async with login(lab) as gateway:
            reader, writer = await gateway.open_connection("10.20.0.30", 5900)
            writer.write(f"GET /bytes/{size} HTTP/1.1\r\n\r\n".encode())
            answer = await reader.read()
            assert answer.partition(b"\r\n\r\n")[2] == b"".join(payload(size))
            reader, writer = await gateway.open_connection("10.20.0.30", 5900)
            writer.write(b"PUT / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size)
            for chunk in payload(size):
                writer.write(chunk)
                await writer.drain()
            writer.write_eof()
            digest = hashlib.sha256(b"".join(payload(size))).hexdigest()
            assert (await reader.read()).endswith(f"\r\n\r\n{digest} {size}\n".encode())

    in_lab(office(), test)


def test_the_wrong_user_and_the_wrong_key_are_refused() -> None:
    async def test(lab: EmbeddedLab) -> None:
        settings = lab.topology.hosts["gateway"].server
        assert settings is not None
        strangers = asyncssh.generate_private_key("ssh-ed25519")
        for user, keys in (("nobody-else", list(settings.ssh.identity)), (settings.ssh.user, [strangers])):
            sock = await lab._network.connect("laptop", "198.51.100.2", 22)
            with pytest.raises(asyncssh.PermissionDenied):
                await asyncssh.connect(
                    "gateway",
                    sock=sock,
                    username=user,
                    client_keys=keys,
                    known_hosts=None,
                    config=None,
                    agent_path=None,
                )

    in_lab(office(), test)


def test_commands_are_refused() -> None:
    async def test(lab: EmbeddedLab) -> None:
        async with login(lab) as gateway:
            with pytest.raises(asyncssh.ChannelOpenError):
                await gateway.run("true")

    in_lab(office(), test)


def test_a_server_stops_as_in_a_crash_and_starts_again() -> None:
    async def test(lab: EmbeddedLab) -> None:
        async with login(lab) as gateway:
            await gateway.start_server(_greet, "localhost", 8080)
            reader, _ = await gateway.open_connection("10.20.0.30", 5900)
            await lab.stop_server("gateway")
            with pytest.raises(asyncssh.Error):
                await reader.read()
            await gateway.wait_closed()
        assert not await _dials(lab, "laptop", "198.51.100.2", 22)
        assert not await _dials(lab, "gateway", "127.0.0.1", 8080)
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


def _greet(_host: str, _port: int) -> Callable[[asyncssh.SSHReader[bytes], asyncssh.SSHWriter[bytes]], None]:
    def greet(_reader: asyncssh.SSHReader[bytes], writer: asyncssh.SSHWriter[bytes]) -> None:
        writer.write(b"hello")
        writer.close()

    return greet


async def _answers(connection: asyncssh.SSHClientConnection, address: str, port: int) -> bool:
    try:
        return await ask(connection, address, port) == b"hello"
    except asyncssh.ChannelOpenError:
        return False


async def _dials(lab: EmbeddedLab, dialer: str, address: str, port: int) -> bool:
    try:
        sock = await lab._network.connect(dialer, address, port)
    except OSError:
        return False
    sock.close()
    await asyncio.sleep(0)
    return True
