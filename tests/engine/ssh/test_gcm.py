"""The kept cipher makes and opens the packets of asyncssh's own."""

import pytest
from asyncssh.crypto.cipher import GCMCipher

from orchestra.engine.ssh.gcm import BLOCK, GCM, TAG, padding_length

KEY, IV = bytes(range(16)), bytes(8) + b"\xff" * 4


def test_the_same_packets():
    theirs, ours = GCMCipher("aes128-gcm", KEY, IV), GCM(KEY, IV)
    for number in range(3):
        packet = (b"head", b"data %d" % number)
        assert ours.encrypt_and_sign(*packet) == theirs.encrypt_and_sign(*packet)
    header_and_data, tag = theirs.encrypt_and_sign(b"head", b"whole")
    assert b"head" + ours.seal(b"head", b"whole") == header_and_data + tag


def test_what_was_changed_does_not_open():
    sealed = GCM(KEY, IV).seal(b"head", b"data")
    assert GCM(KEY, IV).open(b"head", sealed) == b"data"
    assert GCM(KEY, IV).open(b"HEAD", sealed) is None
    assert GCM(KEY, IV).open(b"head", sealed[:-1] + b"?") is None
    assert GCM(KEY, IV).open(b"head", b"short") is None


def test_the_same_packets_in_memory_that_is_there():
    sealed, plain = memoryview(bytearray(4 + TAG)), memoryview(bytearray(4))
    for _ in range(2):
        GCM(KEY, IV).seal_into(memoryview(b"head"), memoryview(b"data"), sealed)
        assert sealed == GCM(KEY, IV).seal(b"head", b"data")
        assert GCM(KEY, IV).open_into(memoryview(b"head"), sealed, plain)
        assert plain == b"data"
    assert not GCM(KEY, IV).open_into(memoryview(b"HEAD"), sealed, plain)


def test_a_packet_can_be_opened_once_more():
    writer, reader = GCM(KEY, IV), GCM(KEY, IV)
    first, second = writer.seal(b"head", b"first"), writer.seal(b"head", b"second")
    assert reader.open(b"head", first) == b"first"
    reader.step_back()
    assert reader.verify_and_decrypt(b"head", first[:-TAG], first[-TAG:]) == b"first"
    assert reader.open(b"head", second) == b"second"


def test_the_counter_goes_round():
    iv = bytes(4) + b"\xff" * 8
    theirs, ours = GCMCipher("aes128-gcm", KEY, iv), GCM(KEY, iv)
    for _ in range(2):
        assert ours.encrypt_and_sign(b"head", b"data") == theirs.encrypt_and_sign(b"head", b"data")


@pytest.mark.parametrize("payload", range(40))
def test_padding_fills_blocks(payload):
    padding = padding_length(payload)
    assert 4 <= padding < BLOCK + 4
    assert (1 + payload + padding) % BLOCK == 0
