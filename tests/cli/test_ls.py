"""``orchestra ls``: what runs."""

import json


def test_nothing_runs(cli):
    ran = cli("ls")
    assert (ran.code, ran.out, ran.err) == (0, "", "no orchestra is running\n")
    assert json.loads(cli("ls", "-o", "json").out) == {"format_version": 1, "orchestras": []}
    assert cli("ls", "-q").err == ""


def test_a_line_for_each_with_its_file(ready, ready_home):
    (line,) = ready("ls").out.splitlines()
    assert line.split() == ["office", "ready", "pid", str(ready_home.pid()), str(ready_home.path / "office.yaml")]
    (entry,) = json.loads(ready("ls", "-o", "json").out)["orchestras"]
    assert (entry["name"], entry["state"], entry["pid"]) == ("office", "ready", ready_home.pid())
