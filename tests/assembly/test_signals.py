from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from orchestra.assembly import signals
from orchestra.assembly.signals import STOPPING, Interrupted, Interrupts, held_back, interruptible


def kill(signum: int) -> None:
    os.kill(os.getpid(), signum)


async def forever() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("signum", STOPPING)
def test_a_signal_cancels_the_work_which_ends_in_its_own_way(signum: int) -> None:
    ended = []

    async def work(_: Interrupts) -> None:
        try:
            kill(signum)
            await forever()
        finally:
            await asyncio.sleep(0)
            ended.append("in order")

    with pytest.raises(Interrupted) as caught:
        asyncio.run(interruptible(work))
    assert caught.value.signum == signum
    assert ended == ["in order"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize("signum", STOPPING)
def test_a_signal_that_was_held_back_cancels_the_work_when_there_is_some(signum: int) -> None:
    async def work(_: Interrupts) -> None:
        await forever()

    with held_back():
        signal.raise_signal(signum)  # to this thread: others may be there, and hold nothing back
        with pytest.raises(Interrupted) as caught:
            asyncio.run(interruptible(work))
    assert caught.value.signum == signum
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_work_that_was_done_anyway_returns_what_it_returns() -> None:
    async def work(_: Interrupts) -> int:
        try:
            kill(signal.SIGTERM)
            await forever()
        except asyncio.CancelledError:
            return 0
        return 1

    assert asyncio.run(interruptible(work)) == 0


def test_a_second_signal_interrupts_the_orderly_end() -> None:
    async def work(_: Interrupts) -> None:
        try:
            kill(signal.SIGINT)
            await forever()
        finally:
            kill(signal.SIGTERM)
            await forever()

    with pytest.raises(Interrupted) as caught:
        asyncio.run(interruptible(work))
    assert caught.value.signum == signal.SIGINT


def test_signals_that_are_passed_on_cancel_nothing() -> None:
    passed = []

    async def work(interrupts: Interrupts) -> str:
        arrived = asyncio.Event()

        def receive(signum: int) -> None:
            passed.append(signum)
            arrived.set()

        with interrupts.passed_on(receive):
            kill(signal.SIGUSR1)
            await arrived.wait()
        kill(signal.SIGTERM)
        await forever()
        return "never"

    with pytest.raises(Interrupted):
        asyncio.run(interruptible(work))
    assert passed == [signal.SIGUSR1]


def test_a_third_signal_kills() -> None:
    program = (
        "import asyncio, os, signal\nfrom orchestra.assembly.signals import interruptible\n"
        "async def work(_):\n"
        "    for _ in range(3):\n"
        "        try:\n"
        "            os.kill(os.getpid(), signal.SIGTERM)\n"
        "            await asyncio.Event().wait()\n"
        "        except asyncio.CancelledError:\n"
        "            pass\n"
        "asyncio.run(interruptible(work))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=30)
    assert done.returncode == -signal.SIGTERM


def test_cancelled_from_outside_it_takes_the_work_along() -> None:
    ended = []

    async def work(_: Interrupts) -> None:
        try:
            await forever()
        finally:
            ended.append(True)

    async def scene() -> None:
        task = asyncio.create_task(interruptible(work))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scene())
    assert ended == [True]


def test_where_something_can_be_reloaded_a_hangup_asks_for_that_unless_the_terminal_has_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    async def work(interrupts: Interrupts) -> None:
        interrupts.reload_by(lambda: asked.append("reload"))
        kill(signal.SIGHUP)
        await asyncio.sleep(0.01)
        assert asked == ["reload"]
        monkeypatch.setattr(interrupts, "_had_terminal", True)
        monkeypatch.setattr(signals, "_has_terminal", lambda: False)
        kill(signal.SIGHUP)
        await forever()

    with pytest.raises(Interrupted) as caught:
        asyncio.run(interruptible(work))
    assert (caught.value.signum, asked) == (signal.SIGHUP, ["reload"])
