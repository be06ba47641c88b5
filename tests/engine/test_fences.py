from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.fences import fenced, not_loaded
from orchestra.errors import RuntimeFailure
from orchestra.plugin import hookimpl
from orchestra.plugin.manager import Plugins, load_plugins
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


class Broken:
    """What core's own kinds would be without a library of theirs."""

    @hookimpl
    def orchestra_kinds(self) -> list[object]:
        raise ImportError("no module named dbm")


def test_a_word_that_nobody_adds_is_told_with_whoever_failed() -> None:
    failure = not_loaded(load_plugins([Broken()], entry_points=False), "kind tcp", "gateway")
    assert (failure.code, failure.host) == (Code.PLUGIN_FAILED, "gateway")
    assert failure.message == (
        "no kind tcp is loaded: the plugin Broken cannot be used: ImportError: no module named dbm"
    )
    assert "orchestra plugins" in (failure.suggestion or "")


def test_who_told_what_it_adds_is_not_blamed_for_what_it_does_not() -> None:
    plugins = load_plugins([], disabled=["socks"])
    assert not_loaded(plugins, "kind socks").message == (
        "no kind socks is loaded: the plugin socks is left out by ORCHESTRA_DISABLE_PLUGINS"
    )
    assert not_loaded(plugins, "kind magic").message == "no kind magic is loaded"
    assert not_loaded(Plugins(), "kind magic").message == "no kind magic is loaded"
