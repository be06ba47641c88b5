"""The budget of receive windows."""

from orchestra.engine.ssh.transport import LARGEST_WINDOW, SMALLEST_WINDOW, WindowBudget


def test_windows_shrink_with_their_number_and_come_back():
    budget = WindowBudget()
    windows = [budget.take() for _ in range(300)]
    assert windows[0] == LARGEST_WINDOW
    assert windows[-1] == SMALLEST_WINDOW
    assert sum(windows) < 128 << 20
    for window in windows:
        budget.give(window)
    assert budget.take() == LARGEST_WINDOW
