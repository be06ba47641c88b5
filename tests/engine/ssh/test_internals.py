"""What replaces parts of asyncssh does the same as they do, and gives way where it does not fit."""

import asyncio
import os

import asyncssh
import pytest
from asyncssh.crypto.cipher import GCMCipher

from orchestra.engine.ssh import internals
from orchestra.engine.ssh.certificates import SIGNATURES
from orchestra.engine.ssh.gcm import GCM
from orchestra.testing import Collector
from orchestra.testing.conformance import Accepting

from .sshd import Keys, needs_sshd, opened

MIB = 1 << 20


class Encryption:
    """As asyncssh's, with a cipher in it."""

    def __init__(self, cipher):
        self._cipher = cipher


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


def test_the_cipher_is_kept():
    encryption = Encryption(GCMCipher("aes128-gcm", bytes(16), bytes(12)))
    internals._keep_cipher(encryption)
    assert type(encryption._cipher) is GCM


def test_another_cipher_is_left_alone():
    unknown = object()
    encryption = Encryption(unknown)
    for other in (encryption, None, unknown):
        internals._keep_cipher(other)
    assert encryption._cipher is unknown


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


def test_host_key_algorithms_are_asked_for_as_ssh_asks():
    plain = internals.host_key_algorithms(None, (), authorities=False)
    assert plain[0] == "ssh-ed25519"
    assert set(plain) == set(SIGNATURES)  # and so without ssh-rsa, which signs with SHA-1
    assert internals.host_key_algorithms(None, ["ssh-rsa"], authorities=False)[0].startswith("rsa-sha2-")
    certified = internals.host_key_algorithms(None, ["ecdsa-sha2-nistp256"], authorities=True)
    kinds = [name.endswith("-cert-v01@openssh.com") for name in certified]
    assert kinds == sorted(kinds, reverse=True)
    assert certified[kinds.index(False)] == "ecdsa-sha2-nistp256"
    assert "ssh-rsa" in internals.host_key_algorithms("+ssh-rsa", (), authorities=False)
    assert internals.host_key_algorithms("ssh-rsa", ["ssh-ed25519"], authorities=False) == ["ssh-rsa"]


class Silent:
    """A connection that counts questions, as asyncssh does."""

    def __init__(self):
        self._keepalive_count = self.asked = self.timers = 0

    def _reset_keepalive_timer(self):
        self.timers += 1

    def _set_keepalive_timer(self):
        self.timers += 1

    def _keepalive_timer_callback(self):
        self._keepalive_count += 1
        self.asked += 1


def test_a_question_that_has_not_left_yet_is_not_unanswered_as_long_as_something_leaves():
    connection, sent = Silent(), iter([(100, 10), (150, 40), (200, 90), (250, 90), (300, 120), (300, 300)])
    internals._with_signs_of_life(connection, lambda: next(sent))
    counts = []
    for _ in range(6):
        connection._keepalive_timer_callback()
        counts.append(connection._keepalive_count)
    assert counts == [1, 1, 1, 2, 2, 3]  # asked · it moves · it moves · it does not: asked again · it moves · delivered
    assert connection.asked == 3


def test_whatever_comes_is_a_sign_of_life():
    connection = Silent()
    internals._with_signs_of_life(connection, lambda: (0, 0))
    connection._keepalive_timer_callback()
    connection._reset_keepalive_timer()
    assert (connection._keepalive_count, connection.timers) == (0, 1)
