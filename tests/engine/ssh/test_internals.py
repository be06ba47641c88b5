"""What replaces parts of asyncssh does the same as they do."""

from asyncssh.crypto.cipher import GCMCipher

from orchestra.engine.ssh import internals


class Encryption:
    """As asyncssh's, with a cipher in it."""

    def __init__(self, cipher):
        self._cipher = cipher


def test_the_kept_cipher_makes_the_same_packets():
    key, iv = bytes(range(16)), bytes(8) + b"\xff" * 4
    theirs, ours = GCMCipher("aes128-gcm", key, iv), Encryption(GCMCipher("aes128-gcm", key, iv))
    internals._keep_cipher(ours)
    assert type(ours._cipher) is not GCMCipher
    for number in range(3):
        packet = (b"head", b"data %d" % number)
        assert ours._cipher.encrypt_and_sign(*packet) == theirs.encrypt_and_sign(*packet)


def test_the_kept_cipher_refuses_what_was_changed():
    key, iv = bytes(16), bytes(12)
    header_and_data, tag = GCMCipher("aes128-gcm", key, iv).encrypt_and_sign(b"head", b"data")
    assert internals._KeptGCM(key, iv).verify_and_decrypt(b"head", header_and_data[4:], tag) == b"data"
    assert internals._KeptGCM(key, iv).verify_and_decrypt(b"HEAD", header_and_data[4:], tag) is None


def test_another_cipher_is_left_alone():
    unknown = object()
    encryption = Encryption(unknown)
    for other in (encryption, None, unknown):
        internals._keep_cipher(other)
    assert encryption._cipher is unknown
