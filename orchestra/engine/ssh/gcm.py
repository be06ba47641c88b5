"""AES-GCM as SSH uses it (RFC 5647): a fixed part of the nonce, and a counter of invocations.

:class:`GCM` has the methods of asyncssh's own cipher and makes the same packets. asyncssh makes a new AES object for
every packet, whose key schedule costs more than a small packet, and takes each packet in pieces that were copied
several times; here the object is kept, and a whole packet is sealed and opened at once (``seal``, ``open``), into
memory that is there.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TAG = 16
BLOCK = 16
LENGTH = 4
"""Bytes of a packet's length, which stays readable: it is the associated data."""
LONGEST_PADDING = BLOCK + 3
_COUNTERS = (1 << 64) - 1


def padding_length(payload: int) -> int:
    """Bytes of padding for so many bytes: four or more, and whole blocks without the length (RFC 4253 section 6)."""
    length = -(payload + 1) % BLOCK
    return length if length >= 4 else length + BLOCK


class GCM:
    """One direction of one key. ``key`` has 16 or 32 bytes, ``iv`` 12."""

    def __init__(self, key: bytes, iv: bytes) -> None:
        self._aes = AESGCM(key)
        self._fixed = iv[:4]
        self._counter = int.from_bytes(iv[4:], "big")

    def seal(self, length: bytes, body: bytes) -> bytes:
        """The body, encrypted, and its tag."""
        return self._aes.encrypt(self._nonce(), body, length)

    def seal_into(self, length: memoryview, body: memoryview, space: memoryview) -> None:
        """The same, written to ``space``, which is as long and is not where the body stands."""
        self._aes.encrypt_into(self._nonce(), body, length, space)

    def open(self, length: bytes, sealed: bytes) -> bytes | None:
        """The body of a packet, or None when the tag is wrong."""
        try:
            return self._aes.decrypt(self._nonce(), sealed, length)
        except InvalidTag:
            return None

    def open_into(self, length: memoryview, sealed: memoryview, space: memoryview) -> bool:
        """The same, written to ``space``, which is as long as the body; whether the tag is right."""
        try:
            self._aes.decrypt_into(self._nonce(), sealed, length, space)
        except InvalidTag:
            return False
        return True

    def step_back(self) -> None:
        """The packet that was opened last will be opened once more."""
        self._counter = (self._counter - 1) & _COUNTERS

    def encrypt_and_sign(self, header: bytes, data: bytes) -> tuple[bytes, bytes]:
        """The packet and its tag."""
        sealed = self.seal(header, data)
        return header + sealed[:-TAG], sealed[-TAG:]

    def verify_and_decrypt(self, header: bytes, data: bytes, mac: bytes) -> bytes | None:
        """The packet, or None when the tag is wrong."""
        return self.open(header, data + mac)

    def _nonce(self) -> bytes:
        nonce = self._fixed + self._counter.to_bytes(8, "big")
        self._counter = (self._counter + 1) & _COUNTERS
        return nonce
