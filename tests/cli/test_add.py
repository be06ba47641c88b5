"""``orchestra add``: one tunnel more, while the others go on."""

from __future__ import annotations

import json
import subprocess
import sys

from orchestra.cli.add import Wanted
from tests.cli.instances import ONE, UP, tunnels


def test_a_tunnel_is_added_kept_through_reloads_and_removed(changing):
    done = changing("add", "wiki", "--to", "web", "--listen", "auto")
    assert done.code == 0, done.err
    assert "+ tunnel  wiki" in done.out
    assert set(tunnels(changing)) == {"db", "wiki"}
    assert "nothing changes" in changing("reload").out
    assert "was added while it runs, and is in no file" in changing("status").out
    done = changing("remove", "wiki")
    assert (done.code, "- tunnel  wiki" in done.out) == (0, True)
    assert set(tunnels(changing)) == {"db"}
    assert "nothing changes" in changing("reload").out


def test_what_it_leads_to_is_by_default_the_target_of_its_name(changing):
    assert changing("add", "web", "--listen", "auto").code == 0
    assert set(tunnels(changing)) == {"db", "web"}


def test_a_target_without_a_tunnel_section_keeps_the_tunnel_that_it_has_without_being_asked(home, cli):
    home.write(ONE.replace("tunnels: {db: {listen: auto}}\n", "").replace("5432", "25432").replace("8080", "28080"))
    assert cli("up", "-d", "-q", *UP[1:]).code == 0
    assert cli("add", "more", "--to", "db", "--listen", "auto").code == 0
    assert set(tunnels(cli)) == {"db", "web", "more"}


WRONG = (
    (("add", "db", "--to", "web"), 2, "a tunnel named db runs already"),
    (("add", "x", "--to", "nowhere", "--listen", "auto"), 2, "UNKNOWN_NAME"),
    (("add", "x", "--to", "web", "--listen", "what:ever:1"), 2, "BAD_ADDRESS"),
    (("add", "x", "--to", "web", "--name", "nobody"), 1, "no orchestra named nobody"),
)


def test_what_cannot_be_meant_changes_nothing(changing):
    before = tunnels(changing)
    for arguments, code, said in WRONG:
        done = changing(*arguments)
        assert (done.code, done.out) == (code, "")
        assert said in done.err
    assert tunnels(changing) == before


def test_any_key_comes_from_standard_input(changing_home, changing):
    done = subprocess.run(
        [sys.executable, "-m", "orchestra", "add", "piped", "--stdin"],
        input="to: web\nlisten: auto\nhold: 7s\n",
        cwd=changing_home.path,
        env=changing_home.environ,
        capture_output=True,
        text=True,
        timeout=45,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert set(tunnels(changing)) == {"db", "piped"}


def test_keys_are_as_a_file_has_them():
    assert Wanted(to="web", from_="here", via=["a", "b"]).keys() == {"to": "web", "from": "here", "via": ["a", "b"]}
    assert json.dumps(Wanted().keys()) == "{}"
