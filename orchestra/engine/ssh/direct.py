"""Channels on which the server connects for us, opened and ended in few steps. asyncssh makes an event, a future and a
logger for each, wakes two tasks one after the other when it opens, and waits for another turn of the loop when it ends.

What happens in between is asyncssh's own. There is no event for its ``wait_closed``, and nothing is kept by its
``set_extra_info``: both raise AttributeError. Known to fit asyncssh 2.24, as the data path, without which there are
none.
"""

# ruff: noqa: SLF001 - this module reaches in, as internals does

from __future__ import annotations

import struct
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import asyncssh
from asyncssh.packet import SSHPacket, String

from orchestra.engine.ssh.datapath import MSG_CHANNEL_CLOSE, MSG_CHANNEL_OPEN

_UINT = struct.Struct(">I")
_SIZES = struct.Struct(">III")
_TCP = String(b"direct-tcpip")
_NO_ORIGIN = String(b"") + bytes(4)


def tcp(host: str, port: int) -> tuple[bytes, bytes]:
    """Kind and target of a channel to there (RFC 4254 section 7.2). Where the connection comes from is nobody's
    business."""
    return _TCP, b"".join((String(host), _UINT.pack(port), _NO_ORIGIN))


class DirectChannel(asyncssh.SSHTCPChannel[bytes]):
    """One of them, for ``stream``, whose receive window is its own; ``opened`` is told that it is open, or why not,
    where the packet is processed."""

    # What asyncssh gives to each, and none of these changes.
    _encoding = _encoder = _decoder = None
    _errors = "strict"
    _extra: Any = MappingProxyType({"peername": ("", 0)})
    _recv_paused: Any = "starting"
    _send_high_water, _send_low_water = 64 * 1024, 16 * 1024
    _recv_state = _send_state = "closed"
    _conn: Any
    _recv_chan: Any
    _send_chan: Any = None
    _send_window = _send_pktsize = _send_buf_len = 0
    _send_paused = False
    _opened: Callable[[Exception | None], None] | None
    _request_waiters: Any = ()

    def __init__(self, connection: Any, stream: Any, packet: int, opened: Callable[[Exception | None], None]) -> None:
        self._conn, self._loop, self._logger = connection, connection._loop, connection.logger
        self._session: Any = stream
        self._opened = opened
        self._recv_window, self._recv_pktsize = stream.window, packet
        self._send_buf, self._recv_buf, self._request_queue = [], [], []
        self._recv_chan = connection.add_channel(self)

    def ask(self, kind: bytes, target: bytes) -> None:
        """Asks the server for it."""
        sizes = _SIZES.pack(self._recv_chan, self._recv_window, self._recv_pktsize)
        self._conn.send_packet(MSG_CHANNEL_OPEN, kind, sizes, target, handler=self)

    def process_open_confirmation(
        self,
        send_chan: int,
        send_window: int,
        send_pktsize: int,
        packet: SSHPacket,
    ) -> None:
        packet.check_end()
        opened = self._settled()
        self._send_chan, self._send_window, self._send_pktsize = send_chan, send_window, send_pktsize
        self._send_state = self._recv_state = "open"
        self._session.connection_made(self)
        if self._recv_paused == "starting":
            self._recv_paused = False
        self._tell(opened, None)

    def process_open_failure(self, code: int, reason: str, lang: str) -> None:
        self._session = None
        self._tell(self._settled(), asyncssh.ChannelOpenError(code, reason, lang))
        self._cleanup()

    def _settled(self) -> Callable[[Exception | None], None]:
        if self._opened is None:
            raise asyncssh.ProtocolError("Channel not being opened")
        opened, self._opened = self._opened, None
        return opened

    def send_packet(self, pkttype: int, *args: bytes) -> None:
        if self._send_chan is not None:
            self._conn.send_packet(pkttype, _UINT.pack(self._send_chan), *args, handler=self)

    def process_packet(self, pkttype: int, pktid: int, packet: SSHPacket) -> Any:
        """A close ends it at once, unless there is something that was not taken yet."""
        if pkttype != MSG_CHANNEL_CLOSE or self._recv_buf or self._recv_state not in ("open", "eof"):
            return super().process_packet(pkttype, pktid, packet)
        packet.check_end()
        self._close_send()
        self._recv_state = "closed"
        self._cleanup()
        return True

    def _cleanup(self, exc: Exception | None = None) -> None:
        connection, self._conn = self._conn, None
        if connection is None:
            return
        connection.remove_channel(self._recv_chan)
        self._send_chan = self._recv_chan = None
        session, self._session = self._session, None
        if self._opened is not None:
            error = asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "SSH connection closed")
            self._tell(self._settled(), error)
        elif session is not None:
            self._tell(session.connection_lost, exc)

    def _tell(self, told: Callable[[Exception | None], object], error: Exception | None) -> None:
        """Whose fault it is that this raises, other channels do not end with it, nor stay untold of their end."""
        try:
            told(error)
        except Exception as fault:  # noqa: BLE001 - who opens and who receives is anybody
            self._loop.call_exception_handler({"message": "who has a channel failed", "exception": fault})
            self.abort()
