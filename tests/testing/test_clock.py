"""Virtual time."""

import asyncio
import time

import pytest

from orchestra.testing.clock import Deadlock, run_virtual


def test_a_hundred_seconds_take_no_time():
    async def main():
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await asyncio.gather(asyncio.sleep(100), asyncio.sleep(40))
        return loop.time() - begun

    real = time.monotonic()
    assert run_virtual(main()) == pytest.approx(100)
    assert time.monotonic() - real < 1


def test_waiting_for_nothing_is_an_error():
    async def main():
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Deadlock):
        run_virtual(main())
