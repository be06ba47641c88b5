"""The hot path: two streams joined, entry to exit.

Each direction ends by itself (half-close), a slow reader stops its own writer and nobody else, and the end of a stream
is told truthfully: an end of file is passed on as one, every other end is an abort, which is a TCP reset on a socket of
this machine. A truncated download must not look complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.session.protocols import borrowing

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.session.protocols import Stream, Take


class End:
    """One end of a relay: it receives from its own stream and writes to the other's.

    Until the other end has a stream this one does not read. Should its session deliver something all the same, it is
    kept in order (``_early``), bounded by the session's own receive window.
    """

    __slots__ = ("_early", "_full", "_relay", "_write", "eof", "lost", "other", "received", "stream")

    borrows = True
    other: End

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._early: list[bytes] = []
        self._write: Take = self._keep
        self._full = False
        self.stream: Stream | None = None
        self.received = 0
        """Bytes."""
        self.eof = False
        self.lost = False

    def connection_made(self, stream: Stream, /) -> None:
        self.stream = stream
        stream.pause_reading()
        if self.lost or self.other.lost:
            stream.abort()
        elif self.other.stream is not None:
            self._relay.join()

    def data_received(self, data: bytes | memoryview, /) -> None:
        self.received += len(data)
        self._write(data)

    def eof_received(self) -> bool:
        self.eof = True
        if self.other.stream is not None:
            self.pass_eof()
        return True

    def pause_writing(self) -> None:
        self._full = True
        if self.other.stream is not None and not self.other.lost:
            self.other.stream.pause_reading()

    def resume_writing(self) -> None:
        self._full = False
        if self.stream is not None and self.other.stream is not None and not self.other.lost:
            self.other.stream.resume_reading()

    def connection_lost(self, exc: Exception | None, /) -> None:  # noqa: ARG002 - whether EOF came says it all
        """The other end is closed after what it still has to send, when that is complete; else it is aborted."""
        self.lost = True
        other = self.other
        if other.stream is None:
            other.lost = True  # a stream that still comes is turned away
        elif not other.lost:
            if self.eof:
                other.stream.close()
            else:
                other.stream.abort()
        self._relay.end_lost()

    def start(self) -> None:
        """Both ends have streams: what came early goes on, and reading begins unless the other end is full."""
        stream, target = self.stream, self.other.stream
        assert stream is not None and target is not None  # noqa: S101, PT018 - join is called with both
        self._write = borrowing(target, target.write)
        for data in self._early:
            target.write(data)
        self._early.clear()
        if self.eof:
            self.pass_eof()
        if not (self.other._full or self.lost):  # noqa: SLF001 - two halves of one thing
            stream.resume_reading()

    def _keep(self, data: bytes | memoryview) -> None:
        self._early.append(bytes(data))

    def pass_eof(self) -> None:
        """The end of what this end received is told to the other; after both directions both streams close."""
        other = self.other
        if other.stream is None or self.stream is None:
            return
        if not other.lost:
            other.stream.write_eof()
        if other.eof:
            self.stream.close()
            other.stream.close()


class Relay:
    """One connection that is carried: ``entry`` was accepted, ``exit`` was dialed. ``ended`` is called once."""

    __slots__ = ("_ended", "entry", "exit")

    def __init__(self, ended: Callable[[Relay], None]) -> None:
        self._ended: Callable[[Relay], None] | None = ended
        self.entry, self.exit = End(self), End(self)
        self.entry.other, self.exit.other = self.exit, self.entry

    @property
    def bytes_in(self) -> int:
        """From the target to the one who connected."""
        return self.exit.received

    @property
    def bytes_out(self) -> int:
        return self.entry.received

    def join(self) -> None:
        """Both streams are there."""
        self.exit.start()
        self.entry.start()

    def hasten(self) -> None:
        """Who connected has mostly said something by now, and it need not wait for the loop's next turn."""
        if hasten := getattr(self.entry.stream, "hasten", None):
            hasten()

    def abort(self) -> None:
        """Ends it at once, at both ends."""
        for end in (self.entry, self.exit):
            if end.stream is None:
                end.lost = True  # a stream that still comes is turned away
            elif not end.lost:
                end.stream.abort()
        self.end_lost()

    def end_lost(self) -> None:
        """It is over when no stream is left at either end; where one never came, with the other."""
        if self.entry.lost and self.exit.lost and self._ended is not None:
            ended, self._ended = self._ended, None
            ended(self)
