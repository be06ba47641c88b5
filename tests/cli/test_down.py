"""``orchestra down``: takes it down, waits, and says what has gone."""

import json

from tests.cli.instances import LAB, is_alive, kill


def test_nothing_to_take_down_is_no_error(cli):
    for arguments in ((), ("--all",), ("office",)):
        ran = cli("down", *arguments)
        assert (ran.code, ran.out) == (0, "")
    assert "no orchestra named office is running" in ran.err


def test_of_several_one_must_be_named_or_all(home, cli):
    home.write(LAB)
    up = ("up", "-d", "-q", "--lab", "embedded", "office.yaml", "--name")
    assert (cli(*up, "a").code, cli(*up, "b").code) == (0, 0)
    pids = home.pid("a"), home.pid("b")
    listed = json.loads(cli("ls", "-o", "json").out)["orchestras"]
    assert [entry["name"] for entry in listed] == ["a", "b"]
    ambiguous = cli("down")
    assert (ambiguous.code, "a, b" in ambiguous.err) == (2, True)
    assert "a, b" in cli("down", "office.yaml").err
    assert (cli("down", "a").err, home.places) == ("a is down\n", ["b"])
    assert (cli("down", "--all").err, home.places) == ("b is down\n", [])
    assert not any(map(is_alive, pids))


def test_with_all_goes_what_one_left_that_was_killed(home, cli):
    home.write(LAB)
    assert cli("up", "-d", "-q", "--lab", "embedded", "office.yaml").code == 0
    kill(home.pid())
    assert home.places == ["office"]
    assert (cli("down", "--all").code, home.places) == (0, [])


def test_one_that_is_only_just_coming_up_goes_too(home, cli, closed):
    home.write(LAB)
    with home.started("up", "--lab", "embedded", "office.yaml") as up:
        while not home.place().info.exists():
            assert up.process.poll() is None
        assert cli("down").code == 0
        code, said = up.ends()
    assert (code in (130, 143), "Traceback" in said, home.places) == (True, False, [])
