from __future__ import annotations

import pytest

from orchestra.assembly.observers import Observers
from orchestra.model.events import Event, OverallChanged

READY, FAILED = OverallChanged(state="ready"), OverallChanged(state="failed")


def test_one_that_raises_fails_alone_and_hears_the_next(caplog: pytest.LogCaptureFixture) -> None:
    first: list[Event] = []
    last: list[Event] = []

    def broken(event: Event) -> None:
        first.append(event)
        raise RuntimeError("oops")

    tell = Observers(broken, last.append)
    tell(READY)
    tell(FAILED)
    assert first == last == [READY, FAILED]
    assert [record.message.partition(":")[0] for record in caplog.records] == ["an observer failed"] * 2
    assert all("broken" in record.message for record in caplog.records)
