"""The packets of channels under AES-GCM, past the general way of asyncssh, which copies each ten times and looks at it
in fifteen steps.

Everything else, and whatever is not quite as expected, asyncssh does itself, from the same state: the bytes that came
and the counters of both directions are its own. So are rekeying and the channels. Known to fit asyncssh 2.24;
with another one there is no such path.
"""

# ruff: noqa: SLF001 - this module reaches in, as internals does

from __future__ import annotations

import os
import struct
import time
from typing import TYPE_CHECKING, Any

import asyncssh
from asyncssh.packet import PacketDecodeError, SSHPacket

from orchestra.engine.ssh.gcm import GCM, LENGTH, LONGEST_PADDING, TAG, padding_length
from orchestra.engine.ssh.spaces import Spaces

if TYPE_CHECKING:
    from orchestra.engine.ssh.carrier import Carrier

_FITS = "2.24."
"""The asyncssh whose packets may go past it. Another one may count or check something more in its own way."""
_TOUCHED = (
    *("_transport", "_inpbuf", "_packet", "_recv_handler", "_recv_pkthdr", "_recv_packet", "_recv_seq", "_send_seq"),
    *("_recv_encryption", "_send_encryption", "_decompressor", "_compressor", "_max_recv_pktlen", "_channels"),
    *("_auth_complete", "_kex_complete", "_deferred_packets", "_reset_keepalive_timer", "internal_error"),
    *("_rekey_bytes", "_rekey_bytes_sent", "_rekey_seconds", "_rekey_time", "_finish_recv_packet", "process_packet"),
    *("_send_disconnect", "_force_close", "_update_recv_pktlen", "add_channel", "remove_channel", "_loop"),
)
"""What :class:`DataPath` asks of a connection."""
MSG_IGNORE = 2
_MSG_GLOBAL_REQUEST = 80
MSG_CHANNEL_OPEN = 90
_MSG_CHANNEL_OPEN_CONFIRMATION = 91
MSG_CHANNEL_WINDOW_ADJUST = 93
MSG_CHANNEL_EOF = 96
MSG_CHANNEL_CLOSE = 97
_MSG_CHANNEL_DATA = 94
_OF_CONNECTION = frozenset({91, 92})
"""What asyncssh has the connection process: that a channel was opened, or was not."""
_OF_CHANNEL = frozenset({MSG_CHANNEL_WINDOW_ADJUST, MSG_CHANNEL_EOF, MSG_CHANNEL_CLOSE})
"""What it has the channel process: more window, the end of file, the close."""
_FOLLOWED = frozenset({_MSG_GLOBAL_REQUEST, _MSG_CHANNEL_OPEN_CONFIRMATION, MSG_CHANNEL_WINDOW_ADJUST})
"""What a server sends of itself, as its host keys after the login, or ahead of what it has to send next."""
_SENT = frozenset({MSG_IGNORE, MSG_CHANNEL_OPEN, *_OF_CONNECTION, *_OF_CHANNEL})
_DATA = struct.Struct(">BBII")
"""Padding length, message number, channel and size of the data (RFC 4253 section 6, RFC 4254 section 5.2)."""
_DATA_SENT = struct.Struct(">IBBII")
"""The same behind the packet's length."""
_LENGTH = struct.Struct(">I")
_LARGEST = 64 * 1024
"""Bytes of data that are put into one packet, if the server takes so many; OpenSSH takes half."""
_AROUND = 64
"""More than what is round them."""
_SEQUENCE = 0xFFFFFFFF
_MUCH = 32 * 1024
"""Bytes; who sends so many at once has more."""
_PATIENCE = 0.001
"""Seconds in which something is usually sent after much was received, or room was made for it."""


def fits(connection: asyncssh.SSHClientConnection) -> bool:
    """Whether this is the asyncssh that is known here."""
    return asyncssh.__version__.startswith(_FITS) and all(hasattr(connection, name) for name in _TOUCHED)


