from __future__ import annotations

import pytest

from orchestra.model.measures import BOUNDS, Durations


@pytest.mark.parametrize(
    ("seconds", "index"), [(0.0, 0), (0.001, 0), (0.0011, 1), (1.0, 9), (30.0, 13), (30.1, 14), (1e9, 14)]
)
def test_each_is_counted_where_it_belongs(seconds: float, index: int) -> None:
    counted = Durations().plus(seconds)
    assert [position for position, number in enumerate(counted.counts) if number] == [index]
    assert (counted.count, counted.total) == (1, seconds)


def test_they_add_up_and_are_values() -> None:
    none = Durations()
    some = none.plus(0.002).plus(0.002).plus(60.0)
    assert (none.count, none.total) == (0, 0.0)
    assert some.total == pytest.approx(60.004)
    cumulative = some.cumulative()
    assert [bound for bound, _ in cumulative] == [*BOUNDS, float("inf")]
    assert [number for _, number in cumulative] == [0, *[2] * (len(BOUNDS) - 1), 3]
