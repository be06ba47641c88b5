"""Channels that are opened and ended in few steps keep every rule that asyncssh's own do."""

import asyncio

import asyncssh
import pytest
from asyncssh.packet import SSHPacket, String, UInt32

from orchestra.engine.ssh.datapath import MSG_CHANNEL_CLOSE, MSG_CHANNEL_EOF, MSG_IGNORE
from orchestra.engine.ssh.direct import DirectChannel
from orchestra.session.errors import SessionLost
from orchestra.testing.collect import Accepting, Collector

from .sshd import Keys, needs_sshd, opened

pytestmark = needs_sshd
DATA, REQUEST, FAILURE = 94, 98, 100
UNUSED = {"_env", "_str_env", "_command", "_subsystem", "_open_waiter", "_close_event"}
"""What only asyncssh's own way to open has, and commands, and who waits for the end."""
OWN = {
    "_conn",
    "_session",
    "_recv_chan",
    "_logger",
    "_extra",
    "_send_chan",
    "_send_window",
    "_send_pktsize",
    "_recv_window",
}
"""What differs from channel to channel."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


def one(keys, check):
    """Has a channel checked: its stream's receiver, the other end, and what was sent since: kinds of packets."""

    async def main():
        async with asyncio.timeout(10), opened(keys) as (_, session, here):
            accept, sent = Accepting(), []
            listener = await here.create_server(accept, "127.0.0.1", 0)
            _, dialed = await session.create_connection(Collector, "127.0.0.1", listener.port)
            send = session._connection.send_packet
            session._connection.send_packet = lambda kind, *args, **more: (sent.append(kind), send(kind, *args, **more))
            await check(session, dialed, await accept.collectors.get(), sent)
            here.abort()

    asyncio.run(main())


def test_it_has_whatever_asyncssh_gives_a_channel_and_the_same(keys):
    async def check(session, dialed, _accepted, _sent):
        channel = dialed.stream._channel
        assert type(channel) is DirectChannel
        plain = session._connection.create_tcp_channel(None, window=channel._recv_window)
        session._connection.remove_channel(plain._recv_chan)
        assert {name for name in vars(plain) if not hasattr(channel, name)} == UNUSED
        made = DirectChannel(session._connection, dialed.stream, plain._recv_pktsize, print)
        session._connection.remove_channel(made._recv_chan)
        same = set(vars(plain)) - UNUSED - OWN - {"_init_recv_window", "_request_waiters", "_packet_handlers"}
        assert {name: getattr(made, name) for name in same} == {name: getattr(plain, name) for name in same}

    one(keys, check)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (DATA, String(bytes(1 << 22))),
        (95, UInt32(1) + String(b"x")),
        (FAILURE, b""),
        (MSG_CHANNEL_EOF, b"more"),
        (MSG_CHANNEL_CLOSE, b"more"),
    ],
    ids=["beyond the window", "standard error", "an answer", "an end of file with more", "a close with more"],
)
def test_what_a_server_may_not_send_is_refused(keys, kind, payload):
    async def check(_session, dialed, _accepted, _sent):
        with pytest.raises((asyncssh.ProtocolError, asyncssh.packet.PacketDecodeError)):
            dialed.stream._channel.process_packet(kind, 0, SSHPacket(payload))

    one(keys, check)


def test_it_opens_once(keys):
    async def check(_session, dialed, _accepted, _sent):
        with pytest.raises(asyncssh.ProtocolError):
            dialed.stream._channel.process_open_confirmation(0, 1, 1, SSHPacket(b""))
        with pytest.raises(asyncssh.ProtocolError):
            dialed.stream._channel.process_open_failure(1, "", "")

    one(keys, check)


def test_a_server_s_keepalive_is_answered(keys):
    async def check(session, dialed, accepted, sent):
        dialed.stream._channel.process_packet(REQUEST, 0, SSHPacket(String("keepalive@openssh.com") + b"\1"))
        assert [kind for kind in sent if kind != MSG_IGNORE] == [FAILURE]
        await dialed.send(b"x")
        assert await accepted.receive(1) == b"x"
        await session.ping()

    one(keys, check)


def test_what_waits_to_be_read_is_read_before_the_end(keys):
    async def check(session, dialed, accepted, sent):
        dialed.stream.pause_reading()
        await accepted.send(b"the last")
        accepted.stream.write_eof()
        dialed.stream.write_eof()
        while MSG_CHANNEL_CLOSE not in sent:
            await session.ping()
        assert dialed.calls == ["made"]
        dialed.stream.resume_reading()
        await dialed.ended.wait()
        assert (bytes(dialed.data), dialed.calls, dialed.error) == (b"the last", ["made", "eof", "lost"], None)

    one(keys, check)


def test_an_end_tells_at_once_and_is_told_once(keys):
    async def check(session, dialed, accepted, _sent):
        number = dialed.stream._channel._recv_chan
        dialed.stream.close()
        await accepted.eof.wait()
        accepted.stream.close()
        await dialed.ended.wait()
        assert number not in session._connection._channels
        dialed.stream.abort()
        dialed.stream._channel.process_connection_close(None)
        assert dialed.calls.count("lost") == 1

    one(keys, check)


@pytest.mark.parametrize("opening", [True, False])
def test_a_fault_of_who_is_told_of_an_end_keeps_it_from_nobody_else(keys, opening):
    fault, faults = RuntimeError("a fault of who is told"), []

    def fails(*_):
        raise fault

    async def check(session, dialed, _accepted, _sent):
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["exception"]))
        if opening:
            session.begin_connection(Collector, "127.0.0.1", 1, fails)
        else:
            dialed.stream.connection_lost = fails
        told = asyncio.get_running_loop().create_future()
        session.begin_connection(Collector, "127.0.0.1", 1, told.set_result)
        session._connection.abort()
        assert isinstance(await told, SessionLost)
        await session.wait_closed()
        assert (faults, session._connection._channels) == ([fault], {})

    one(keys, check)


def test_a_fault_of_who_opens_a_channel_ends_that_one_only(keys):
    faults = asyncio.Queue()

    def fails(_):
        raise RuntimeError("a fault of who opens it")

    async def check(session, dialed, accepted, _sent):
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: faults.put_nowait(str(context["exception"])))
        where = accepted.stream.get_extra_info("sockname")[1]
        received = Collector()
        session.begin_connection(lambda: received, "127.0.0.1", where, fails)
        session.begin_connection(Collector, "127.0.0.1", 1, fails)
        assert [await faults.get(), await faults.get()] == ["a fault of who opens it"] * 2
        await received.ended.wait()
        await dialed.send(b"x")
        assert await accepted.receive(1) == b"x"

    one(keys, check)


def test_a_confirmation_with_more_is_refused(keys):
    async def check(session, dialed, _accepted, _sent):
        made = DirectChannel(session._connection, dialed.stream, 1, print)
        with pytest.raises(asyncssh.packet.PacketDecodeError):
            made.process_open_confirmation(0, 1, 1, SSHPacket(b"more"))
        session._connection.remove_channel(made._recv_chan)

    one(keys, check)


def test_who_waits_for_a_channel_is_told_when_the_connection_ends(keys):
    async def check(session, _dialed, _accepted, _sent):
        told = asyncio.get_running_loop().create_future()
        session.begin_connection(Collector, "127.0.0.1", 1, told.set_result)
        session._connection.abort()
        assert isinstance(await told, SessionLost)

    one(keys, check)
