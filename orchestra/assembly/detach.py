"""``up -d``: a child in a session of its own brings it up, tells the parent how that goes, and stays.

The child's messages reach the parent through a pipe until it is ready; then they go to the log. A socket between the
two carries what is not for people, one JSON document a line: the child's questions, which the parent puts to whoever is
at its terminal, the answers, and ``{"ready": true}``; or its end, when the child ended before.
"""

from __future__ import annotations

import asyncio
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any

from orchestra.assembly.signals import STOPPING, Interrupted
from orchestra.plugin.interfaces import Question

Answer = Callable[[Question], str | None]


def spawn(arguments: Callable[[int], Sequence[str]], relay: Callable[[bytes], object], answer: Answer) -> int:
    """Starts ``orchestra ARGUMENTS`` and returns 0 once it is ready, else the exit code with which it ended.

    ``arguments`` are given the descriptor for :class:`Parent`; until the child is ready, ``relay`` gets what it says
    and ``answer`` what it asks. A signal ends the child too; raises Interrupted then.
    """
    ours, theirs = socket.socketpair()
    with _signals_raise(), ours, theirs:
        with subprocess.Popen(
            [sys.executable, "-m", "orchestra", *arguments(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as child:
            theirs.close()
            assert child.stdout is not None  # noqa: S101 - a pipe was asked for
            said = child.stdout.fileno()
            try:
                ready = _follow(said, ours, relay, answer)
            except BaseException:
                child.terminate()
                while text := os.read(said, 65536):
                    relay(text)
                raise
            if ready:
                child.returncode = 0  # it stays; whoever waits for it is no longer this process
                return 0
            code = child.wait()
        return 128 - code if code < 0 else code


class Parent:
    """The child's side. Made first of all, so that no process that the child starts inherits the socket."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._socket: socket.socket | None = socket.socket(fileno=descriptor)
        self._asked = 0

    async def ask(self, question: Question) -> str | None:
        """The answer of whoever is at the parent's terminal; None when nobody is, or the parent has gone."""
        if self._socket is None:
            return None
        self._asked += 1
        try:
            return await self._ask(self._socket, asdict(question) | {"number": self._asked})
        except ConnectionError:
            self._socket.close()
            self._socket = None
            return None

    async def _ask(self, connected: socket.socket, question: dict[str, Any]) -> str | None:
        connected.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(connected, _line({"question": question}))
        pending = b""
        while chunk := await loop.sock_recv(connected, 65536):
            *lines, pending = (pending + chunk).split(b"\n")
            for reply in map(json.loads, lines):
                if reply["number"] == question["number"]:  # else to one that was withdrawn
                    answer: str | None = reply["answer"]
                    return answer
        raise ConnectionResetError

    def ready(self, log: Path) -> None:
        """Lets the parent go: from now on standard output and error are the log, and standard input is empty."""
        null = os.open(os.devnull, os.O_RDONLY)
        file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        for source, copy in ((null, 0), (file, 1), (file, 2)):
            os.dup2(source, copy)
        os.close(null)
        os.close(file)
        if self._socket is not None:
            with suppress(ConnectionError):  # a parent that was killed does not matter any more
                self._socket.sendall(_line({"ready": True}))
            self._socket.close()
            self._socket = None


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode() + b"\n"


def _follow(said: int, ours: socket.socket, relay: Callable[[bytes], object], answer: Answer) -> bool:
    """Relays what the child says, and answers what it asks, until it is ready; False when it ended before."""
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(said, selectors.EVENT_READ)
        selector.register(ours, selectors.EVENT_READ)
        while True:
            readable = {key.fd for key, _ in selector.select()}
            if said in readable:
                if text := os.read(said, 65536):
                    relay(text)
                    continue  # what it said comes before what it asks or became
                selector.unregister(said)
            if ours.fileno() in readable:
                try:
                    received = ours.recv(65536)
                except ConnectionError:
                    return False
                *lines, pending = (pending + received).split(b"\n")
                if not received or _heed(lines, ours, answer):
                    return bool(received)


def _heed(lines: Sequence[bytes], ours: socket.socket, answer: Answer) -> bool:
    """Answers questions; whether the child is ready."""
    for message in map(json.loads, lines):
        if "question" not in message:
            return True
        number = message["question"].pop("number")
        reply = {"number": number, "answer": answer(Question(**message["question"]))}
        with suppress(ConnectionError):  # it has ended meanwhile
            ours.sendall(_line(reply))
    return False


@contextmanager
def _signals_raise() -> Iterator[None]:
    def interrupt(signum: int, _: FrameType | None) -> None:
        for each in STOPPING:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(signum)

    before = {signum: signal.signal(signum, interrupt) for signum in STOPPING}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
