"""The transport as a plugin, and the budget of receive windows."""

import subprocess
import sys

from orchestra.engine.ssh.plugin import orchestra_transports
from orchestra.engine.ssh.transport import LARGEST_WINDOW, SMALLEST_WINDOW, WindowBudget


def test_it_is_found_by_hook():
    (transport,) = orchestra_transports()
    assert transport.spec.name == "ssh"


def test_offering_it_does_not_load_asyncssh():
    code = "import sys, orchestra.engine.ssh.plugin as p; p.orchestra_transports(); print('asyncssh' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_windows_shrink_with_their_number_and_come_back():
    budget = WindowBudget()
    windows = [budget.take() for _ in range(300)]
    assert windows[0] == LARGEST_WINDOW
    assert windows[-1] == SMALLEST_WINDOW
    assert sum(windows) < 128 << 20
    for window in windows:
        budget.give(window)
    assert budget.take() == LARGEST_WINDOW
