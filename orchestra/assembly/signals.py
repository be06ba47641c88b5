"""Signals as cancellation: the first takes everything down in good order, the second at once, a third kills.

SIGHUP is the exception where something can be reloaded."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PASSED_ON = (*STOPPING, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


class Interrupted(Exception):
    """The work was ended by this signal."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


class Interrupts:
    """Where signals go while some work is done."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._task: asyncio.Task[Any] | None = None
        self._reload: Callable[[], None] | None = None
        self._had_terminal = _has_terminal()
        self.received: list[int] = []

    def reload_by(self, reload: Callable[[], None]) -> None:
        """From now on SIGHUP asks for that, unless it says that the terminal has gone."""
        self._reload = reload

    def cancel(self, task: asyncio.Task[Any]) -> None:
        """From now on signals cancel this task, also those that were :func:`held_back`."""
        self._task = task
        for signum in STOPPING:
            if signum != signal.SIGHUP or signal.getsignal(signum) is not signal.SIG_IGN:  # nohup stays nohup
                self._loop.add_signal_handler(signum, self._stop, signum)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)

    def release(self) -> None:
        """From now on signals do what they do by themselves."""
        for signum in PASSED_ON:
            self._loop.remove_signal_handler(signum)

    @contextmanager
    def passed_on(self, receive: Callable[[int], None]) -> Iterator[None]:
        """Meanwhile signals, more of them than those that stop, go there and cancel nothing."""
        for signum in PASSED_ON:
            self._loop.add_signal_handler(signum, receive, signum)
        try:
            yield
        finally:
            self.release()
            if self._task is not None:
                self.cancel(self._task)

    def _stop(self, signum: int) -> None:
        assert self._task is not None  # noqa: S101 - the handlers are there since there is a task
        if signum == signal.SIGHUP and self._reload is not None and not (self._had_terminal and not _has_terminal()):
            self._reload()
            return
        self.received.append(signum)
        self._task.cancel()
        if len(self.received) > 1:
            self.release()


@contextmanager
def held_back() -> Iterator[None]:
    """Signals that stop wait meanwhile, at most until some work is interruptible: for what must not be begun and then
    forgotten. There are no other threads yet, which would take them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _has_terminal() -> bool:
    """Whether there is a controlling terminal: one that hung up is none any more (tty(4))."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


async def interruptible(work: Callable[[Interrupts], Coroutine[Any, Any, T]]) -> T:
    """What the work returns. A signal cancels it, a second one cancels what it does about the first.

    Raises Interrupted when the work ended by that.
    """
    import asyncio

    interrupts = Interrupts(asyncio.get_running_loop())
    task = asyncio.create_task(work(interrupts))
    interrupts.cancel(task)
    try:
        return await task
    except asyncio.CancelledError:
        if interrupts.received:
            raise Interrupted(interrupts.received[0]) from None
        task.cancel()
        await asyncio.wait((task,))
        raise
    finally:
        interrupts.release()