class DataPath:
    """That of one connection."""

    def __init__(self, connection: asyncssh.SSHClientConnection, spaces: Spaces) -> None:
        self._connection: Any = connection
        self._spaces = spaces
        self._sent: int | None = None
        """The number of packets that were sent when an answer was expected; see :meth:`_expect_answer`."""

    def send(self, channel: Any, data: bytes | memoryview) -> bytes | memoryview:
        """Sends what the channel may send of it at once, gives back the rest."""
        connection = self._connection
        size = min(len(data), channel._send_window)
        if not size or channel._send_buf or channel._send_state != "open" or channel._encoding:
            return data
        cipher = getattr(connection._send_encryption, "_cipher", None)
        if type(cipher) is not GCM or not self._may_send(size):
            return data
        space = self._spaces.take()
        try:
            self._send(channel, cipher, memoryview(data)[:size], space)
        finally:
            self._spaces.give(space)
        return data[size:]

    def _send(self, channel: Any, cipher: GCM, data: memoryview, space: memoryview) -> None:
        """In packets that are written one behind the other, the last part of the space being where they are made."""
        connection, padding = self._connection, os.urandom(LONGEST_PADDING)
        carrier: Carrier = connection._transport
        largest = min(channel._send_pktsize, _LARGEST)
        plain, end = space[-_LARGEST - _AROUND :], len(space) - 2 * (_LARGEST + _AROUND)
        at = 0
        for start in range(0, len(data), largest):
            if at > end:
                carrier.lend(space[:at])
                at = 0
            piece = data[start : start + largest]
            padded = padding_length(len(piece) + 9)
            length = len(piece) + 10 + padded
            _DATA_SENT.pack_into(plain, 0, length, padded, _MSG_CHANNEL_DATA, channel._send_chan, len(piece))
            plain[_DATA_SENT.size : _DATA_SENT.size + len(piece)] = piece
            plain[LENGTH + length - padded : LENGTH + length] = padding[:padded]
            space[at : at + LENGTH] = plain[:LENGTH]
            body, at = at + LENGTH, at + LENGTH + length + TAG
            cipher.seal_into(plain[:LENGTH], plain[LENGTH : LENGTH + length], space[body:at])
            connection._rekey_bytes_sent += length
            connection._send_seq = (connection._send_seq + 1) & _SEQUENCE
        channel._send_window -= len(data)
        carrier.lend(space[:at])

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
        carrier: Carrier = connection._transport
        carrier.lend(head + sealed)
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

    def receive(self, data: bytes | memoryview) -> None:
        """Takes what the connection receives."""
        connection = self._connection
        if not self._is_plain():
            connection.data_received(bytes(data))
            return
        if connection._recv_handler == connection._recv_packet:  # the head of a packet was taken off, as it came
            connection._inpbuf = connection._packet + connection._inpbuf
            connection._packet, connection._recv_handler = b"", connection._recv_pkthdr
        connection._reset_keepalive_timer()
        space = self._spaces.take()
        try:
            rest = self._take(memoryview(data), space)
        except asyncssh.DisconnectError as error:
            connection._send_disconnect(error.code, error.reason, error.lang)
            connection._force_close(error)
            return
        except Exception:  # noqa: BLE001 - as asyncssh does with whatever a session raises
            connection.internal_error()
            return
        finally:
            self._spaces.give(space)
        if len(data) >= _MUCH:
            self._expect_answer()
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

    def _take(self, data: memoryview, space: memoryview) -> bytes:
        """Takes whole packets, and gives back what is left: a part of one, or all from where it may not go on."""
        connection, run, at = self._connection, _Run(self._connection, space), 0
        held: bytes = connection._inpbuf
        connection._inpbuf = b""
        if held:
            at = self._size(b"".join((held[:LENGTH], data[:LENGTH]))[:LENGTH]) - len(held)
            if not 0 < at <= len(data):
                held, data, at = b"", memoryview(held + data), 0
            elif not self._packets(run, memoryview(held + data[:at]), 0):  # only this one is put together again
                return held + data
        at = self._packets(run, data, at)
        run.deliver()
        return bytes(data[at:])

    def _packets(self, run: _Run, data: memoryview, at: int) -> int:
        """Takes the whole packets from there on, and tells how far it came."""
        connection, size = self._connection, len(data)
        plain = self._is_plain()
        while plain and connection._transport is not None and at < (end := at + self._size(data[at : at + 4])) <= size:
            cipher = connection._recv_encryption._cipher
            body = run.opened(cipher, data[at : at + LENGTH], data[at + LENGTH : end])
            if not run.takes(body):
                run.deliver()
                if not self._process(bytes(body)):
                    cipher.step_back()
                    connection.data_received(bytes(data[at:end]))
                plain = self._is_plain()
            at = end
        return at

    def _size(self, head: bytes | memoryview) -> int:
        """Bytes of the packet that begins so; less than any packet has when it would be too long."""
        length = int.from_bytes(head[:LENGTH], "big")
        return LENGTH + length + TAG if length <= self._connection._max_recv_pktlen else 0

    def _process(self, body: bytes) -> bool:
        """Has asyncssh process a packet that was opened; False when it is not one of those that are known here."""
        connection, kind = self._connection, body[1] if body else 0
        if kind in _FOLLOWED:
            self._expect_answer()
        if connection._transport is None or not (kind in _OF_CHANNEL or kind in _OF_CONNECTION):
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

    def _expect_answer(self) -> None:
        """Sees to it that something is sent soon to a server behind others. Nagle's algorithm is on between them: the
        end of much data, what makes room in a window, or the first that a target says, waits there for an
        acknowledgement of what went before. Their systems take 40 ms for one, or send it with the next packet from
        here."""
        connection = self._connection
        if self._sent is None and getattr(connection._transport, "nested", False):
            self._sent = connection._send_seq
            connection._loop.call_later(_PATIENCE, self._answer)

    def _answer(self) -> None:
        """Says nothing, when nothing else was said."""
        if self._connection._transport is not None and self._connection._send_seq == self._sent:
            self.send_packet(MSG_IGNORE, (bytes(4),))
        self._sent = None


