from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from orchestra.assembly.observers import PATIENCE, Observers
from orchestra.assembly.running import Identity, Running
from orchestra.engine import Engine
from orchestra.model.events import Event, OverallChanged
from orchestra.plugin import hookimpl
from orchestra.plugin.manager import Observer
from orchestra.testing import Workbench, run_virtual

READY, FAILED = OverallChanged(state="ready"), OverallChanged(state="failed")


def test_one_that_raises_fails_alone_and_hears_the_next(caplog: pytest.LogCaptureFixture) -> None:
    first: list[Event] = []
    last: list[Event] = []

    def broken(event: Event) -> None:
        first.append(event)
        raise RuntimeError("oops")

    tell = Observers(Observer("mine", broken), last.append)
    tell(READY)
    tell(FAILED)
    assert first == last == [READY, FAILED]
    assert [record.message for record in caplog.records] == ["the observer of the plugin mine failed"] * 2


def test_one_of_our_own_is_fenced_too_and_never_given_up(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Event] = []

    def broken(event: Event) -> None:
        heard.append(event)
        raise RuntimeError("oops")

    tell = Observers(broken)
    for _ in range(2 * PATIENCE):
        tell(READY)
    assert len(heard) == 2 * PATIENCE


def test_one_that_dawdles_is_measured_and_named(caplog: pytest.LogCaptureFixture) -> None:
    clock = iter([0.0, 1.3, 2.0, 2.01])
    tell = Observers(Observer("mine", lambda _: None), clock=lambda: next(clock))
    tell(READY)
    tell(FAILED)
    said = [record.message for record in caplog.records]
    assert said == ["the observer of the plugin mine took 1.3 seconds, in which nothing else could happen"]


def test_a_plugins_is_told_nothing_more_after_so_many_faults(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Event] = []
    others: list[Event] = []

    def broken(event: Event) -> None:
        heard.append(event)
        raise RuntimeError("oops")

    tell = Observers(Observer("mine", broken), Observer("yours", others.append))
    for _ in range(2 * PATIENCE):
        tell(READY)
    assert (len(heard), len(others)) == (PATIENCE, 2 * PATIENCE)
    assert (
        caplog.records[-1].message == f"the observer of the plugin mine is told nothing more, after {PATIENCE} faults"
    )


TEXT = """
servers: {gateway: gateway.example}
targets: {db: "db.example:5432"}
tunnels: {db: {listen: "127.0.0.1:5432"}}
"""


def test_observers_of_a_plugin_stop_neither_the_engine_nor_one_another(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Event] = []

    def raises(event: Event) -> None:
        raise RuntimeError(f"oops, {type(event).__name__}")

    class Plugin:
        @hookimpl
        def orchestra_observers(self) -> list[object]:
            return [raises, lambda _: time.sleep(0.11), heard.append]

    async def main() -> None:
        bench = Workbench(TEXT, Plugin())

        def engine(observe: Callable[[Event], None]) -> Engine:
            return Engine(bench.plan, bench.topology, here=bench.here, plugins=bench.plugins, observe=observe)

        await bench.serve("db", bench.topology.targets["db"])
        identity = Identity(name="x", topology="x", file="x")
        async with Running(identity, bench.plan, engine, observers=bench.plugins.observers) as running:
            assert (await running.wait_ready()).ready

    run_virtual(main())
    assert len(heard) > 3
    said = {record.message.partition(" took ")[0] for record in caplog.records}
    assert said >= {"the observer of the plugin Plugin", "the observer of the plugin Plugin failed"}
