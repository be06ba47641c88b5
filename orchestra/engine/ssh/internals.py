"""Every touch of what asyncssh does not promise to keep, each with its reason. Known to fit asyncssh 2.24.

Nothing here is needed for correctness of the bytes: with another asyncssh the speed changes fall away, and what is
asked of it falls back to its public interface.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncssh
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MSG_IGNORE = 2
_MSG_CHANNEL_EOF = 96
_TAG = 16
_KEEPALIVE = b"keepalive@openssh.com"
_AUTHENTICATED = ("GCMEncryption", "ChachaEncryption")


def tune(connection: asyncssh.SSHClientConnection) -> None:
    """Prepares a connection before its first byte."""
    _note_ends_of_file(connection)
    _without_padding_packets(connection)
    _with_kept_ciphers(connection)


def is_dead(connection: asyncssh.SSHClientConnection) -> bool:
    """Whether its transport has gone. ``is_closed`` tells only after all channels were told, one loop turn later,
    and they have to know whether they ended alone."""
    return getattr(connection, "_transport", connection) is None or connection.is_closed()


async def ping(connection: asyncssh.SSHClientConnection) -> None:
    """One global request with a reply, which any server answers, if only by a failure (RFC 4254 section 4).

    asyncssh has no public call for it besides its timer.
    """
    await connection._make_global_request(_KEEPALIVE)  # noqa: SLF001


def eof_was_received(channel: Any) -> bool:
    """Whether the peer has sent CHANNEL_EOF, also when asyncssh never delivers it: followed by CHANNEL_CLOSE while
    reading is paused, it only reports the close."""
    return bool(getattr(channel, "orchestra_eof", False))


def set_window(listener: Any, window: int) -> None:
    """The receive window of the next channel that a remote listener accepts; asyncssh asks for it once, when the
    listener opens, but reads it again for each channel."""
    listener._window = window  # noqa: SLF001


def host_key_algorithms(known: list[asyncssh.SSHKey], *, authorities: bool) -> list[str]:
    """Host key algorithms in the order to ask for: what is known for the name first, as ssh does, then the rest.

    asyncssh alone would ask for nothing but the known ones, so that a changed key of another type looked like a
    failed key exchange.
    """
    from asyncssh.public_key import get_default_certificate_algs, get_default_public_key_algs

    certificates = get_default_certificate_algs() if authorities else []
    first = [name for key in known for name in key.sig_algorithms]
    every = get_default_public_key_algs()
    names = [*certificates, *(name for name in first if name in every), *every]
    return list(dict.fromkeys(name.decode() for name in names))


def _note_ends_of_file(connection: Any) -> None:
    """Marks a channel when CHANNEL_EOF is processed (see :func:`eof_was_received`)."""
    add_channel: Callable[[Any], int] = connection.add_channel

    def add(channel: Any) -> int:
        handlers = dict(channel._packet_handlers)  # noqa: SLF001
        process = handlers[_MSG_CHANNEL_EOF]

        def process_eof(chan: Any, kind: int, number: int, packet: Any) -> Any:
            chan.orchestra_eof = True
            return process(chan, kind, number, packet)

        handlers[_MSG_CHANNEL_EOF] = process_eof
        channel._packet_handlers = handlers  # noqa: SLF001
        return add_channel(channel)

    connection.add_channel = add


def _without_padding_packets(connection: Any) -> None:
    """asyncssh sends MSG_IGNORE before every packet, which doubles their number. RFC 4251 section 9.3.1 asks for it
    against an attack on CBC only; with an authenticated cipher it does nothing."""
    send_packet = connection.send_packet

    def send(kind: int, *args: bytes, handler: Any = None) -> None:
        if kind == _MSG_IGNORE and type(connection._send_encryption).__name__ in _AUTHENTICATED:  # noqa: SLF001
            return
        send_packet(kind, *args, handler=handler)

    connection.send_packet = send


def _with_kept_ciphers(connection: Any) -> None:
    """asyncssh makes a new AES-GCM object for every packet; the key schedule costs more than a small packet."""
    send_newkeys = getattr(connection, "send_newkeys", None)
    if send_newkeys is None:
        return

    def send(*args: bytes) -> None:
        send_newkeys(*args)
        for name in ("_send_encryption", "_next_recv_encryption"):
            _keep_cipher(getattr(connection, name, None))

    connection.send_newkeys = send


def _keep_cipher(encryption: Any) -> None:
    cipher = getattr(encryption, "_cipher", None)
    key, iv = getattr(cipher, "_key", None), getattr(cipher, "_iv", None)
    if type(cipher).__name__ == "GCMCipher" and isinstance(key, bytes) and isinstance(iv, bytes):
        encryption._cipher = _KeptGCM(key, iv)  # noqa: SLF001


class _KeptGCM:
    """AES-GCM as RFC 5647 uses it: a fixed part of the nonce, and a counter of invocations."""

    def __init__(self, key: bytes, iv: bytes) -> None:
        self._aes = AESGCM(key)
        self._fixed = iv[:4]
        self._counter = int.from_bytes(iv[4:], "big")

    def encrypt_and_sign(self, header: bytes, data: bytes) -> tuple[bytes, bytes]:
        """The packet and its tag."""
        sealed = self._aes.encrypt(self._nonce(), data, header)
        return header + sealed[:-_TAG], sealed[-_TAG:]

    def verify_and_decrypt(self, header: bytes, data: bytes, mac: bytes) -> bytes | None:
        """The packet, or None when the tag is wrong."""
        try:
            return self._aes.decrypt(self._nonce(), data + mac, header)
        except InvalidTag:
            return None

    def _nonce(self) -> bytes:
        nonce = self._fixed + self._counter.to_bytes(8, "big")
        self._counter = (self._counter + 1) & 0xFFFFFFFFFFFFFFFF
        return nonce
