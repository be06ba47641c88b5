"""The server's half of a forward: one channel joined to one socket, with sshd's own manners.

End of file is passed on in each direction by itself. SSH has no reset: a reset of the socket becomes the end of the
channel, a channel that is closed ends the socket in good order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import asyncssh


class SocketEnd(asyncio.Protocol):
    """The socket; nothing is read from it before :meth:`join`."""

    def __init__(self, forget: Callable[[SocketEnd], None]) -> None:
        self._forget = forget
        self.channel = ChannelEnd(self)
        self.transport: asyncio.Transport | None = None
        self.ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.pause_reading()

    def join(self) -> None:
        """The channel is open."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self.channel.write(data)

    def eof_received(self) -> bool:
        self.ended = True
        self.channel.write_eof()
        return not self.finish()

    def pause_writing(self) -> None:
        self.channel.pause_reading()

    def resume_writing(self) -> None:
        self.channel.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - a reset and an end are one to SSH
        self.transport = None
        self._forget(self)
        if not self.ended:
            self.channel.write_eof()
        self.channel.close()

    def finish(self) -> bool:
        """Closes both when both directions have ended."""
        if not (self.ended and self.channel.ended):
            return False
        self.channel.close()
        self.close()
        return True

    def close(self) -> None:
        """Closes the socket when what is queued has been sent."""
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Closes the socket at once."""
        if self.transport is not None:
            self.transport.abort()


class ChannelEnd(asyncssh.SSHTCPSession[bytes]):
    """The channel."""

    def __init__(self, socket_end: SocketEnd) -> None:
        self._socket = socket_end
        self._channel: asyncssh.SSHTCPChannel[bytes] | None = None
        self.ended = False

    def connection_made(self, chan: asyncssh.SSHTCPChannel[bytes]) -> None:
        self._channel = chan

    def session_started(self) -> None:
        self._socket.join()

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:  # noqa: ARG002 - TCP has no types
        if self._socket.transport is not None:
            self._socket.transport.write(data)

    def eof_received(self) -> bool:
        self.ended = True
        transport = self._socket.transport
        if transport is not None and not self._socket.finish() and transport.can_write_eof():
            transport.write_eof()
        return True

    def pause_writing(self) -> None:
        if self._socket.transport is not None:
            self._socket.transport.pause_reading()

    def resume_writing(self) -> None:
        self._socket.join()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._channel = None
        self._socket.close()

    def write(self, data: bytes) -> None:
        """Sends to the client; nothing, once the channel is closing."""
        if self._channel is not None and not self._channel.is_closing():
            self._channel.write(data)

    def write_eof(self) -> None:
        """Tells the client the end of this direction."""
        if self._channel is not None and not self._channel.is_closing():
            self._channel.write_eof()

    def pause_reading(self) -> None:
        """The socket is full."""
        if self._channel is not None:
            self._channel.pause_reading()

    def resume_reading(self) -> None:
        """The socket has room again."""
        if self._channel is not None:
            self._channel.resume_reading()

    def close(self) -> None:
        """Closes the channel when what is queued has been sent."""
        if self._channel is not None:
            self._channel.close()
