"""``orchestra logs``: of what runs, of what ran, and on until it ends."""

from tests.cli.instances import LAB


def test_nothing_runs_and_nothing_ran(cli):
    assert (cli("logs").code, cli("logs", "office").code) == (1, 1)
    assert cli("logs", "../office").code == 1


def test_what_runs_has_said(ready):
    lines = ready("logs").out.splitlines()
    assert " office starts, pid " in lines[0]
    assert any("tunnel db: ready" in line for line in lines)
    assert ready("logs", "office").out.splitlines() == lines


def test_it_is_followed_to_its_end_and_can_be_read_after_it(home, cli):
    home.write(LAB)
    assert cli("up", "-d", "-q", "--lab", "embedded", "office.yaml").code == 0
    with home.started("logs", "-f") as following:
        following.said("tunnel db: ready")
        assert cli("down").code == 0
        code, rest = following.ends()
    assert (code, rest.endswith("office has ended\n")) == (0, True)
    assert cli("logs", "office").out.endswith("office has ended\n")
    (home.path / "state" / "orchestra" / "office.log").unlink()
    assert cli("logs", "office").code == 1
