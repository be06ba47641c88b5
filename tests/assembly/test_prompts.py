from __future__ import annotations

import asyncio

from orchestra.assembly.prompts import Prompts
from orchestra.plugin.interfaces import Question
from orchestra.testing.clock import run_virtual

QUESTION = Question(kind="password", host="gateway", subject="me", text="?")


def test_deadlines_stand_still_during_questions_and_run_on_after_them() -> None:
    async def person(question: Question) -> str | None:
        await asyncio.sleep(1000)
        return question.kind

    async def main() -> float:
        prompts, loop = Prompts(person), asyncio.get_running_loop()
        try:
            async with asyncio.timeout(10) as deadline:
                with prompts.holding(deadline):
                    assert await prompts(QUESTION) == "password"
                    await asyncio.sleep(20)
        except TimeoutError:
            assert await prompts(QUESTION) == "password"  # nobody's deadline any more
            return loop.time()
        raise AssertionError("the deadline did not run on")

    assert run_virtual(main()) == 2010
