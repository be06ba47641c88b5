"""Calls that block, in a thread that nobody has to wait for: one that never returns does not keep the process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def in_thread(call: Callable[[], T]) -> T:
    """What it returns or raises. Cancelled, it goes on alone, and is left behind when the process ends
    (:func:`asyncio.to_thread` would be waited for)."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(act: Callable[..., None], value: object) -> None:
        if not done.done():
            act(value)

    def work() -> None:
        act, value = _outcome(call, done)
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(settle, act, value)

    threading.Thread(target=work, daemon=True).start()
    return await done


def _outcome(call: Callable[[], T], done: asyncio.Future[T]) -> tuple[Callable[..., None], object]:
    try:
        return done.set_result, call()
    except Exception as error:  # noqa: BLE001 - it is raised where it is awaited
        return done.set_exception, error
