"""Connections that a plugin's kind serves itself: fenced, so that what it does wrong ends that connection only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestra.session.protocols import Receiver, Stream


class Tracked:
    """Hands everything to the kind's receiver, and is in ``live`` as long as the stream is."""

    def __init__(self, receiver: Receiver, live: set[Tracked], failed: Callable[[Exception], None]) -> None:
        self._receiver, self._live, self._failed = receiver, live, failed
        self._stream: Stream | None = None

    def connection_made(self, stream: Stream, /) -> None:
        self._stream = stream
        self._live.add(self)
        try:
            self._receiver.connection_made(stream)
        except Exception as error:  # noqa: BLE001 - a plugin's
            self._fail(error)

    def data_received(self, data: bytes, /) -> None:
        try:
            self._receiver.data_received(data)
        except Exception as error:  # noqa: BLE001
            self._fail(error)

    def eof_received(self) -> bool | None:
        try:
            return self._receiver.eof_received()
        except Exception as error:  # noqa: BLE001
            self._fail(error)
            return False

    def pause_writing(self) -> None:
        try:
            self._receiver.pause_writing()
        except Exception as error:  # noqa: BLE001
            self._fail(error)

    def resume_writing(self) -> None:
        try:
            self._receiver.resume_writing()
        except Exception as error:  # noqa: BLE001
            self._fail(error)

    def connection_lost(self, exc: Exception | None, /) -> None:
        self._live.discard(self)
        try:
            self._receiver.connection_lost(exc)
        except Exception as error:  # noqa: BLE001
            self._failed(error)

    def abort(self) -> None:
        """Ends it at once."""
        if self._stream is not None:
            self._stream.abort()

    def _fail(self, error: Exception) -> None:
        self._failed(error)
        self.abort()
