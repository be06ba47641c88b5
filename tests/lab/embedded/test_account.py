"""What an SSH server of the lab lets its users do, held against what OpenSSH does."""

from __future__ import annotations

import asyncssh
import pytest

from orchestra.lab.embedded import EmbeddedLab
from tests.lab.embedded.build import in_lab
from tests.lab.embedded.ssh import CONNECT_FAILED, PROHIBITED, answers, ask, dials, greets, login, office, refusal


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
            listener = await gateway.start_server(greets, requested, 8080)
            assert {address for address in WHERE if await answers(gateway, address, 8080)} == found
            guest = lab.guest("office")
            assert await dials(lab, guest.host, "10.20.0.2", 8080) is ("10.20.0.2" in found)
            listener.close()
            await listener.wait_closed()
            assert not await answers(gateway, "127.0.0.1", 8080)

    in_lab(office(gateway_ports=gateway_ports), test)


def test_remote_forwards_that_are_refused() -> None:
    async def refused(lab: EmbeddedLab) -> None:
        async with login(lab) as gateway:
            for address, port in (("localhost", 8080), ("", 9000)):
                with pytest.raises(asyncssh.ChannelListenError):
                    await gateway.start_server(greets, address, port)

    in_lab(office(remote=False), refused)
    in_lab(office(permit_listen=("localhost:9000",)), refused)


def test_a_permitted_listener_and_any_free_port() -> None:
    async def test(lab: EmbeddedLab) -> None:
        async with login(lab) as gateway:
            first = await gateway.start_server(greets, "localhost", 0)
            second = await gateway.start_server(greets, "localhost", 0)
            assert first.get_port() != second.get_port()
            assert await answers(gateway, "127.0.0.1", second.get_port())

    in_lab(office(permit_listen=("localhost:*",)), test)


def test_a_listener_is_taken_only_once_but_for_its_other_family() -> None:
    async def test(lab: EmbeddedLab) -> None:
        async with login(lab) as gateway:
            await gateway.start_server(greets, "127.0.0.1", 8080)
            with pytest.raises(asyncssh.ChannelListenError):
                await gateway.start_server(greets, "127.0.0.1", 8080)
            await gateway.start_server(greets, "localhost", 8080)  # sshd is content with ::1 alone
            assert await answers(gateway, "::1", 8080)

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
