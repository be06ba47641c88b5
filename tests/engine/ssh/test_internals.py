"""What replaces parts of asyncssh does the same as they do, and gives way where it does not fit."""

import asyncio

from asyncssh.crypto.cipher import GCMCipher

from orchestra.engine.ssh import internals
from orchestra.engine.ssh.certificates import SIGNATURES
from orchestra.engine.ssh.gcm import GCM


class Encryption:
    """As asyncssh's, with a cipher in it."""

    def __init__(self, cipher):
        self._cipher = cipher


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

    _keepalive_interval = 0
    _keepalive_timer = None

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


def test_what_comes_while_a_question_is_due_puts_it_off_and_touches_no_timer():
    async def main():
        connection = Silent()
        connection._loop, connection._keepalive_interval = asyncio.get_running_loop(), 15
        internals._with_signs_of_life(connection, lambda: (0, 0))
        connection._keepalive_timer = connection._loop.call_later(15, connection._keepalive_timer_callback)
        timer = connection._keepalive_timer
        connection._reset_keepalive_timer()
        assert (connection._keepalive_timer, connection.timers) == (timer, 0)
        connection._keepalive_timer_callback()
        assert connection.asked == 0
        assert connection._keepalive_timer is not timer
        for each in (timer, connection._keepalive_timer):
            each.cancel()

    asyncio.run(main())


def test_a_quiet_logger_still_warns():
    told = []

    class Logger:
        def warning(self, text):
            told.append(text)

    quiet = internals._Quiet(Logger())
    quiet.get_child(context="chan=1").info("nobody reads this")
    quiet.get_child(context="chan=1").warning("somebody does")
    assert told == ["somebody does"]
