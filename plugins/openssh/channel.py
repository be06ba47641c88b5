"""One channel of the connection protocol (RFC 4254 section 5): a Stream with a window in each direction."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING, Literal, TypeVar

from orchestra.session.protocols import Receiver

from .wire import Malformed, Message, Reader, boolean, string, uint32

if TYPE_CHECKING:
    from .connection import Connection

T = TypeVar("T")

_log = logging.getLogger(__name__)

HIGH, LOW = 128 * 1024, 32 * 1024
"""Bytes in our queue at which a writer is told to pause, and to go on."""
PIECE = 32 * 1024
"""Bytes of one packet to the server, unless it takes less."""
PACKET = 64 * 1024
"""Bytes of data that the server may put into one packet."""
STDERR_KEPT = 64 * 1024
_DATA_HEADER = Struct(">IBBII")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the server did not open a channel: a number of RFC 4254 section 5.1, and its words."""

    code: int
    words: str


class Channel:
    """A channel that we open; ``answered`` is told once when it is open (None), or why it is not."""

    def __init__(
        self,
        connection: Connection,
        number: int,
        make: Callable[[], Receiver],
        answered: Callable[[Refusal | Exception | None], None],
    ) -> None:
        self._connection, self._make, self._answered = connection, make, answered
        self.number = number
        self.receiver: Receiver | None = None
        self.window = connection.windows.take()
        self.state: Literal["opening", "open", "closed"] = "opening"
        self._expected = self.window  # bytes that the server may still send
        self._taken = 0  # bytes that were handed on and not yet granted again
        self._inbox: deque[bytes | None] = deque()  # None: the end of file
        self._reading = False
        self._remote = self._granted = self._largest = 0
        self._queue: deque[memoryview] = deque()
        self._queued = 0
        self._writer_paused = False
        self._ending: Literal["no", "eof", "close"] = "no"
        self._eof_sent = self._close_sent = self._close_received = self._eof_delivered = False
        self._closed_by_us = self._finished = False
        self._fate: Exception | None = None

    # The Stream.

    def write(self, data: bytes, /) -> None:
        if self._ending == "no" and self.state == "open" and not self._close_received:
            self._queue.append(memoryview(data))
            self._queued += len(data)
            self.flush()

    def write_eof(self) -> None:
        if self._ending == "no" and self.state == "open":
            self._ending = "eof"
            self.flush()

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self._deliver()

    def is_closing(self) -> bool:
        return self.state == "closed" or self._closed_by_us

    def close(self) -> None:
        self._closed_by_us = True
        self.finish()

    def abort(self) -> None:
        """Drops what is queued; nobody waits any more for a channel that is not open yet."""
        self._closed_by_us = True
        self._drop_queue()
        self.finish()

    def get_extra_info(self, name: str, default: object = None, /) -> object:  # noqa: ARG002 - it has no socket
        return default

    def finish(self, why: Exception | None = None) -> None:
        """Sends what is queued, then closes. What still comes is dropped; ``why`` is what its receiver is told."""
        self._finished, self._ending = True, "close"
        self._fate = self._fate or why
        self._inbox.clear()
        self.flush()

    # What is sent.

    def flush(self) -> None:
        """Sends as much as the server's window, and the way to it, take."""
        if self.state != "open" or self._close_sent:
            return
        pieces: list[bytes | memoryview] = []
        while self._queue and self._granted and not self._connection.congested:
            data = self._queue[0]
            size = min(len(data), self._granted, self._largest, PIECE)
            pieces += (_DATA_HEADER.pack(10 + size, 0, Message.DATA, self._remote, size), data[:size])
            if size == len(data):
                self._queue.popleft()
            else:
                self._queue[0] = data[size:]
            self._granted -= size
            self._queued -= size
        if pieces:
            self._connection.send(b"".join(pieces))
        if not self._queue:
            self._send_end()
        self.tell_writer()

    def tell_writer(self) -> None:
        """Whether who writes is to wait."""
        pause = self._queued > (LOW if self._writer_paused else HIGH) or self._connection.congested
        if pause == self._writer_paused or self.receiver is None or self.state != "open":
            return
        self._writer_paused = pause
        self._tell(self.receiver.pause_writing if pause else self.receiver.resume_writing)

    def ask(self, name: str, fields: bytes) -> None:
        """Asks for something on this channel (RFC 4254 section 5.4); the answer comes as :meth:`replied`."""
        self._send(Message.REQUEST, string(name) + boolean(True) + fields)

    def _send_end(self) -> None:
        if self._ending != "no" and not self._eof_sent:
            self._eof_sent = True
            self._send(Message.EOF)
        if self._ending == "close" and not self._close_sent:
            self._send_close()

    def _send_close(self) -> None:
        self._close_sent = True
        self._send(Message.CLOSE)

    def _send(self, kind: int, fields: bytes = b"") -> None:
        self._connection.send_message(kind, uint32(self._remote) + fields)

    def _drop_queue(self) -> None:
        self._queue.clear()
        self._queued = 0

    # What the server sends.

    def received(self, kind: int, reader: Reader) -> None:
        """A message to this channel, after the number. Raises Malformed."""
        if (self.state == "opening") is not (kind in {Message.CONFIRMATION, Message.OPEN_FAILURE}):
            raise Malformed(f"message {kind} to a channel that is {self.state}")
        match kind:
            case Message.DATA:
                self._data(reader.string())
            case Message.WINDOW_ADJUST:
                self._granted += reader.uint32()
                self.flush()
            case Message.EXTENDED_DATA:
                reader.uint32()
                self._extended(reader.string())
            case Message.EOF:
                self._queue_in(None)
            case Message.CLOSE:
                self._closed()
            case Message.REQUEST:
                self.requested(reader.string().decode("ascii", "replace"), wants_reply=reader.boolean(), fields=reader)
            case Message.SUCCESS | Message.FAILURE:
                self.replied(kind == Message.SUCCESS)
            case Message.CONFIRMATION:
                self._remote, self._granted, self._largest = reader.uint32(), reader.uint32(), reader.uint32()
                self._confirmed()
            case Message.OPEN_FAILURE:
                self._answer(Refusal(reader.uint32(), reader.string().decode("utf-8", "replace")))
                self._end()

    def opened(self) -> None:
        """The server has confirmed it."""
        self.introduce()

    def replied(self, granted: bool) -> None:
        """The answer to :meth:`ask`."""

    def requested(self, name: str, *, wants_reply: bool, fields: Reader) -> None:  # noqa: ARG002 - for commands
        """The server asks for something; there is nothing that a stream could do for it."""
        if wants_reply:
            self._send(Message.FAILURE)

    def extended(self, data: bytes) -> None:
        """Standard error; only commands have it."""

    def introduce(self) -> None:
        """Whoever receives is told of the stream, then of what came meanwhile."""
        self.receiver = self._make()
        self._reading = True
        self._tell(self.receiver.connection_made, self)
        self._answer(None)
        self.tell_writer()
        self._deliver()

    def _confirmed(self) -> None:
        self.state = "open"
        if self._closed_by_us or self._finished:
            self._finished = True
            self._send_close()
        else:
            self.opened()

    def _data(self, data: bytes) -> None:
        self._count(len(data))
        self._queue_in(data)

    def _extended(self, data: bytes) -> None:
        self._count(len(data))
        self.extended(data)
        self._grant(len(data))

    def _count(self, size: int) -> None:
        self._expected -= size
        if self._expected < 0:
            raise Malformed("the server sends more than it may")

    def _grant(self, size: int) -> None:
        """So much was handed on: the server may send as much again."""
        self._taken += size
        if self._taken >= self.window // 2 and not self._close_sent and self.state == "open":
            self._send(Message.WINDOW_ADJUST, uint32(self._taken))
            self._expected += self._taken
            self._taken = 0

    def _queue_in(self, item: bytes | None) -> None:
        if not self._finished:
            self._inbox.append(item)
            self._deliver()
        elif item is not None:
            self._grant(len(item))

    def _deliver(self) -> None:
        while self._inbox and self._reading and self.receiver is not None:
            data = self._inbox.popleft()
            if data is None:
                self._end_of_file(self.receiver)
            else:
                self._tell(self.receiver.data_received, data)
                self._grant(len(data))
        if self._close_received and not self._inbox:
            self._end()

    def _end_of_file(self, receiver: Receiver) -> None:
        if not self._eof_delivered:
            self._eof_delivered = True
            if not self._tell(receiver.eof_received):
                self.close()

    def _closed(self) -> None:
        """The server will send nothing more: what has arrived is still handed on."""
        self._close_received = True
        self._connection.forget(self)
        if not self._close_sent:
            self._send_close()
        self._drop_queue()
        self._deliver()

    # The end.

    def lost(self, reason: Exception) -> None:
        """The connection has ended. Who has closed already, or has everything, is not concerned."""
        if not self._close_received:
            self._end(None if self._closed_by_us else reason)

    def _answer(self, answer: Refusal | Exception | None) -> None:
        """Told once, to whoever waits for the channel."""
        answered, self._answered = self._answered, lambda _: None
        answered(answer)

    def _end(self, reason: Exception | None = None) -> None:
        if self.state == "closed":
            return
        self.state = "closed"
        self._connection.ended(self)
        if reason is None and not self._closed_by_us and not self._eof_delivered:
            reason = self._fate or ConnectionResetError("the server closed the channel without an end of file")
        if self.receiver is not None:
            self._tell(self.receiver.connection_lost, reason)
        elif reason is not None:
            self._answer(reason)

    def _tell(self, callback: Callable[..., T], *args: object) -> T | None:
        try:
            return callback(*args)
        except Exception:  # noqa: BLE001 - the receiver is anybody's; its fault must end its own channel only
            _log.exception("a receiver failed in %s; its channel is closed", callback.__name__)
            self.abort()
            return None


