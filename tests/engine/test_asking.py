"""Questions come one at a time, are asked once, and no deadline runs meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from orchestra.engine.asking import Questions, paused
from orchestra.plugin.interfaces import Question
from orchestra.testing.clock import run_virtual


def question(subject: str, kind: str = "password", host: str = "gateway", **more: bool) -> Question:
    return Question(kind=kind, host=host, subject=subject, text=f"{subject}?", **more)  # type: ignore[arg-type]


class Person:
    """Answers after a second, each time something else."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.busy = False

    async def __call__(self, asked: Question) -> str | None:
        assert not self.busy
        self.busy = True
        self.asked.append(asked.subject)
        try:
            await asyncio.sleep(1)
        finally:
            self.busy = False
        return None if asked.subject == "unknown" else f"answer {len(self.asked)}"


def test_one_at_a_time_and_once_for_all_who_ask_the_same() -> None:
    person = Person()

    async def main() -> list[str | None]:
        ask = Questions(person)
        subjects = ("alice@a", "bob@a", "alice@a")
        return await asyncio.gather(*(ask(question(subject)) for subject in subjects))

    assert run_virtual(main()) == ["answer 1", "answer 2", "answer 1"]
    assert person.asked == ["alice@a", "bob@a"]


def test_a_wrong_answer_is_asked_anew_and_the_new_one_is_kept() -> None:
    person = Person()

    async def main() -> list[str | None]:
        ask = Questions(person)
        return [await ask(question("me", again=again)) for again in (False, True, False)]

    assert run_virtual(main()) == ["answer 1", "answer 2", "answer 2"]


def test_what_let_nobody_in_is_forgotten_and_passphrases_belong_to_their_keys() -> None:
    person = Person()

    async def main() -> None:
        ask = Questions(person)
        await ask(question("/key", "passphrase", "one"))
        await ask(question("me", host="one"))
        ask.forget("one")
        assert await ask(question("/key", "passphrase", "another")) == "answer 1"
        assert await ask(question("me", host="one")) == "answer 3"

    run_virtual(main())


@pytest.mark.parametrize(("subject", "kind"), [("unknown", "password"), ("code", "response")])
def test_no_answer_and_what_may_be_a_code_for_one_use_are_not_kept(subject: str, kind: str) -> None:
    person = Person()

    async def main() -> None:
        ask = Questions(person)
        await ask(question(subject, kind))
        await ask(question(subject, kind))

    run_virtual(main())
    assert len(person.asked) == 2


def test_a_question_that_is_withdrawn_gives_its_turn_to_the_next() -> None:
    person = Person()

    async def main() -> str | None:
        ask = Questions(person)
        first = asyncio.create_task(ask(question("first")))
        second = asyncio.create_task(ask(question("second")))
        await asyncio.sleep(0.5)
        first.cancel()
        return await second

    assert run_virtual(main()) == "answer 2"


def test_a_deadline_stands_still_while_a_person_answers() -> None:
    async def main() -> tuple[float, bool]:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with asyncio.timeout(3) as scope:
                await asyncio.sleep(1)
                with paused(scope):
                    await asyncio.sleep(100)
                await asyncio.sleep(50)
        except TimeoutError:
            return loop.time() - begun, scope.expired()
        raise AssertionError("it did not run on")

    taken, expired = run_virtual(main())
    assert (round(taken), expired) == (103, True)


def test_a_deadline_that_has_ended_meanwhile_stays_ended() -> None:
    async def main() -> None:
        async with asyncio.timeout(3) as scope:
            stack = paused(scope)
            stack.__enter__()
            await asyncio.sleep(1)
        stack.__exit__(None, None, None)
        assert not scope.expired()

    run_virtual(main())
