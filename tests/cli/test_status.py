"""``orchestra status``: the whole truth as text or JSON, quickly."""

import json
import resource


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
