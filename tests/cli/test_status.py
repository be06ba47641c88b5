"""``orchestra status``: the whole truth as text or JSON, quickly."""

import json
import resource

from tests.cli.instances import LAB
from tests.cli.terminal import at_terminal


def test_of_what_does_not_run(cli):
    ran = cli("status")
    assert (ran.code, ran.out, ran.err) == (5, "", "no orchestra is running\n")
    assert cli("status", "office").err == "no orchestra named office is running\n"


def test_of_what_is_ready(ready):
    assert "db" in ready("status").out
    document = json.loads(ready("status", "office", "-o", "json").out)
    keys = {"format_version", "topology", "pid", "version", "file", "state", "sessions", "tunnels"}
    assert keys <= document.keys()
    (tunnel,) = document["tunnels"]
    assert {"name", "state", "proven", "listen", "error", "connections", "bytes_in", "bytes_out"} <= tunnel.keys()
    assert (document["state"], tunnel["state"], tunnel["proven"], tunnel["error"]) == ("ready", "ready", True, None)


def test_of_what_cannot_connect(stuck):
    document = json.loads(stuck("status", "-o", "json").out)
    assert document["state"] != "ready"
    (session,) = document["sessions"]
    assert {"code", "host", "message", "since", "attempts", "next_retry"} <= session["error"].keys()
    assert session["error"]["code"] == "CONNECT_REFUSED"
    assert "refused" in stuck("status").out


def test_it_answers_quickly(ready_home):
    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = used()
    assert ready_home.orchestra("status").returncode == 0
    # on an idle machine 0.2 s of a processor; what counts is that nothing heavy is imported
    assert used() - before < 0.8


def test_watched_at_a_terminal_it_is_a_picture_until_it_has_gone(home):
    home.write(LAB)
    assert home.call("up", "-d", "-q", "--lab", "embedded", "office.yaml").returncode == 0
    with at_terminal(home.path, home.environ, "-m", "orchestra", "status", "--watch") as terminal:
        terminal.shows("office · ready")
        terminal.shows("db +ready")
        assert home.call("down", "-q").returncode == 0
        terminal.shows("office is down")
        assert terminal.ends() == 0


def test_watched_by_a_program_it_is_a_line_per_change(home):
    home.write(LAB)
    assert home.call("up", "-d", "-q", "--lab", "embedded", "office.yaml").returncode == 0
    with home.started("status", "-w") as lines, home.started("status", "-w", "-o", "jsonl") as objects:
        assert "tunnel db: ready" in lines.said("orchestra: ready")
        first = json.loads(objects.said('"state": "ready"'))
        assert (first["state"], first["tunnels"][0]["name"]) == ("ready", "db")
        assert home.call("down", "-q").returncode == 0
        assert lines.ends()[0] == 0
        code, rest = objects.ends()
    assert code == 0
    assert all(json.loads(line)["name"] == "office" for line in rest.splitlines())


def test_one_object_in_one_line(ready):
    (line,) = ready("status", "-o", "jsonl").out.splitlines()
    assert json.loads(line)["state"] == "ready"
    assert ready("status", "--watch", "-o", "json").code == 2


def test_of_one_without_a_page(ready):
    ran = ready("status", "--url")
    assert (ran.code, ran.out, "without --http" in ran.err) == (1, "", True)
