"""OpenSSH, dropbear and asyncssh as servers: one suite for whatever is at the other end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, closing

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.ssh.transport import SshTransport
from orchestra.session import BindRefused, DialRefused, OpenFailed
from orchestra.session.here import Here
from orchestra.testing.collect import Accepting, Collector
from tests.acceptance.peers import PEERS, USER, Account, needs_peers
from tests.engine.ssh.sshd import request

pytestmark = [needs_peers, pytest.mark.timeout(30)]

LOOPBACK = "127.0.0.1"


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    return Account.make(tmp_path_factory.mktemp("account"))


@pytest.fixture(params=PEERS, ids=lambda peer: peer.name)
def peer(request):
    return request.param


async def read_value(ref):
    return ref.value


@asynccontextmanager
async def logged_in(account, peer, by="key", **how):
    """(session, here): logged in to a server of that maker."""
    here = Here("laptop")
    async with peer.serving(account, **how) as port:
        asked = request(account.settings(port, by=by), here, read_secret=read_value, name=peer.name)
        session = await SshTransport().open(asked)
        try:
            yield session, here
        finally:
            session.abort()
            await session.wait_closed()
            here.abort()
            await here.wait_closed()


async def echoes(stream, collector, data=b"hello" * 10_000):
    """Sends and receives it again, and the end of it."""
    stream.write(data)
    stream.write_eof()
    assert await collector.receive(len(data)) == data
    await collector.eof.wait()


@pytest.mark.parametrize("by", ["key", "certificate", "password", "both"])
def test_one_is_let_in(account, peer, by):
    if (by == "certificate" and not peer.certificates) or (by == "both" and not peer.two_factors):
        pytest.skip(f"{peer.name} does not know that")

    async def main():
        async with logged_in(account, peer, by, both=by == "both") as (session, _):
            await session.ping()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("by", "offered", "hint"),
    [
        ("guess", "offered: ", "check the user and the password"),
        ("stranger", "offered: {folder}/stranger (ssh-ed25519)", "authorized keys"),
    ],
)
def test_one_is_not_let_in(account, peer, by, offered, hint):
    async def main():
        with pytest.raises(OpenFailed) as failed:
            async with logged_in(account, peer, by):
                pass
        assert failed.value.code == Code.AUTH_FAILED
        assert f"does not let {USER} in; {offered.format(folder=account.folder)}" in failed.value.message
        assert hint in failed.value.suggestion

    asyncio.run(main())


def test_local_forwards_carry_and_say_why_they_cannot(account, peer):
    async def main():
        async with logged_in(account, peer) as (session, here):
            with closing(await here.create_server(Accepting(echo=True), LOOPBACK, 0)) as listener:
                stream, collector = await session.create_connection(Collector, LOOPBACK, listener.port)
                await echoes(stream, collector)
            with pytest.raises(DialRefused) as refused:
                await session.create_connection(Collector, LOOPBACK, listener.port)
            assert refused.value.code == Code.CONNECT_REFUSED
            assert f"{peer.name} dials {LOOPBACK}:{listener.port}: connection refused" in str(refused.value)

    asyncio.run(main())


def test_remote_forwards_of_any_port_carry(account, peer):
    async def main():
        async with logged_in(account, peer) as (session, here):
            listener = await session.create_server(Accepting(echo=True), LOOPBACK, 0)
            assert listener.port > 0
            await echoes(*await here.create_connection(Collector, LOOPBACK, listener.port))
            listener.close()
            await listener.wait_closed()
            await session.ping()  # what it was asked before that is done
            if not peer.cancels:
                return
            with pytest.raises(DialRefused):
                await here.create_connection(Collector, LOOPBACK, listener.port)

    asyncio.run(main())


def test_unix_sockets_carry_both_ways(account, peer, tmp_path):
    async def main():
        async with logged_in(account, peer) as (session, here):
            if not peer.unix:
                with pytest.raises(DialRefused) as refused:
                    await session.create_unix_connection(Collector, str(tmp_path / "any"))
                assert refused.value.code == Code.FORWARD_REFUSED
                return
            with closing(await here.create_unix_server(Accepting(echo=True), str(tmp_path / "here"))):
                await echoes(*await session.create_unix_connection(Collector, str(tmp_path / "here")))
            with closing(await session.create_unix_server(Accepting(echo=True), str(tmp_path / "there"))):
                await echoes(*await here.create_unix_connection(Collector, str(tmp_path / "there")))

    asyncio.run(main())


def test_commands_run(account, peer):
    async def main():
        async with logged_in(account, peer) as (session, _):
            _, collector = await session.create_process(Collector, "echo ran")
            await collector.ended.wait()
            assert collector.data.startswith(b"ran")

    asyncio.run(main())


def test_forwarding_that_is_off_is_refused_in_words_and_the_session_lives_on(account, peer):
    async def main():
        async with logged_in(account, peer, forwarding=False) as (session, _):
            with pytest.raises(DialRefused) as refused:
                await session.create_connection(Collector, LOOPBACK, 9)
            assert refused.value.code == peer.denies
            assert refused.value.message.startswith(f"{peer.name} dials {LOOPBACK}:9: ")
            with pytest.raises(BindRefused) as bind:
                await session.create_server(Accepting(), LOOPBACK, 0)
            assert bind.value.code == Code.FORWARD_REFUSED
            assert bind.value.message.startswith(f"{peer.name} refuses to listen on {LOOPBACK}:auto")
            await session.ping()

    asyncio.run(main())


def test_sessions_nest_through_any_of_them(account, peer):
    async def main():
        async with logged_in(account, peer) as (first, _), PEERS[0].serving(account) as port:
            asked = request(account.settings(port, by="key"), first, depth=2, read_secret=read_value)
            second = await SshTransport().open(asked)
            try:
                await second.ping()
            finally:
                second.abort()
                await second.wait_closed()

    asyncio.run(main())
