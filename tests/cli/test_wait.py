"""``orchestra wait``: until it is ready, until it has gone, or until the time is up."""

from pathlib import Path

import pytest

from tests.cli.instances import refusing, until


def test_nothing_runs(cli):
    ran = cli("wait")
    assert (ran.code, "no orchestra is running" in ran.err) == (1, True)
    assert cli("wait", "--for", "closed").code == 0


def test_what_is_ready_is_not_waited_for(ready):
    assert ready("wait").code == 0
    waited = ready("wait", "--for", "closed", "--timeout", "100ms")
    assert (waited.code, "still not closed after 100ms" in waited.err) == (124, True)


def test_a_timeout_says_what_is_waited_for(stuck):
    waited = stuck("wait", "--timeout", "200ms")
    assert waited.code == 124
    assert "office is not ready after 0.2 s" in waited.err
    assert "refused" in waited.err


def test_it_ends_when_it_is_taken_down(home, cli, closed):
    home.write(refusing(closed))
    with home.started("up", "office.yaml") as up:
        up.said("CONNECT_REFUSED")
        with home.started("wait", "--timeout", "0") as waiting:
            until(lambda: connections(home.place().socket) > 0)
            assert cli("down").code == 0
            code, said = waiting.ends()
    assert (code, "was taken down before it was ready" in said) == (1, True)


def connections(path):
    """How many are connected to a Unix socket's listener."""
    lines = Path("/proc/net/unix").read_text("utf-8").splitlines()
    return sum(line.endswith(f" {path}") and line.split()[5] == "03" for line in lines)


@pytest.mark.parametrize("command", ["wait", "down"])
def test_a_duration_that_is_none_is_refused(cli, command):
    ran = cli(command, "--timeout", "soon")
    assert (ran.code, "is not a duration" in ran.err) == (2, True)
