"""Every touch of what asyncssh does not promise to keep, each with its reason. Known to fit asyncssh 2.24.

Nothing here is needed for correctness of the bytes: with another asyncssh the speed changes fall away, and what is
asked of it falls back to its public interface.
"""

# ruff: noqa: SLF001 - this module is the one that reaches in

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable, Iterable
from typing import Any

import asyncssh
from asyncssh import sk

from orchestra.engine.ssh.algorithms import assemble
from orchestra.engine.ssh.certificates import SIGNATURES
from orchestra.engine.ssh.gcm import GCM, LENGTH, LONGEST_PADDING, TAG, padding_length

HAS_FIDO2 = sk.sk_available
"""Whether the library is there that talks to security keys; without it asyncssh fails in the middle of signing."""
_FITS = "2.24."
"""The asyncssh whose packets may go past it. Another one may count or check something more in its own way."""
_TOUCHED = (
    *("_transport", "_inpbuf", "_packet", "_recv_handler", "_recv_pkthdr", "_recv_packet", "_recv_seq", "_send_seq"),
    *("_recv_encryption", "_send_encryption", "_decompressor", "_compressor", "_max_recv_pktlen", "_channels"),
    *("_auth_complete", "_kex_complete", "_deferred_packets", "_reset_keepalive_timer", "internal_error"),
    *("_rekey_bytes", "_rekey_bytes_sent", "_rekey_seconds", "_rekey_time"),
)
"""What :class:`DataPath` asks of a connection."""
_MSG_IGNORE = 2
_MSG_CHANNEL_DATA = 94
_MSG_CHANNEL_EOF = 96
_DATA = struct.Struct(">BBII")
"""Padding length, message number, channel and size of the data (RFC 4253 section 6, RFC 4254 section 5.2)."""
_DATA_SENT = struct.Struct(">IBBII")
"""The same behind the packet's length."""
_KEEPALIVE = b"keepalive@openssh.com"
_AUTHENTICATED = ("GCMEncryption", "ChachaEncryption")


def tune(connection: asyncssh.SSHClientConnection, progress: Callable[[], tuple[int, int]]) -> Callable[[bytes], None]:
    """Prepares a connection before its first byte. Gives what takes the bytes that it receives; ``progress`` is that
    of those that it sends: how many were written so far, and how many of them have arrived."""
    fits = asyncssh.__version__.startswith(_FITS) and all(hasattr(connection, name) for name in _TOUCHED)
    path = DataPath(connection) if fits else None
    _prepare_channels(connection, path)
    _without_padding_packets(connection)
    _with_signs_of_life(connection, progress)
    _with_kept_ciphers(connection)
    return path.receive if path is not None else connection.data_received


def write(channel: Any, data: bytes) -> None:
    """Writes to a channel, as its ``write`` does."""
    path: DataPath | None = getattr(channel, "orchestra_path", None)
    rest = path.send(channel, data) if path is not None else data
    if rest:
        channel.write(rest)


def is_dead(connection: asyncssh.SSHClientConnection) -> bool:
    """Whether its transport has gone. ``is_closed`` tells only after all channels were told, one loop turn later,
    and they have to know whether they ended alone."""
    return getattr(connection, "_transport", connection) is None or connection.is_closed()


def is_opening(connection: asyncssh.SSHClientConnection) -> bool:
    """Whether nobody is logged in yet."""
    return not getattr(connection, "_auth_complete", True)


async def ping(connection: asyncssh.SSHClientConnection) -> None:
    """One global request with a reply, which any server answers, if only by a failure (RFC 4254 section 4).

    asyncssh has no public call for it besides its timer.
    """
    await connection._make_global_request(_KEEPALIVE)


def heard(connection: asyncssh.SSHClientConnection) -> float:
    """When it last received anything, by the event loop's clock."""
    return float(getattr(connection, "orchestra_heard", 0.0))


def eof_was_received(channel: Any) -> bool:
    """Whether the peer has sent CHANNEL_EOF, also when asyncssh never delivers it: followed by CHANNEL_CLOSE while
    reading is paused, it only reports the close."""
    return bool(getattr(channel, "orchestra_eof", False))


def set_window(listener: Any, window: int) -> None:
    """The receive window of the next channel that a remote listener accepts; asyncssh asks for it once, when the
    listener opens, but reads it again for each channel."""
    listener._window = window


def host_key_algorithms(spec: str | None, known: Iterable[str], *, authorities: bool) -> list[str]:
    """Host key algorithms in the order to ask for. ``spec`` is HostKeyAlgorithms of ssh_config(5), ``known`` are types
    of keys: without a list of the user's own, what is known for the name comes first, as in ssh, then the rest.

    asyncssh alone would ask for nothing but the known ones, so that a changed key of another type looked like a
    failed key exchange; and it still accepts signatures with SHA-1, which ssh does only when it is told to.
    """
    from asyncssh import public_key

    supported = _names(public_key.get_public_key_algs())
    every = [name for name in SIGNATURES if name in supported]
    certified = _names(public_key.get_certificate_algs()) if authorities else []
    certificates = [name for name in certified if not name.startswith(("ssh-rsa-", "ssh-dss-"))]
    default = [*certificates, *every]
    if spec is None or spec.startswith("-"):
        first = [name for kind in known for name in every if name == kind or (kind, name[:4]) == ("ssh-rsa", "rsa-")]
        default = list(dict.fromkeys([*certificates, *first, *every]))
    return list(assemble(spec, default, [*certified, *supported]))


