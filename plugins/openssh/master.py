"""The process: ssh as a master, what it says, and its end, which comes with ours at the latest."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import cast

LONGEST_LINE = 8 * 1024
PATIENCE = 2.0
"""Seconds that it may take to end when it was asked to."""
_WATCH = 'read _; kill "$1"; rm -rf "$2"'
"""What ends a master whose owner was killed: our end of the pipe is closed then, whatever killed us."""


class Master(asyncio.SubprocessProtocol):
    """One ssh. ``said`` is told each line that it writes to standard error."""

    def __init__(self, said: Callable[[str], None]) -> None:
        self._said = said
        self._transport: asyncio.SubprocessTransport | None = None
        self._rest = b""
        self._watch: subprocess.Popen[bytes] | None = None
        self.ended = asyncio.Event()

    @classmethod
    async def start(
        cls,
        words: Sequence[str],
        environment: Mapping[str, str],
        directory: str,
        carrier: int | None,
        said: Callable[[str], None],
    ) -> Master:
        """Runs it. ``carrier`` is the socket that leads to the server, as its standard input and output; ``directory``
        goes when we are killed. Raises OSError."""
        stream = subprocess.DEVNULL if carrier is None else carrier
        _, master = await asyncio.get_running_loop().subprocess_exec(
            lambda: cls(said),
            *words,
            stdin=stream,
            stdout=stream,
            stderr=subprocess.PIPE,
            env=dict(environment),
            start_new_session=True,  # an interrupt from the keyboard is for us
        )
        try:
            master.watch(directory)
        except OSError:
            master.kill()
            raise
        return master

    def watch(self, directory: str) -> None:
        """Has it ended with us, whatever ends us, and the directory removed. Raises OSError."""
        null = subprocess.DEVNULL
        words = ["/bin/sh", "-c", _WATCH, "orchestra-openssh", str(self.pid), directory]
        self._watch = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=null, stderr=null, start_new_session=True)

    @property
    def pid(self) -> int:
        """Of ssh."""
        return self._transport.get_pid() if self._transport is not None else 0

    @property
    def status(self) -> int | None:
        """How it ended, negative for a signal; None while it runs."""
        return self._transport.get_returncode() if self._transport is not None else None

    async def stop(self) -> None:
        """Waits for an end that it was asked for, and makes one when that takes too long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self.ended.wait()
        self.kill()
        await self.ended.wait()

    def kill(self) -> None:
        """Ends it at once. By its number: asyncio's own kill may take its status from under asyncio's watcher."""
        if self._transport is not None and self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, _fd: int, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[:LONGEST_LINE]
        for line in lines:
            self._said(line.decode("utf-8", "replace").rstrip("\r"))

    def process_exited(self) -> None:
        self._end_watch()
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, self._finish)  # what it wrote last may wait to be read, in the next turn

    def _finish(self) -> None:
        if self._rest:
            self._said(self._rest.decode("utf-8", "replace"))
        if self._transport is not None:
            self._transport.close()  # a ProxyCommand may hold on to its standard error
        self.ended.set()

    def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.send_signal(signal.SIGKILL)
            self._watch.wait()
            if self._watch.stdin is not None:
                self._watch.stdin.close()