class CommandChannel(Channel):
    """A command that runs at the server: its standard error is kept apart."""

    command = ""
    _stderr = b""
    _status: int | None = None

    @property
    def exit_status(self) -> int | None:
        """The command's status, negative for a signal; None while it runs."""
        return self._status

    def stderr_tail(self) -> bytes:
        """The last of what it wrote to standard error."""
        return self._stderr

    def opened(self) -> None:
        self.ask("exec", string(self.command))

    def replied(self, granted: bool) -> None:
        if self.receiver is not None or self._closed_by_us:
            return
        if granted:
            self.introduce()
        else:
            self._answer(Refusal(1, "the request was refused"))
            self.abort()

    def extended(self, data: bytes) -> None:
        self._stderr = (self._stderr + data)[-STDERR_KEPT:]

    def requested(self, name: str, *, wants_reply: bool, fields: Reader) -> None:
        if name == "exit-status":
            self._status = fields.uint32()
        elif name == "exit-signal":
            self._status = -_SIGNALS.get(fields.string(), 1)
        super().requested(name, wants_reply=wants_reply, fields=fields)


_SIGNALS = {
    b"HUP": 1,
    b"INT": 2,
    b"QUIT": 3,
    b"ILL": 4,
    b"ABRT": 6,
    b"FPE": 8,
    b"KILL": 9,
    b"USR1": 10,
    b"SEGV": 11,
    b"USR2": 12,
    b"PIPE": 13,
    b"ALRM": 14,
    b"TERM": 15,
}
"""RFC 4254 section 6.10, with the numbers of POSIX."""
