"""``orchestra reload``: shown, applied, or refused with the reason; and ``up`` of what runs already."""

from __future__ import annotations

import json
import signal

from tests.cli.instances import ONE, TWO, UNREACHABLE, UP, tunnels, until


def test_what_differs_is_shown_and_applied_and_the_rest_stays(changing_home, changing):
    before, log = tunnels(changing), changing("logs").out
    changing_home.write(TWO)
    done = changing("reload")
    assert done.code == 0, done.err
    assert "+ tunnel  web" in done.out
    assert "= session bastion, tunnel db" in done.out
    assert "1 to add; 2 kept" in done.out
    after = tunnels(changing)
    assert after["db"] == before["db"]
    assert set(after) == {"db", "web"}
    assert "orchestra: reloaded, 1 added, 2 kept: + tunnel web" in changing("logs").out.removeprefix(log)
    changing_home.write(ONE)
    assert changing("reload", "office").code == 0
    assert tunnels(changing) == before


def test_without_a_difference_or_a_file_nothing_is_done(changing_home, changing):
    log = changing("logs").out
    done = changing("reload", "office.yaml")
    assert (done.code, "nothing changes; 2 kept" in done.out) == (0, True)
    assert changing("logs").out == log
    (changing_home.path / "office.yaml").unlink()
    done = changing("reload")
    assert done.code == 2
    assert "NO_SUCH_FILE" in done.err
    assert set(tunnels(changing)) == {"db"}


def test_a_dry_run_changes_nothing_and_both_are_there_as_json(changing_home, changing):
    changing_home.write(TWO)
    assert "1 to add" in changing("reload", "--dry-run").out
    assert set(tunnels(changing)) == {"db"}
    document = json.loads(changing("reload", "-o", "json").out)
    assert document["format_version"] == 1
    assert [(c["what"], c["name"], c["action"]) for c in document["changes"]] == [
        ("session", "bastion", "keep"),
        ("tunnel", "db", "keep"),
        ("tunnel", "web", "add"),
    ]


WRONG = (
    ("targets: [", 2, "YAML_SYNTAX"),
    (ONE.replace("servers", "severs"), 2, "UNKNOWN_KEY"),
    (UNREACHABLE, 3, "--partial opens"),
    ("name: other\n" + ONE, 2, "error: the file is named other now, and office runs"),
    (ONE.replace("web.internal", "www.internal"), 2, "the lab runs"),
)
UNCHANGED = "office goes on as it was; nothing was changed\n"


def test_what_is_wrong_changes_nothing_and_says_what_validate_says(changing_home, changing):
    before = tunnels(changing)
    for text, code, said in WRONG:
        changing_home.write(text)
        done = changing("reload")
        assert (done.code, done.out) == (code, "")
        assert said in done.err
        if "error[" in done.err and code == 2:
            folder = f"{changing_home.path}/"  # each names the file as from where it runs
            alone = changing("validate", f"{folder}office.yaml").err
            assert done.err.removesuffix(UNCHANGED).replace(folder, "") == alone.replace(folder, "")
        assert done.err.endswith(UNCHANGED)
        assert tunnels(changing) == before
    assert changing("status").out.startswith("office · ready")


def test_up_of_what_runs_already_applies_the_difference(changing_home, changing):
    pid = changing_home.pid()
    changing_home.write(TWO)
    done = changing(*UP)
    assert done.code == 0, done.err
    assert "office runs already; what differs is applied" in done.err
    assert "office has been changed" in done.err
    assert set(tunnels(changing)) == {"db", "web"}
    assert changing_home.pid() == pid


def test_up_with_other_options_is_remembered_by_later_reloads(changing_home, changing):
    changing_home.write(TWO)
    assert changing("up", "--lab", "embedded", "-t", "web", "office.yaml").code == 0
    assert set(tunnels(changing)) == {"web"}
    assert "nothing changes" in changing("reload").out


def test_options_that_only_a_beginning_has_are_named(changing_home, changing):
    done = changing("up", "--lab", "embedded", "--http", "127.0.0.1:0", "--log-format", "json", "office.yaml")
    assert (done.code, "--http and --log-format: only where it begins" in done.err) == (0, True)
    assert json.loads(changing("status", "-o", "json").out)["http"] is None


def test_up_of_another_file_by_that_name_is_refused(changing_home, changing):
    changing_home.write(ONE, "other.yaml")
    done = changing("up", "--lab", "embedded", "--name", "office", "other.yaml")
    assert done.code == 1
    assert "ALREADY_RUNNING" in done.err


def test_a_signal_reloads_what_stays_in_the_foreground(home, cli):
    home.write(ONE)
    with home.started(*UP) as up:
        up.said("orchestra: ready")
        home.write(TWO)
        up.process.send_signal(signal.SIGHUP)
        up.said("tunnel web: ready")
        home.write("targets: [")
        up.process.send_signal(signal.SIGHUP)
        up.said("not reloaded")
        assert set(tunnels(cli)) == {"db", "web"}
        assert up.ends(signal.SIGTERM)[0] == 0
    until(lambda: home.places == [])
