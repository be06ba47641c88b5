"""Our end of the agent's control socket: starts the agent in namespaces of its own, asks, receives descriptors."""

from __future__ import annotations

import array
import asyncio
import contextlib
import json
import os
import socket
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.model.text import clean

SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"))
"""Where programs are looked up: those of administrators too, which are not on every user's PATH."""

_ROOM = socket.CMSG_SPACE(struct.calcsize("i")) + socket.CMSG_SPACE(struct.calcsize("3i"))
_PATIENCE = 5.0
"""Seconds to wait for the end of a lab before it is killed."""


def namespaces() -> list[str]:
    """The start of a command line that runs the rest as process 1 of new namespaces, which end when unshare(1) does."""
    own = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return own if os.geteuid() == 0 else [*own, "--user", "--map-root-user"]


class AgentLink:
    """A running agent. One request at a time; a cancelled one is still answered, and its answer dropped."""

    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket) -> None:
        self._process, self._control = process, control
        self._turn = asyncio.Lock()
        self._received = bytearray()
        self._exchanges: set[asyncio.Task[Any]] = set()
        self._pid = 0

    @classmethod
    async def open(cls) -> AgentLink:
        """Starts it. Raises RuntimeFailure (LAB_UNAVAILABLE) with what it said when it does not come up."""
        task = asyncio.create_task(cls._open())
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:  # a process that is being started can only be ended once it is there
            await (await task).close()
            raise

    @classmethod
    async def _open(cls) -> AgentLink:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        agent = Path(__file__).with_name("agent.py")
        with tempfile.TemporaryFile() as said, theirs:
            try:
                process = await asyncio.create_subprocess_exec(
                    *(*namespaces(), sys.executable, "-I", "-S", str(agent), str(theirs.fileno())),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,  # Ctrl-C is for us, and the lab ends with us
                    env={"PATH": SEARCH_PATH, "LC_ALL": "C"},
                )
            except OSError as error:
                ours.close()
                raise _unavailable(str(error)) from error
            link = cls(process, ours)
            theirs.close()
            try:
                await link._receive()
            except (EOFError, OSError) as error:
                await link.close()
                said.seek(0)
                raise _unavailable(clean(said.read()) or "it ended at once") from error
        return link

    @property
    def files(self) -> Path:
        """The root directory as the lab sees it."""
        return Path(f"/proc/{self._pid}/root")

    async def ask(self, do: str, **arguments: Any) -> Any:
        """One request; a socket when that is the answer. Raises RuntimeFailure when the agent says no, or is gone."""
        task = asyncio.create_task(self._exchange(do, arguments))
        self._exchanges.add(task)
        task.add_done_callback(self._exchanges.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_drop)
            raise

    async def _exchange(self, do: str, arguments: dict[str, Any]) -> Any:
        body = json.dumps({"do": do, **arguments}).encode()
        async with self._turn:
            try:
                await asyncio.get_running_loop().sock_sendall(self._control, len(body).to_bytes(4, "big") + body)
                answer, sock = await self._receive()
            except (EOFError, OSError) as error:
                raise _unavailable("it has ended") from error
        if "error" in answer:
            raise RuntimeFailure(Code.LAB_UNAVAILABLE, f"the lab cannot {do}: {clean(str(answer['error']), 2000)}")
        return sock or answer["ok"]

    async def _receive(self) -> tuple[dict[str, Any], socket.socket | None]:
        sock: socket.socket | None = None
        while True:
            if len(self._received) >= 4:
                end = 4 + int.from_bytes(self._received[:4], "big")
                if len(self._received) >= end:
                    body = bytes(self._received[4:end])
                    del self._received[:end]
                    return ({"ok": None} | found if isinstance(found := json.loads(body), dict) else {}), sock
            await _readable(self._control)
            data, extra, _, _ = self._control.recvmsg(1 << 16, _ROOM, socket.MSG_CMSG_CLOEXEC)
            if not data:
                raise EOFError
            self._received += data
            for _, kind, content in extra:
                if kind == socket.SCM_RIGHTS:
                    sock = socket.socket(fileno=array.array("i", content)[0])
                else:  # credentials: its process id as we see it
                    self._pid = struct.unpack("3i", content)[0] or self._pid

    def kill(self) -> None:
        """At once, without waiting."""
        self._control.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def close(self) -> None:
        """Ends it, and with it everything in the lab; returns when all of it is gone."""
        for task in self._exchanges:  # whoever asked has been cancelled, and the answer is nobody's
            task.cancel()
        await asyncio.gather(*self._exchanges, return_exceptions=True)
        self._control.close()
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(sock, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sock)


def _drop(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and task.exception() is None and isinstance(task.result(), socket.socket):
        task.result().close()


def _unavailable(reason: str) -> RuntimeFailure:
    return RuntimeFailure(Code.LAB_UNAVAILABLE, f"the lab's own process: {reason}")
