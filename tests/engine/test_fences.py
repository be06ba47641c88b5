from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.fences import fenced
from orchestra.errors import RuntimeFailure
from orchestra.session.errors import DialRefused
from orchestra.testing import run_virtual


def raising(error: Exception) -> Callable[[], Awaitable[None]]:
    async def work() -> None:
        raise error

    return work


def fence(work: Callable[[], Awaitable[object]], deadline: float = 9.0) -> RuntimeFailure:
    async def main() -> RuntimeFailure:
        with pytest.raises(RuntimeFailure) as failure:
            await fenced("check pop3", work, deadline, host="gateway")
        return failure.value

    return run_virtual(main())


def test_expected_failures_pass_as_they_are() -> None:
    refusal = DialRefused(Code.DIAL_FAILED, "no")
    assert fence(raising(refusal)) is refusal


def test_foreign_ones_are_the_plugins() -> None:
    failure = fence(raising(OSError("bad\x07luck")))
    assert (failure.code, failure.message) == (Code.PLUGIN_FAILED, "check pop3 failed: OSError: bad·luck")
    assert failure.host == "gateway"


def test_so_are_those_raised_before_anything_is_awaited() -> None:
    def work() -> Awaitable[None]:
        raise LookupError("hasty")

    assert fence(work).message == "check pop3 failed: LookupError: hasty"


def test_so_are_missed_deadlines() -> None:
    failure = fence(lambda: asyncio.sleep(10))
    assert (failure.code, failure.message) == (
        Code.PLUGIN_FAILED,
        "check pop3 did not come to an end within 9 seconds",
    )


def test_a_timeout_of_the_plugins_own_is_not_our_deadline() -> None:
    assert fence(raising(TimeoutError())).message == "check pop3 failed: TimeoutError"


def test_what_it_returns_is_returned() -> None:
    assert run_virtual(fenced("check", lambda: asyncio.sleep(1, "proof"), 2.0)) == "proof"
