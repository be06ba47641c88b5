"""Targets for what speaks with one: scripts, and whatever else may stand behind an address."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, TypeAlias

from orchestra.session.protocols import Receiver, Stream

Step: TypeAlias = "bytes | Callable[[bytes], bytes | None]"
"""What a target says; or what it answers to everything that it has heard since its last step, None while it listens."""


def after(pattern: bytes, answer: bytes = b"") -> Callable[[bytes], bytes | None]:
    """Answers when it has heard what matches."""
    return lambda heard: answer if re.search(pattern, heard, re.DOTALL) else None


class Script:
    """A target that goes through its steps, and then stays until it is left."""

    def __init__(self, *steps: Step) -> None:
        self._steps, self._heard = list(steps), b""
        self._stream: Stream | None = None

    def connection_made(self, stream: Stream, /) -> None:
        self._stream = stream
        self._go_on()

    def data_received(self, data: bytes, /) -> None:
        self._heard += data
        self._go_on()

    def eof_received(self) -> bool | None:
        """It hangs up too."""
        return False

    def pause_writing(self) -> None:
        """It says little."""

    def resume_writing(self) -> None:
        """It says little."""

    def connection_lost(self, _exc: Exception | None, /) -> None:
        self._steps.clear()

    def _go_on(self) -> None:
        while self._steps and self._stream is not None:
            step = self._steps[0]
            said = step if isinstance(step, bytes) else step(self._heard)
            if said is None:
                return
            if not isinstance(step, bytes):
                self._heard = b""
            del self._steps[0]
            self._stream.write(said)


class HangsUp(Script):
    """Ends each connection in good order, without a word."""

    def connection_made(self, stream: Stream, /) -> None:
        stream.close()


class Resets(Script):
    """Resets each connection."""

    def connection_made(self, stream: Stream, /) -> None:
        stream.abort()


class Endless(Script):
    """Says the same for ever, at most a hundred times in a second."""

    def __init__(self, chunk: bytes) -> None:
        super().__init__()
        self._chunk, self._full, self._ended = chunk, False, False

    def connection_made(self, stream: Stream, /) -> None:
        super().connection_made(stream)
        self._say()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False

    def connection_lost(self, _exc: Exception | None, /) -> None:
        self._ended = True

    def _say(self) -> None:
        if self._ended or self._stream is None:
            return
        if not self._full:
            self._stream.write(self._chunk)
        asyncio.get_running_loop().call_later(0.01, self._say)


class _Through:
    """A target behind something that changes how it is heard. Everything else is passed on."""

    def __init__(self, target: Receiver) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


class Paced(_Through):
    """What it says comes in pieces, each so many seconds after the one before."""

    def __init__(self, target: Receiver, *, delay: float = 0.0, size: int | None = None) -> None:
        super().__init__(target)
        self._delay, self._size, self._due = delay, size, 0.0

    def connection_made(self, stream: Stream, /) -> None:
        self._target.connection_made(_Voice(stream, self._write))

    def _write(self, stream: Stream, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        for at in range(0, len(data), self._size or len(data) or 1):
            self._due = max(self._due, loop.time()) + self._delay
            loop.call_at(self._due, stream.write, data[at : at + (self._size or len(data))])


class Cut(_Through):
    """It falls silent after its first byte, or before its only one."""

    def __init__(self, target: Receiver) -> None:
        super().__init__(target)
        self._said = False

    def connection_made(self, stream: Stream, /) -> None:
        self._target.connection_made(_Voice(stream, self._write))

    def _write(self, stream: Stream, data: bytes) -> None:
        if not self._said and data:
            self._said = True
            stream.write(data[: min(1, len(data) - 1)])


class _Voice:
    """A stream whose writes are somebody else's matter."""

    def __init__(self, stream: Stream, write: Callable[[Stream, bytes], None]) -> None:
        self._stream, self._write = stream, write

    def write(self, data: bytes, /) -> None:
        self._write(self._stream, data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
