"""Memory that is kept for the next packets."""

from orchestra.engine.ssh.spaces import Spaces


def test_what_came_back_is_lent_again_and_what_is_away_is_not():
    spaces = Spaces()
    first, second = spaces.take(), spaces.take()
    assert first is not second
    spaces.give(second)
    assert spaces.take() is second
    spaces.give(first)
    assert spaces.take() is first
