"""The packets of channels under AES-GCM, past the general way of asyncssh, which copies each ten times and looks at it
in fifteen steps.

Everything else, and whatever is not quite as expected, asyncssh does itself, from the same state: the bytes that came
and the counters of both directions are its own. So are windows, rekeying and the channels. Known to fit asyncssh 2.24;
with another one there is no such path.
"""

# ruff: noqa: SLF001 - this module reaches in, as internals does

from __future__ import annotations

import os
import struct
import time
from typing import Any

import asyncssh
from asyncssh.packet import PacketDecodeError, SSHPacket

from orchestra.engine.ssh.gcm import GCM, LENGTH, LONGEST_PADDING, TAG, padding_length

_FITS = "2.24."
"""The asyncssh whose packets may go past it. Another one may count or check something more in its own way."""
_TOUCHED = (
    *("_transport", "_inpbuf", "_packet", "_recv_handler", "_recv_pkthdr", "_recv_packet", "_recv_seq", "_send_seq"),
    *("_recv_encryption", "_send_encryption", "_decompressor", "_compressor", "_max_recv_pktlen", "_channels"),
    *("_auth_complete", "_kex_complete", "_deferred_packets", "_reset_keepalive_timer", "internal_error"),
    *("_rekey_bytes", "_rekey_bytes_sent", "_rekey_seconds", "_rekey_time", "_finish_recv_packet", "process_packet"),
    *("_send_disconnect", "_force_close"),
)
"""What :class:`DataPath` asks of a connection."""
MSG_CHANNEL_OPEN = 90
MSG_CHANNEL_EOF = 96
_MSG_CHANNEL_DATA = 94
_OF_CONNECTION = frozenset({91, 92})
"""What asyncssh has the connection process: that a channel was opened, or was not."""
_OF_CHANNEL = frozenset({93, MSG_CHANNEL_EOF, 97})
"""What it has the channel process: more window, the end of file, the close."""
_SENT = frozenset({MSG_CHANNEL_OPEN, *_OF_CONNECTION, *_OF_CHANNEL})
_DATA = struct.Struct(">BBII")
"""Padding length, message number, channel and size of the data (RFC 4253 section 6, RFC 4254 section 5.2)."""
_DATA_SENT = struct.Struct(">IBBII")
"""The same behind the packet's length."""
_LENGTH = struct.Struct(">I")
_SEQUENCE = 0xFFFFFFFF


def fits(connection: asyncssh.SSHClientConnection) -> bool:
    """Whether this is the asyncssh that is known here."""
    return asyncssh.__version__.startswith(_FITS) and all(hasattr(connection, name) for name in _TOUCHED)