class _Run:
    """Data of one channel from packets that follow one another: it is put together, and delivered as one."""

    def __init__(self, connection: Any, space: memoryview) -> None:
        self._connection, self._space = connection, space
        self._number = -1
        self._channel: Any = None
        self._room = 0
        self._start = self._end = 0
        """Where the data stands."""

    def opened(self, cipher: GCM, length: memoryview, sealed: memoryview) -> memoryview:
        """The body of a packet, behind the data that is there; nothing when its tag is wrong."""
        if self._end + len(sealed) > len(self._space):
            self.deliver()
        body = self._space[self._end : self._end + len(sealed) - TAG]
        return body if cipher.open_into(length, sealed, body) else body[:0]

    def takes(self, body: memoryview) -> bool:
        """Whether the packet has data for an open channel that fit into its window; then it is taken."""
        if len(body) <= _DATA.size:
            return False
        padding, kind, number, size = _DATA.unpack_from(body)
        if kind != _MSG_CHANNEL_DATA or not padding or _DATA.size + size + padding != len(body):
            return False
        at = self._end
        if number != self._number:
            self.deliver()
            self._number, self._channel = number, self._connection._channels.get(number)
            is_open = self._channel is not None and self._channel._recv_state == "open"
            self._room = self._channel._recv_window if is_open and self._connection._transport is not None else 0
        if not 0 < size <= self._room:
            return False
        self._room -= size
        data = self._space[at + _DATA.size : at + _DATA.size + size]
        if self._start == self._end:
            self._start = self._end = at + _DATA.size
        else:
            self._space[self._end : self._end + size] = data
        self._end += size
        self._connection._recv_seq = (self._connection._recv_seq + 1) & _SEQUENCE
        return True

    def deliver(self) -> None:
        """To the channel, which looks after its window and whether it is paused."""
        if self._start < self._end:
            data = self._space[self._start : self._end]
            self._start = self._end = 0
            self._number = -1  # whoever gets it may change anything
            self._channel._accept_data(bytes(data) if self._channel._recv_paused else data)
