"""Streams over channels of an SSH connection, with the truth about how they end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from orchestra.engine.ssh import internals
from orchestra.session.protocols import Receiver, Take, borrowing

if TYPE_CHECKING:
    from orchestra.engine.ssh.session import SshSession
    from orchestra.session.windows import ReceiveWindow

T = TypeVar("T")

_log = logging.getLogger(__name__)
STDERR_KEPT = 64 * 1024


class ChannelStream:
    """One channel: towards asyncssh its session, towards orchestra a Stream.

    asyncssh closes the whole connection when a callback raises, so what a receiver raises ends its channel only.
    """

    borrows = True

    def __init__(self, session: SshSession, make: Callable[[], Receiver], window: int) -> None:
        self._session, self._make, self.window = session, make, window
        self._window: ReceiveWindow | None = None
        self._receiver: Receiver | None = None
        self._receive: Take | None = None
        self._channel: Any = None
        self._reading_paused = self._channel_full = self._congested = self._writing_paused = False
        self._eof_delivered = self._eof_sent = False
        self._closed_by_us = self._finished = self._ended = False
        self.abandoned = False
        """Nobody waits for the channel any more; it is closed as soon as it opens."""

    @property
    def receiver(self) -> Receiver | None:
        """Who receives; None before the channel is open."""
        return self._receiver

    @property
    def has_channel(self) -> bool:
        """Whether the channel was ever open."""
        return self._channel is not None

    # The Stream.

    def write(self, data: bytes | memoryview, /) -> None:
        if not (self._eof_sent or self._ended or self._channel.is_closing()):
            internals.write(self._channel, data)

    def write_eof(self) -> None:
        if not (self._eof_sent or self._ended or self._channel.is_closing()):
            self._eof_sent = True
            self._channel.write_eof()

    def pause_reading(self) -> None:
        self._reading_paused = True
        if self._window is not None:
            self._window.pause()
        if not self._ended:
            self._channel.pause_reading()

    def resume_reading(self) -> None:
        self._reading_paused = False
        if self._window is not None:
            self._window.resume()
        if not self._ended:
            self._channel.resume_reading()

    def is_closing(self) -> bool:
        return self._ended or self._closed_by_us

    def close(self) -> None:
        self._closed_by_us = True
        self.finish()

    def abort(self) -> None:
        self._closed_by_us = True
        if not self._ended:
            self._channel.abort()

    def get_extra_info(self, name: str, default: object = None, /) -> object:
        if name == "progress":
            return self._session.progress()
        return default if name == "socket" else self._channel.get_extra_info(name, default)

    def finish(self) -> None:
        """Sends what is queued, then closes the channel. What still comes is dropped, so that an end of file that
        comes now tells nothing."""
        self._finished = True
        if not self._ended:
            self._channel.write_eof()
            self._channel.close()

    def abandon(self) -> None:
        """Nobody waits for it any more."""
        self.abandoned = True
        if self.has_channel:
            self.abort()

    # What the session tells.

    def set_congested(self, congested: bool) -> None:
        """The whole session is full, or no longer."""
        self._congested = congested
        self._tell_writer()

    # What asyncssh tells.

    def connection_made(self, channel: Any) -> None:
        self._channel = channel
        if internals.take_window(channel):
            self._window = self._session.receive_window(self.window)
        self._session.attach(self)
        if self.abandoned:
            self.abort()
            return
        self._tell(self._introduce)
        self._congested = self._session.congested
        self._tell_writer()

    def session_started(self) -> None:
        """asyncssh resumes a channel that the server opened right after this, undoing a pause. Nothing can arrive
        before the loop's next turn, since the confirmation is still in our hands."""
        asyncio.get_running_loop().call_soon(self._pause_again)

    def data_received(self, data: bytes | memoryview, datatype: int | None) -> None:
        if self._window is not None and (more := self._window.take(len(data))):
            internals.grant(self._channel, more)
        if datatype is not None:
            self.extended_data_received(bytes(data))
        elif self._receive is not None and not self._closed_by_us:
            self._tell(self._receive, data)

    def extended_data_received(self, data: bytes) -> None:
        """Standard error; only commands have it."""

    def eof_received(self) -> bool:
        if self._receiver is None or self._eof_delivered or self._finished:
            return True
        self._eof_delivered = True
        return bool(self._tell(self._receiver.eof_received))

    def pause_writing(self) -> None:
        self._channel_full = True
        self._tell_writer()

    def resume_writing(self) -> None:
        self._channel_full = False
        self._tell_writer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        if self._window is not None:
            self._window.close()
        self._session.detach(self)
        if self._receiver is None:
            return
        reason = self._reason(exc)
        if reason is None and not self._closed_by_us and not self._eof_delivered:
            self.eof_received()
        self._tell(self._receiver.connection_lost, reason)

    def _reason(self, exc: Exception | None) -> Exception | None:
        """None only for an end that both sides meant: a close of ours, or an end of file that was received."""
        if self._closed_by_us:
            return None
        if exc is not None or self._session.is_over or (self._finished and not self._eof_delivered):
            return self._session.loss(exc)
        if internals.eof_was_received(self._channel):
            return None
        return ConnectionResetError("the server closed the channel without an end of file")

    def _pause_again(self) -> None:
        if self._reading_paused and not self._ended:
            self._channel.pause_reading()

    def _tell_writer(self) -> None:
        pause = self._channel_full or self._congested
        if pause == self._writing_paused or self._receiver is None or self._ended:
            return
        self._writing_paused = pause
        self._tell(self._receiver.pause_writing if pause else self._receiver.resume_writing)

    def _introduce(self) -> None:
        self._receiver = self._make()
        self._receive = borrowing(self._receiver, self._receiver.data_received)
        self._receiver.connection_made(self)

    def _tell(self, callback: Callable[..., T], *args: object) -> T | None:
        try:
            return callback(*args)
        except Exception:  # noqa: BLE001 - the receiver is anybody's, and asyncssh would end the whole connection
            _log.exception("a receiver failed in %s; its channel is closed", callback.__name__)
            if not self._ended:
                self._channel.abort()
            return None


class ProcessStream(ChannelStream):
    """A command: its standard error is kept apart."""

    _stderr = b""

    @property
    def exit_status(self) -> int | None:
        """The command's status, negative for a signal; None while it runs."""
        status: int | None = self._channel.get_returncode() if self._channel is not None else None
        return status

    def stderr_tail(self) -> bytes:
        """The last of what it wrote to standard error."""
        return self._stderr

    def extended_data_received(self, data: bytes) -> None:
        self._stderr = (self._stderr + data)[-STDERR_KEPT:]

    def xon_xoff_requested(self, client_can_do: bool) -> None:
        """Terminals only."""

    def exit_status_received(self, status: int) -> None:
        """asyncssh keeps it."""

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        """asyncssh keeps it."""
