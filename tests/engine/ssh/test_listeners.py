"""The windows of what a listener accepts: each is lent, and comes back."""

from types import SimpleNamespace

import pytest

from orchestra.engine.ssh.listeners import Inbound, SshListener
from orchestra.session.windows import FIRST, SMALLEST, TOTAL, WindowBudget


class Listening:
    """Stands where asyncssh's listener stands."""

    def __init__(self):
        self.closes = 0

    def get_port(self):
        return 8080

    def close(self):
        self.closes += 1


def _lent(budget):
    """Bytes of first windows that somebody has."""
    return TOTAL - budget._left


def test_each_channel_gets_the_window_that_asyncssh_has_fixed_and_the_next_one_another():
    budget, listening = WindowBudget(), SimpleNamespace()
    inbound = Inbound(budget)
    inbound.listener, first = listening, inbound.window
    assert inbound.next() == first == FIRST
    assert listening._window == inbound.window == FIRST
    taken = iter(budget.take, SMALLEST)
    assert max(taken) == FIRST  # until there are many channels
    assert inbound.next() == FIRST
    assert listening._window == inbound.window == SMALLEST


def test_the_window_of_a_channel_that_never_came_is_given_back_once():
    budget = WindowBudget()
    inbound = Inbound(budget)
    assert _lent(budget) == FIRST
    inbound.close()
    inbound.close()
    assert _lent(budget) == 0


def test_a_channel_that_comes_after_the_end_gets_one_of_its_own():
    budget = WindowBudget()
    inbound = Inbound(budget)
    inbound.close()
    assert inbound.next() == FIRST
    assert _lent(budget) == FIRST


@pytest.mark.parametrize("widened", [None, "overridden"])
def test_a_listener_is_closed_once_and_knows_what_the_server_said(widened):
    budget, listening = WindowBudget(), Listening()
    listener = SshListener(listening, Inbound(budget), widened)
    assert (listener.port, listener.widened) == (8080, widened)
    listener.close()
    listener.close()
    assert (listening.closes, _lent(budget)) == (1, 0)
