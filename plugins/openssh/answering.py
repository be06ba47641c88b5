"""Questions that ssh asks while it logs in: for a secret of the topology, else for a person."""

from __future__ import annotations

import asyncio
import re
import shlex
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal, TypeAlias

from orchestra.model.text import clean
from orchestra.model.topology import SecretRef, SshSettings
from orchestra.plugin.interfaces import OpenRequest, Question
from orchestra.session.here import Here
from orchestra.session.null import NullReceiver
from orchestra.session.protocols import Listener, Receiver, Stream

from . import askpass

Kind: TypeAlias = Literal["passphrase", "password", "response", "host-key"]

LONGEST = 64 * 1024
"""Bytes of a question; a longer one is not asked."""
_PASSPHRASE = re.compile(r"passphrase for (?:key )?'?(?P<subject>.*?)'?: ?$")
_PASSWORD = re.compile(r"(?P<subject>\S+)'s password: ?$")
_WORDS_FOR_PASSWORD = re.compile(r"password|passphrase|kennwort|passwort|mot de passe|contrase", re.IGNORECASE)
_FOR_ONE_USE = re.compile(r"one.?time|otp|oath|token|verification|PIN", re.IGNORECASE)
_HOST_KEY = "yes/no"
_TO_SERVER = frozenset({"password", "response"})
"""Without an answer ssh would send an empty one, and the server would count it."""


class Answers:
    """What is answered to one ssh. A secret is sent once: what was refused once is refused twice."""

    def __init__(
        self,
        request: OpenRequest,
        settings: SshSettings,
        asking: Callable[[bool], None],
        give_up: Callable[[], None],
    ) -> None:
        self._request, self._asking, self._give_up = request, asking, give_up
        self._secrets = {"password": settings.password, "passphrase": settings.passphrase}
        self._asked: Counter[str] = Counter()
        self.remarks: list[str] = []
        """Why questions were left without an answer."""
        self.failure: Exception | None = None
        """Why a secret could not be read."""

    async def answer(self, hint: str, prompt: str) -> str | None:
        """The answer, or None: then nothing is sent in its place. ``hint`` is what kind of window ssh would want
        (SSH_ASKPASS_PROMPT)."""
        text = clean(prompt, 1000)
        if hint == "none":  # touch the key: nothing to answer
            self._request.notice(f"{self._request.server.name}: {text}")
            return ""
        kind, subject = classify(prompt)
        if (secret := self._secrets.get(kind)) is not None:
            answer = await self._secret(kind, secret)
        else:
            answer = await self._person(kind, subject, text)
        if answer is None and kind in _TO_SERVER:
            self._give_up()
        return answer

    async def _secret(self, kind: str, ref: SecretRef) -> str | None:
        if self._asked[kind]:
            self.remarks.append(f"the {kind} that the topology names was not accepted")
            return None
        self._asked[kind] += 1
        try:
            return (await self._request.read_secret(ref)).decode("utf-8", "surrogateescape")
        except Exception as error:  # noqa: BLE001 - whoever opens the session raises it
            self.failure = error
            return None

    async def _person(self, kind: Kind, subject: str, text: str) -> str | None:
        server = self._request.server.name
        again = self._asked[subject] > 0
        self._asked[subject] += 1
        question = Question(kind=kind, host=server, subject=subject, text=f"{server}: {text}", again=again)
        self._asking(True)
        try:
            answer = await self._request.ask(question)
        finally:
            self._asking(False)
        if answer is None:
            self.remarks.append(f"nobody was there to answer “{clean(text, 200)}”")
        return answer


def classify(prompt: str) -> tuple[Kind, str]:
    """What ssh asks for (sshconnect2.c and sshconnect.c), and about what."""
    if _HOST_KEY in prompt:
        return "host-key", "host key"
    if found := _PASSPHRASE.search(prompt):
        return "passphrase", clean(found["subject"])
    if found := _PASSWORD.search(prompt):
        return "password", clean(found["subject"])
    is_password = bool(_WORDS_FOR_PASSWORD.search(prompt)) and not _FOR_ONE_USE.search(prompt)
    return ("password" if is_password else "response"), clean(prompt, 200)


class _Askpass(NullReceiver):
    """One askpass: it sends its question and closes its direction, and gets the answer."""

    def __init__(self, answer: Callable[[str, str], Awaitable[str | None]], tasks: set[asyncio.Task[None]]) -> None:
        self._answer, self._tasks = answer, tasks
        self._heard = b""
        self._stream: Stream | None = None

    def connection_made(self, stream: Stream, /) -> None:
        self._stream = stream

    def data_received(self, data: bytes, /) -> None:
        self._heard = (self._heard + data)[: LONGEST + 1]

    def eof_received(self) -> bool | None:
        task = asyncio.get_running_loop().create_task(self._reply())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _reply(self) -> None:
        assert self._stream is not None  # noqa: S101 - it has spoken
        hint, _, prompt = self._heard.decode("utf-8", "replace").partition("\n")
        answer = await self._answer(hint, prompt) if len(self._heard) <= LONGEST else None
        self._stream.write(b"-" if answer is None else b"+" + answer.encode("utf-8", "surrogateescape"))
        self._stream.close()


class AskpassSocket:
    """Where askpass finds us, as long as a session opens."""

    def __init__(self, listener: Listener, tasks: set[asyncio.Task[None]], program: str) -> None:
        self._listener, self._tasks = listener, tasks
        self.environment = {"SSH_ASKPASS": program, "SSH_ASKPASS_REQUIRE": "force"}

    @classmethod
    async def open(cls, here: Here, directory: Path, answers: Answers) -> AskpassSocket:
        """Raises BindRefused and OSError."""
        socket, tasks = str(directory / "q"), set[asyncio.Task[None]]()

        async def accept(_peer: object) -> Receiver:
            return _Askpass(answers.answer, tasks)

        program = directory / "askpass"
        words = shlex.join([sys.executable, "-I", "-S", askpass.__file__, socket])
        program.write_text(f'#!/bin/sh\nexec {words} "$1"\n')
        program.chmod(0o700)
        return cls(await here.create_unix_server(accept, socket), tasks, str(program))

    def close(self) -> None:
        """Nobody is asked any more."""
        self._listener.close()
        for task in self._tasks:
            task.cancel()