def negotiable() -> dict[str, tuple[list[str], list[str]]]:
    """Options of asyncssh.connect to the algorithms that it asks for by itself, and to all that it has."""
    from asyncssh import encryption, kex, mac

    return {
        "kex_algs": (_names(kex.get_default_kex_algs()), _names(kex.get_kex_algs())),
        "encryption_algs": (_names(encryption.get_default_encryption_algs()), _names(encryption.get_encryption_algs())),
        "mac_algs": (_names(mac.get_default_mac_algs()), _names(mac.get_mac_algs())),
    }


def _names(algorithms: Iterable[bytes]) -> list[str]:
    return [name.decode() for name in algorithms]


def decode_host_key(blob: bytes) -> asyncssh.SSHKey:
    """The public key that a server shows, bare or in a certificate whose signature is good. Raises KeyImportError."""
    from asyncssh.public_key import decode_ssh_certificate, decode_ssh_public_key

    try:
        return decode_ssh_public_key(blob)
    except asyncssh.KeyImportError:
        return decode_ssh_certificate(blob).key


def judge_host_keys(connection: Any, judge: Callable[[bytes], asyncssh.SSHKey]) -> None:
    """Has ``judge`` say whether the key that a server shows is the right one, in place of asyncssh, which knows one
    reason for all refusals, and lets no bare key pass in a certificate that does not hold."""
    connection.validate_server_host_key = judge


def _prepare_channels(connection: Any, path: DataPath | None) -> None:
    """Marks a channel when CHANNEL_EOF is processed (see :func:`eof_was_received`), and lends it the data path."""
    add_channel: Callable[[Any], int] = connection.add_channel

    def add(channel: Any) -> int:
        handlers = dict(channel._packet_handlers)
        process = handlers[_MSG_CHANNEL_EOF]

        def process_eof(chan: Any, kind: int, number: int, packet: Any) -> Any:
            chan.orchestra_eof = True
            return process(chan, kind, number, packet)

        handlers[_MSG_CHANNEL_EOF] = process_eof
        channel._packet_handlers = handlers
        channel.orchestra_path = path
        return add_channel(channel)

    connection.add_channel = add


def _without_padding_packets(connection: Any) -> None:
    """asyncssh sends MSG_IGNORE before every packet, which doubles their number. RFC 4251 section 9.3.1 asks for it
    against an attack on CBC only; with an authenticated cipher it does nothing."""
    send_packet = connection.send_packet

    def send(kind: int, *args: bytes, handler: Any = None) -> None:
        if kind == _MSG_IGNORE and type(connection._send_encryption).__name__ in _AUTHENTICATED:
            return
        send_packet(kind, *args, handler=handler)

    connection.send_packet = send


def _with_signs_of_life(connection: Any, progress: Callable[[], tuple[int, int]]) -> None:
    """Keepalives that a link full of data does not make a liar of.

    Whatever comes shows that the peer lives: asyncssh counts every pause since its last *answer*, which on a narrow
    link waits behind the data. And a question that is still behind what was written before it is not unanswered, as
    long as that moves. ``progress``: bytes that were written so far, and how many of them have arrived.
    """
    reset_timer = getattr(connection, "_reset_keepalive_timer", None)
    ask = getattr(connection, "_keepalive_timer_callback", None)
    if reset_timer is None or ask is None:
        return
    asked = arrived = 0

    def reset() -> None:
        connection._keepalive_count = 0
        connection.orchestra_heard = time.monotonic()
        reset_timer()

    def due() -> None:
        nonlocal asked, arrived
        before, (written, arrived) = arrived, progress()
        if connection._keepalive_count and before < arrived < asked:
            connection._set_keepalive_timer()
        else:
            asked = written
            ask()

    connection._reset_keepalive_timer, connection._keepalive_timer_callback = reset, due


def _with_kept_ciphers(connection: Any) -> None:
    """Puts :class:`GCM` in the place of asyncssh's own, each time that there are new keys."""
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
        encryption._cipher = GCM(key, iv)


