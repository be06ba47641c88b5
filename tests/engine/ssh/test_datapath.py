"""Packets that go past asyncssh: every byte arrives, and what does not fit is left to it."""

import asyncio
import itertools
import os

import asyncssh
import pytest

from orchestra.engine.ssh.gcm import GCM, padding_length
from orchestra.testing.collect import Accepting, Collector

from .sshd import Keys, needs_sshd, opened

MIB = 1 << 20


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


async def _both_ways(session, here, data):
    """Sends it up and down at the same time, in pieces of many sizes."""
    accept = Accepting()
    listener = await here.create_server(accept, "127.0.0.1", 0)
    _, dialed = await session.create_connection(Collector, "127.0.0.1", listener.port)
    accepted = await accept.collectors.get()
    listener.close()

    async def send(writer):
        size, at = 1, 0
        while at < len(data):
            await writer.send(data[at : at + size])
            size, at = size * 3 % 200_003 + 1, at + size
            await asyncio.sleep(0)
        writer.stream.write_eof()

    await asyncio.gather(send(dialed), send(accepted), dialed.eof.wait(), accepted.eof.wait())
    assert bytes(accepted.data) == data
    assert bytes(dialed.data) == data


class Counted:
    """Counts how often asyncssh itself is given something."""

    def __init__(self, connection, name):
        self.calls, self._does = 0, getattr(connection, name)
        setattr(connection, name, self)

    def __call__(self, *args, **options):
        self.calls += 1
        return self._does(*args, **options)


@needs_sshd
@pytest.mark.parametrize("hops", [1, 2])
def test_data_goes_past_asyncssh_and_arrives(keys, hops):
    async def main():
        async with opened(keys, hops=hops) as (_, session, here):
            received = Counted(session._connection, "data_received")
            data = os.urandom(8 * MIB)
            await _both_ways(session, here, data)
            assert received.calls < len(data) // 32768

    asyncio.run(main())


@needs_sshd
@pytest.mark.parametrize("server", ["RekeyLimit default", "RekeyLimit 1M"])
@pytest.mark.parametrize("client", [MIB, None])
def test_keys_are_changed_while_data_flows(keys, server, client):
    async def main():
        async with opened(keys, server) as (_, session, here):
            exchanged = Counted(session._connection, "send_newkeys")
            if client is not None:
                session._connection._rekey_bytes = client
            await _both_ways(session, here, os.urandom(8 * MIB))
            assert (exchanged.calls > 3) == (client is not None or "1M" in server)

    asyncio.run(main())


@needs_sshd
@pytest.mark.parametrize("line", ["Ciphers chacha20-poly1305@openssh.com", "Ciphers aes128-ctr"])
def test_other_ciphers_are_left_to_asyncssh(keys, line):
    async def main():
        async with opened(keys, line) as (_, session, here):
            await _both_ways(session, here, os.urandom(MIB))

    asyncio.run(main())


@needs_sshd
def test_with_another_asyncssh_nothing_goes_past_it(keys, monkeypatch):
    monkeypatch.setattr(asyncssh, "__version__", "99.0")

    async def main():
        async with opened(keys) as (_, session, here):
            received = Counted(session._connection, "_recv_data")
            await _both_ways(session, here, os.urandom(MIB))
            assert received.calls > MIB // (256 * 1024)

    asyncio.run(main())


@needs_sshd
@pytest.mark.parametrize("wrong", [b"\x00\x00\x00\x30" + bytes(64), b"\xff\xff\xff\xff" + bytes(64)])
def test_a_packet_that_was_made_up_ends_the_connection(keys, wrong):
    async def main():
        async with opened(keys) as (_, session, _here):
            session._carrier.data_received(wrong)
            assert await session.wait_closed() is not None

    asyncio.run(main())


@needs_sshd
def test_channels_open_and_end_without_asyncssh_looking_at_their_packets(keys):
    async def main():
        async with opened(keys) as (_, session, here):
            received = Counted(session._connection, "data_received")
            for _ in range(20):
                await _both_ways(session, here, b"hello")
            assert received.calls < 10
            assert not session._connection._channels

    asyncio.run(main())


@needs_sshd
@pytest.mark.parametrize("kind", [80, 93], ids=["host keys", "room"])
@pytest.mark.parametrize(("hops", "answers"), [(1, 0), (2, 1)])
def test_what_nobody_answers_is_answered_where_servers_wait_for_an_acknowledgement(keys, hops, answers, kind):
    async def main():
        async with opened(keys, hops=hops) as (_, session, here):
            accept = Accepting()
            listener = await here.create_server(accept, "127.0.0.1", 0)
            await session.create_connection(Collector, "127.0.0.1", listener.port)
            path, connection = session._connection.orchestra_path, session._connection
            sent, (number,) = connection._send_seq, connection._channels
            for _ in range(3):
                taken = path._process(bytes((4, kind)) + number.to_bytes(4, "big") + bytes(4 + 4))
                assert taken == (kind == 93), "what it knows"
            assert (path._sent is not None) == bool(answers)
            for _ in range(500):
                if path._sent is None:
                    break
                await asyncio.sleep(0.001)
            assert connection._send_seq == sent + answers
            await session.ping()  # the server has nothing against it
            listener.close()

    asyncio.run(main())


@needs_sshd
def test_a_packet_for_no_channel_ends_the_connection(keys):
    async def main():
        async with opened(keys) as (_, session, _here):
            path = session._connection.orchestra_path
            with pytest.raises(asyncssh.ProtocolError):
                path._process(bytes((4, 93)))  # cut short
            assert not path._process(bytes((4, 93)) + (77).to_bytes(4, "big") + bytes(4))  # asyncssh says why not

    asyncio.run(main())


def _sealed(cipher, payload):
    padding = padding_length(len(payload))
    head = (len(payload) + 1 + padding).to_bytes(4, "big")
    return head + cipher.seal(head, bytes((padding,)) + payload + bytes(padding))


@needs_sshd
@pytest.mark.parametrize("piece", [1000, 33_000, 255 * 1024])
def test_packets_of_several_channels_are_taken_in_any_order_and_in_any_pieces(keys, piece):
    sizes = [*itertools.product((0, 0, 1, 0, 1, 1), (0, 1, 9, 32_768)), *itertools.repeat((0, 32_768), 30)]

    async def main():
        async with opened(keys) as (_, session, here):
            listener = await here.create_server(Accepting(), "127.0.0.1", 0)
            ends = [(await session.create_connection(Collector, "127.0.0.1", listener.port))[1] for _ in "ab"]
            sent, payloads = [b"", b""], []
            for at, (end, size) in enumerate(sizes):
                data, number = os.urandom(size), ends[end].stream._channel._recv_chan.to_bytes(4, "big")
                sent[end] += data
                payloads.append(b"^" + number + size.to_bytes(4, "big") + data)
                if at % 5 == 0:
                    payloads.append(b"]" + number + bytes(4))  # room, and none
            seals, session._connection._recv_encryption._cipher = (GCM(bytes(16), bytes(12)) for _ in range(2))
            came = b"".join(_sealed(seals, payload) for payload in payloads)
            for start in range(0, len(came), piece):
                session._carrier.data_received(came[start : start + piece])
            assert [bytes(end.data) for end in ends] == sent
            session.abort()
            listener.close()

    asyncio.run(main())
