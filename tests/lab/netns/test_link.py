"""Our end of the agent's control socket."""

import asyncio
from pathlib import Path

import pytest

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.lab.netns import link as module
from orchestra.lab.netns.link import AgentLink
from tests.lab.netns.labs import OFFICE, ask, in_namespaces, lab_of


@in_namespaces
def test_a_cancelled_request_does_not_disturb_the_next(tmp_path):
    async def run():
        async with lab_of(tmp_path, OFFICE) as lab:
            task = asyncio.create_task(lab.dial("gateway", "10.20.0.30", 5900))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return await ask(lab.place("gateway"), "10.20.0.30", 5900)

    assert asyncio.run(run()) == "desk on desk"


@in_namespaces
def test_an_agent_says_why_it_cannot():
    async def run():
        link = await AgentLink.open()
        try:
            with pytest.raises(RuntimeFailure, match=r"the lab cannot output: KeyError: 'nobody'"):
                await link.ask("output", machine="nobody", argv=["true"])
            with pytest.raises(RuntimeFailure, match="the lab cannot fly"):
                await link.ask("fly")
        finally:
            await link.close()

    asyncio.run(run())


@in_namespaces
def test_answers_come_to_those_who_asked_whatever_their_size():
    async def run():
        link = await AgentLink.open()
        try:
            said = "x" * 300_000
            wrong = [link.ask(f"{n}{said}") for n in range(3)]
            answers = await asyncio.gather(*wrong, link.ask("exited"), return_exceptions=True)
            return [str(answer)[:18] for answer in answers]
        finally:
            await link.close()

    assert asyncio.run(run()) == ["the lab cannot 0xx", "the lab cannot 1xx", "the lab cannot 2xx", "{}"]


@in_namespaces
def test_it_sees_the_files_of_the_lab_until_it_is_closed():
    async def run():
        link = await AgentLink.open()
        await link.ask("prepare", files={}, directory="/run/lab")
        seen = (link.files / "run/lab").is_dir()
        await link.close()
        with pytest.raises(RuntimeFailure, match="it has ended") as caught:
            await link.ask("exited")
        return seen, caught.value.code

    assert asyncio.run(run()) == (True, Code.LAB_UNAVAILABLE)
    assert not Path("/run/lab").exists()


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (["sh", "-c", "echo no room here >&2"], "no room here"),
        (["true"], "it ended at once"),
        (["/no/such"], "No such"),
    ],
)
def test_an_agent_that_does_not_come_up_says_why(monkeypatch, program, said):
    monkeypatch.setattr(module, "namespaces", lambda: program)
    with pytest.raises(RuntimeFailure, match=said) as caught:
        asyncio.run(AgentLink.open())
    assert caught.value.code is Code.LAB_UNAVAILABLE