class DataPath:
    """Data of channels under AES-GCM, which is nearly all that a busy connection sends and receives, past the general
    way of asyncssh: that copies each packet ten times and looks at it in fifteen steps.

    Everything else, and whatever is not quite as expected, asyncssh does itself, from the same state: the bytes that
    came and the counters of both directions are its own. So are windows, rekeying and the channels.
    """

    def __init__(self, connection: asyncssh.SSHClientConnection) -> None:
        self._connection: Any = connection

    def send(self, channel: Any, data: bytes) -> bytes:
        """Sends what the channel may send of it at once, gives back the rest."""
        connection = self._connection
        size = min(len(data), channel._send_window)
        if not size or channel._send_buf or channel._send_state != "open" or channel._encoding:
            return data
        cipher = getattr(connection._send_encryption, "_cipher", None)
        if type(cipher) is not GCM or not self._may_send(size):
            return data
        packets: list[bytes] = []
        view, padding = memoryview(data), os.urandom(LONGEST_PADDING)
        for start in range(0, size, channel._send_pktsize):
            piece = view[start : min(start + channel._send_pktsize, size)]
            padded = padding_length(len(piece) + 9)
            length = len(piece) + 10 + padded
            head = _DATA_SENT.pack(length, padded, _MSG_CHANNEL_DATA, channel._send_chan, len(piece))
            packets += head[:LENGTH], cipher.seal(head[:LENGTH], b"".join((head[LENGTH:], piece, padding[:padded])))
            connection._rekey_bytes_sent += length
        channel._send_window -= size
        connection._send_seq = (connection._send_seq + len(packets) // 2) & 0xFFFFFFFF
        connection._transport.writelines(packets)
        return data[size:]

    def _may_send(self, size: int) -> bool:
        """Whether nothing has to be sent before, such as a key exchange that is due."""
        connection = self._connection
        return (
            connection._auth_complete
            and connection._kex_complete
            and connection._transport is not None
            and not (connection._compressor or connection._deferred_packets)
            and connection._rekey_bytes_sent + size < connection._rekey_bytes
            and not (connection._rekey_seconds and time.monotonic() >= connection._rekey_time)
        )

    def receive(self, data: bytes) -> None:
        """Takes what the connection receives."""
        connection = self._connection
        if not self._is_plain():
            connection.data_received(data)
            return
        if connection._recv_handler == connection._recv_packet:  # the head of a packet was taken off, as it came
            data = b"".join((connection._packet, connection._inpbuf, data))
            connection._packet, connection._recv_handler = b"", connection._recv_pkthdr
        elif connection._inpbuf:
            data = connection._inpbuf + data
        connection._inpbuf = b""
        connection._reset_keepalive_timer()
        try:
            rest = self._take(data)
        except Exception:  # noqa: BLE001 - as asyncssh does with whatever a session raises
            connection.internal_error()
            return
        if self._is_plain() and self._packet_size(rest):
            connection._inpbuf = rest
        elif connection._transport is not None:
            connection.data_received(rest)

    def _is_plain(self) -> bool:
        """Whether packets are taken as they come, sealed by AES-GCM and nothing more."""
        connection = self._connection
        return (
            type(getattr(connection._recv_encryption, "_cipher", None)) is GCM
            and connection._auth_complete
            and connection._decompressor is None
            and connection._transport is not None
            and connection._recv_handler in (connection._recv_pkthdr, connection._recv_packet)
        )

    def _take(self, data: bytes) -> bytes:
        """Takes whole packets, and gives back what is left: a part of one, or all from where it may not go on."""
        connection, view, at = self._connection, memoryview(data), 0
        run = _Run(None)
        while self._is_plain() and at < (end := at + self._packet_size(view[at:])) <= len(data):
            cipher = connection._recv_encryption._cipher
            body = cipher.open(view[at : at + LENGTH], view[at + LENGTH : end])
            channel = _channel_of_data(connection, body)
            if channel is not run.channel:
                run.deliver()
                run = _Run(channel)
            if channel is not None and run.takes(body):
                connection._recv_seq = (connection._recv_seq + 1) & 0xFFFFFFFF
            else:
                run.deliver()
                run = _Run(None)
                cipher.step_back()
                connection.data_received(bytes(view[at:end]))
            at = end
        run.deliver()
        return data[at:]

    def _packet_size(self, packet: bytes | memoryview) -> int:
        """Bytes of the packet that begins so; less than any packet has when it would be too long."""
        length = int.from_bytes(packet[:LENGTH], "big")
        return LENGTH + length + TAG if length <= self._connection._max_recv_pktlen else 0


class _Run:
    """Data of one channel from packets that follow one another: it is delivered as one."""

    def __init__(self, channel: Any) -> None:
        self.channel = channel
        self._pieces: list[memoryview] = []
        self._room = channel._recv_window if channel is not None and channel._recv_state == "open" else 0

    def takes(self, body: bytes) -> bool:
        """Whether it takes the data of this packet, which fit into the channel's window."""
        _, _, _, size = _DATA.unpack_from(body)
        if not 0 < size <= self._room:
            return False
        self._room -= size
        self._pieces.append(memoryview(body)[_DATA.size : _DATA.size + size])
        return True

    def deliver(self) -> None:
        """To the channel, which looks after its window and whether it is paused."""
        if self._pieces:
            self.channel._accept_data(b"".join(self._pieces))
            self._pieces.clear()


def _channel_of_data(connection: Any, body: bytes | None) -> Any:
    """The channel for which a packet has data; None when it is another packet, or not as it should be."""
    if body is None or len(body) <= _DATA.size:
        return None
    padding, kind, number, size = _DATA.unpack_from(body)
    if kind != _MSG_CHANNEL_DATA or not padding or _DATA.size + size + padding != len(body):
        return None
    return connection._channels.get(number)
