"""``orchestra remove``: one tunnel less, while the others go on."""

from __future__ import annotations

from tests.cli.test_reload import ONE, UP, tunnels


def test_a_tunnel_of_the_file_that_is_removed_comes_back_with_the_next_reload(home, cli):
    home.write(ONE)
    assert cli(*UP).code == 0
    wrong = cli("remove", "nothing")
    assert (wrong.code, wrong.out) == (2, "")
    assert "no tunnel named nothing runs: there are db" in wrong.err
    assert "2 to remove" in cli("remove", "db", "--dry-run").out
    assert set(tunnels(cli)) == {"db"}
    assert cli("remove", "db").code == 0
    assert tunnels(cli) == {}
    assert "+ tunnel  db" in cli("reload").out
    assert set(tunnels(cli)) == {"db"}