class DataPath:
    """That of one connection."""

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
        view, padding, largest = memoryview(data), os.urandom(LONGEST_PADDING), channel._send_pktsize
        for start in range(0, size, largest):
            piece = view[start : min(start + largest, size)]
            padded = padding_length(len(piece) + 9)
            length = len(piece) + 10 + padded
            head = _DATA_SENT.pack(length, padded, _MSG_CHANNEL_DATA, channel._send_chan, len(piece))
            packets += head[:LENGTH], cipher.seal(head[:LENGTH], b"".join((head[LENGTH:], piece, padding[:padded])))
            connection._rekey_bytes_sent += length
        channel._send_window -= size
        connection._send_seq = (connection._send_seq + len(packets) // 2) & _SEQUENCE
        connection._transport.writelines(packets)
        return data[size:]

    def send_packet(self, kind: int, args: tuple[bytes, ...]) -> bool:
        """Sends a packet that opens, widens or ends a channel; False when asyncssh has to."""
        connection = self._connection
        cipher = getattr(connection._send_encryption, "_cipher", None)
        if kind not in _SENT or type(cipher) is not GCM or not self._may_send(0):
            return False
        payload = b"".join((kind.to_bytes(1, "big"), *args))
        padded = padding_length(len(payload))
        length = len(payload) + 1 + padded
        head = _LENGTH.pack(length)
        sealed = cipher.seal(head, b"".join((padded.to_bytes(1, "big"), payload, os.urandom(padded))))
        connection._rekey_bytes_sent += length
        connection._send_seq = (connection._send_seq + 1) & _SEQUENCE
        connection._transport.write(head + sealed)
        return True

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
            connection._inpbuf = connection._packet + connection._inpbuf
            connection._packet, connection._recv_handler = b"", connection._recv_pkthdr
        connection._reset_keepalive_timer()
        try:
            rest = self._take(data)
        except asyncssh.DisconnectError as error:
            connection._send_disconnect(error.code, error.reason, error.lang)
            connection._force_close(error)
            return
        except Exception:  # noqa: BLE001 - as asyncssh does with whatever a session raises
            connection.internal_error()
            return
        if self._is_plain() and self._size(rest):
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
        connection, run, at = self._connection, _Run(self._connection), 0
        held: bytes = connection._inpbuf
        connection._inpbuf = b""
        if held:
            at = self._size((held[:LENGTH] + data[:LENGTH])[:LENGTH]) - len(held)
            if not 0 < at <= len(data):
                held, data, at = b"", held + data, 0
            elif not self._packets(run, held + data[:at], 0):  # only this one is put together again
                return held + data
        at = self._packets(run, data, at)
        run.deliver()
        return data[at:]

    def _packets(self, run: _Run, data: bytes, at: int) -> int:
        """Takes the whole packets from there on, and tells how far it came."""
        connection, view, size = self._connection, memoryview(data), len(data)
        plain = self._is_plain()
        while plain and connection._transport is not None and at < (end := at + self._size(view[at : at + 4])) <= size:
            cipher = connection._recv_encryption._cipher
            body = cipher.open(view[at : at + LENGTH], view[at + LENGTH : end])
            if not run.takes(body):
                run.deliver()
                if not self._process(body):
                    cipher.step_back()
                    connection.data_received(data[at:end])
                plain = self._is_plain()
            at = end
        return at

    def _size(self, head: bytes | memoryview) -> int:
        """Bytes of the packet that begins so; less than any packet has when it would be too long."""
        length = int.from_bytes(head[:LENGTH], "big")
        return LENGTH + length + TAG if length <= self._connection._max_recv_pktlen else 0

    def _process(self, body: bytes | None) -> bool:
        """Has asyncssh process a packet that was opened; False when it is not one of those that are known here."""
        connection, kind = self._connection, body[1] if body else 0
        if body is None or connection._transport is None or not (kind in _OF_CHANNEL or kind in _OF_CONNECTION):
            return connection._transport is None
        packet = SSHPacket(body[2 : -body[0]])
        handler, sequence = connection, connection._recv_seq
        try:
            if kind in _OF_CHANNEL and (handler := connection._channels.get(packet.get_uint32())) is None:
                return False
            handler.process_packet(kind, sequence, packet)
        except PacketDecodeError as error:
            raise asyncssh.ProtocolError(str(error)) from None
        connection._finish_recv_packet(kind, sequence)
        return True


class _Run:
    """Data of one channel from packets that follow one another: it is delivered as one."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._number = -1
        self._channel: Any = None
        self._room = 0
        self._pieces: list[memoryview] = []

    def takes(self, body: bytes | None) -> bool:
        """Whether the packet has data for an open channel that fit into its window; then it is taken."""
        if body is None or len(body) <= _DATA.size:
            return False
        padding, kind, number, size = _DATA.unpack_from(body)
        if kind != _MSG_CHANNEL_DATA or not padding or _DATA.size + size + padding != len(body):
            return False
        if number != self._number:
            self.deliver()
            self._number, self._channel = number, self._connection._channels.get(number)
            is_open = self._channel is not None and self._channel._recv_state == "open"
            self._room = self._channel._recv_window if is_open and self._connection._transport is not None else 0
        if not 0 < size <= self._room:
            return False
        self._room -= size
        self._pieces.append(memoryview(body)[_DATA.size : _DATA.size + size])
        self._connection._recv_seq = (self._connection._recv_seq + 1) & _SEQUENCE
        return True

    def deliver(self) -> None:
        """To the channel, which looks after its window and whether it is paused."""
        if self._pieces:
            data = b"".join(self._pieces)
            self._pieces.clear()
            self._number = -1  # whoever gets it may change anything
            self._channel._accept_data(data)
