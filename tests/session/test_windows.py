"""The budget of receive windows."""

from orchestra.session.windows import FIRST, SMALLEST, WindowBudget


def test_windows_shrink_with_their_number_and_come_back():
    budget = WindowBudget()
    windows = [budget.take() for _ in range(300)]
    assert windows[0] == FIRST
    assert windows[-1] == SMALLEST
    assert sum(windows) < 128 << 20
    for window in windows:
        budget.give(window)
    assert budget.take() == FIRST
