"""Calls that block, and what becomes of one that never returns."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from orchestra.session.threads import in_thread


def test_what_it_returns_and_where_it_ran() -> None:
    async def main() -> threading.Thread:
        return await in_thread(threading.current_thread)

    thread = asyncio.run(main())
    assert thread is not threading.main_thread()
    assert thread.daemon


def test_what_it_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(in_thread(lambda: 1 // 0))


def test_one_that_never_returns_keeps_nobody() -> None:
    script = """
import asyncio, threading
from orchestra.session.threads import in_thread

async def main():
    async with asyncio.timeout(0.05):
        await in_thread(threading.Event().wait)

try:
    asyncio.run(main())
except TimeoutError:
    print("given up")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=True)
    assert (done.stdout, done.stderr) == ("given up\n", "")


def test_one_that_returns_when_nobody_waits_any_more() -> None:
    release, threads = threading.Event(), []

    def call() -> None:
        threads.append(threading.current_thread())
        release.wait(20)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await in_thread(call)

    asyncio.run(main())
    release.set()
    threads[0].join(10)
    assert not threads[0].is_alive()
