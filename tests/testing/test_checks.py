"""The suite for checks finds those that do not do as they should."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.plugin.interfaces import TunnelContext
from orchestra.plugin.vocabulary import CheckSpec
from orchestra.session import Conversation, NoAnswer, Stream
from orchestra.testing.checks import RULES, Subject, hold
from orchestra.testing.targets import Script, after


class Decent:
    """Wants to hear ``hello``, and says ``bye``. What is wrong with those below is what is different."""

    spec = CheckSpec(name="decent")
    code = Code.CHECK_FAILED
    patience: float | None = 10.0

    async def run(self, context: TunnelContext) -> None:
        talk, stream = Conversation(), None
        try:
            async with asyncio.timeout(context.tunnel.spec.check.timeout or self.patience):
                stream, _ = await context.dial(lambda: talk)
                await self.judge(talk)
                talk.say(b"bye")
        except (TimeoutError, NoAnswer) as error:
            raise RuntimeFailure(self.code, f"it did not say hello: {error}") from None
        finally:
            if stream is not None:
                self.leave(stream)

    async def judge(self, talk: Conversation) -> None:
        if await talk.line("hello") != b"hello":
            raise NoAnswer("it said something else")

    def leave(self, stream: Stream) -> None:
        stream.close()


class Open(Decent):
    def leave(self, stream: Stream) -> None: ...


class Patient(Decent):
    patience = None


class Credulous(Decent):
    async def judge(self, talk: Conversation) -> None:
        await talk.some("hello")


class Rude(Decent):
    async def judge(self, talk: Conversation) -> None:
        if (line := await talk.line("hello")) != b"hello":
            raise NoAnswer(line.decode("latin-1"))


class Hoarder(Decent):
    async def judge(self, talk: Conversation) -> None:
        heard = bytearray()
        while not heard.endswith(b"hello\n"):
            heard += await talk.some("hello")


class Straying(Decent):
    async def judge(self, talk: Conversation) -> None:
        self.task = asyncio.create_task(asyncio.sleep(1000))
        await super().judge(talk)


class Mislabelled(Decent):
    code = Code.DIAL_FAILED


def broken(check: Decent) -> set[str]:
    """The rules that it does not hold."""
    found = set()
    for rule in RULES:
        try:
            hold(rule, Subject(check, lambda: Script(b"hello\n", after(b"bye"))))
        except (AssertionError, TimeoutError):
            found.add(rule.__name__)
    return found


def test_a_decent_check_holds_all_of_them() -> None:
    assert broken(Decent()) == set()


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (Open, "a_good_target_passes"),
        (Patient, "silence_is_not_waited_for_without_end"),
        (Credulous, "half_an_answer_is_none"),
        (Rude, "garbage_is_said_so_that_it_does_no_harm"),
        (Hoarder, "a_target_that_never_ends_is_left"),
        (Straying, "a_good_target_passes"),
        (Mislabelled, "hanging_up_is_noticed_at_once"),
    ],
)
def test_others_are_found(make: Callable[[], Decent], rule: str) -> None:
    assert rule in broken(make())
