"""Receive windows: what all channels begin with, and what one becomes."""

from dataclasses import replace

import pytest

from orchestra.session.windows import (
    FIRST,
    GROWTH,
    LARGEST,
    SMALLEST,
    ReceiveWindow,
    ShortestTrip,
    Used,
    WindowBudget,
    next_window,
)

PIECE = 32 * 1024
TRIP = 0.1
USED = Used(window=4 * FIRST, first=FIRST, seconds=TRIP, shortest=TRIP, spare=GROWTH)


class Link:
    """A sender ``TRIP`` seconds away that sends whatever it may, and its clock."""

    def __init__(self, budget=None):
        self.now = 0.0
        self.budget = budget or WindowBudget()
        self.window = ReceiveWindow(FIRST, self.budget, ShortestTrip(), lambda: self.now)
        self.on_the_way = [(0.0, FIRST)]
        """When what it may send comes, and how much that is."""
        self.grants = 0

    def pass_one_trip(self, slowly=0.0):
        """All comes that was granted a round trip ago; each piece takes whoever reads so many seconds."""
        due, self.on_the_way = self.on_the_way, []
        for when, size in due:
            self.now = max(self.now, when)
            for _ in range(size // PIECE):
                if slowly:
                    self.window.pause()
                    self.now += slowly
                    self.window.resume()
                if more := self.window.take(PIECE):
                    self.grants += 1
                    self.on_the_way.append((self.now + TRIP, more))


def test_windows_shrink_with_their_number_and_come_back():
    budget = WindowBudget()
    windows = [budget.take() for _ in range(300)]
    assert windows[0] == FIRST
    assert windows[-1] == SMALLEST
    assert sum(windows) < 128 << 20
    for window in windows:
        budget.give(window)
    assert budget.take() == FIRST


@pytest.mark.parametrize(
    ("used", "window"),
    [
        (USED, 8 * FIRST),  # the sender waited
        (replace(USED, seconds=2 * TRIP), 4 * FIRST),  # it need not wait, and has as much to spare
        (replace(USED, seconds=4 * TRIP), 2 * FIRST),
        (replace(USED, seconds=3600), FIRST),  # nothing came for long
        (replace(USED, window=LARGEST), LARGEST),
        (replace(USED, spare=0), FIRST + 2 * FIRST),  # the others need it
        (replace(USED, window=FIRST, spare=-PIECE), FIRST),
    ],
)
def test_a_window_becomes_twice_what_comes_in_a_round_trip(used, window):
    assert next_window(used) == window


def test_a_window_doubles_each_round_trip_while_it_is_used_up_and_is_told_four_times_in_each():
    link, sizes = Link(), []
    for _ in range(12):
        link.pass_one_trip()
        sizes.append(link.window.size)
    assert sizes[-1] == LARGEST
    assert sorted(sizes) == sizes
    assert link.grants <= 5 * 12
    assert link.budget.spare == GROWTH - (LARGEST - FIRST)
    link.window.close()
    assert link.budget.spare == GROWTH


def test_a_window_shrinks_when_less_comes_and_gives_back_what_it_has_no_more():
    link = Link()
    for _ in range(12):
        link.pass_one_trip()
    for _ in range(3):
        link.now += 60
        link.pass_one_trip()
    assert link.window.size == FIRST
    assert link.budget.spare == GROWTH


def test_a_window_does_not_grow_for_who_reads_slowly():
    link = Link()
    for _ in range(30):
        link.pass_one_trip(slowly=0.01)
    assert link.window.size == FIRST


def test_what_may_come_is_never_more_than_the_window():
    link = Link()
    for _ in range(12):
        link.pass_one_trip()
        assert sum(size for _, size in link.on_the_way) <= LARGEST
        assert link.window.size >= FIRST


def test_channels_that_need_it_all_have_as_much_as_each_other():
    budget = WindowBudget()
    early, late = Link(budget), Link(budget)
    for _ in range(12):
        early.pass_one_trip()
    for _ in range(20):
        early.pass_one_trip()
        late.pass_one_trip()
    assert budget.spare >= 0
    assert 0.8 < early.window.size / late.window.size < 1.25


@pytest.mark.parametrize("rate", [100_000, 1_000_000, 10_000_000])
def test_a_link_that_is_full_is_not_taken_for_a_longer_one(rate):
    """What is beyond the way's own bandwidth-delay product only waits in it, in front of the others' data."""
    link, full_until = Link(), 0.0
    while link.now < 60:
        due, link.on_the_way = link.on_the_way, []
        for when, size in due:
            for start in range(0, size, PIECE):
                piece = min(PIECE, size - start)
                link.now = full_until = max(full_until, when) + piece / rate
                if more := link.window.take(piece):
                    link.on_the_way.append((link.now + TRIP, more))
    assert link.window.size <= 2.5 * max(FIRST, rate * TRIP)
