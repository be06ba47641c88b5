"""``orchestra remove``: one tunnel less, while the others go on."""

from __future__ import annotations

from tests.cli.instances import tunnels


def test_a_tunnel_of_the_file_that_is_removed_comes_back_with_the_next_reload(changing):
    wrong = changing("remove", "nothing")
    assert (wrong.code, wrong.out) == (2, "")
    assert "no tunnel named nothing runs: there are db" in wrong.err
    assert "2 to remove" in changing("remove", "db", "--dry-run").out
    assert set(tunnels(changing)) == {"db"}
    assert changing("remove", "db").code == 0
    assert tunnels(changing) == {}
    assert "+ tunnel  db" in changing("reload").out
    assert set(tunnels(changing)) == {"db"}
