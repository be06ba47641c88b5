"""``orchestra reload``: shown, applied, or refused with the reason; and ``up`` of what runs already."""

from __future__ import annotations

import json
import signal

import pytest

from tests.cli.instances import UNREACHABLE, until

ONE = """\
servers: {bastion: ci@bastion.example.com}
targets: {db: "db.internal:5432", web: "web.internal:8080"}
tunnels: {db: {listen: auto}}
"""
TWO = ONE.replace("tunnels: {db: {listen: auto}}", "tunnels: {db: {listen: auto}, web: {listen: auto}}")
UP = ("up", "-d", "-q", "--lab", "embedded", "office.yaml")


@pytest.fixture
def up(home, cli):
    """It runs, with one tunnel."""
    home.write(ONE)
    done = cli(*UP)
    assert done.code == 0, done.err
    return cli


def tunnels(cli):
    return {each["name"]: each["listen"] for each in json.loads(cli("status", "-o", "json").out)["tunnels"]}


def test_what_differs_is_shown_and_applied_and_the_rest_stays(home, up):
    before = tunnels(up)
    home.write(TWO)
    done = up("reload")
    assert done.code == 0, done.err
    assert "+ tunnel  web" in done.out
    assert "= session bastion, tunnel db" in done.out
    assert "1 to add; 2 kept" in done.out
    after = tunnels(up)
    assert after["db"] == before["db"]
    assert set(after) == {"db", "web"}
    assert "orchestra: reloaded, 1 added, 2 kept: + tunnel web" in up("logs").out
    home.write(ONE)
    assert up("reload", "office").code == 0
    assert tunnels(up) == before


def test_without_a_difference_or_a_file_nothing_is_done(home, up):
    done = up("reload", "office.yaml")
    assert (done.code, "nothing changes; 2 kept" in done.out) == (0, True)
    assert "reloaded" not in up("logs").out
    (home.path / "office.yaml").unlink()
    done = up("reload")
    assert done.code == 2
    assert "NO_SUCH_FILE" in done.err
    assert set(tunnels(up)) == {"db"}


def test_a_dry_run_changes_nothing_and_both_are_there_as_json(home, up):
    home.write(TWO)
    assert "1 to add" in up("reload", "--dry-run").out
    assert set(tunnels(up)) == {"db"}
    document = json.loads(up("reload", "-o", "json").out)
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


def test_what_is_wrong_changes_nothing_and_says_what_validate_says(home, up):
    before = tunnels(up)
    for text, code, said in WRONG:
        home.write(text)
        done = up("reload")
        assert (done.code, done.out) == (code, "")
        assert said in done.err
        if "error[" in done.err and code == 2:
            assert done.err.removesuffix(UNCHANGED) == up("validate", "office.yaml").err
        assert done.err.endswith(UNCHANGED)
        assert tunnels(up) == before
    assert up("status").out.startswith("office · ready")


def test_up_of_what_runs_already_applies_the_difference(home, up):
    pid = home.pid()
    home.write(TWO)
    done = up(*UP[:2], *UP[3:])
    assert done.code == 0, done.err
    assert "office runs already; what differs is applied" in done.err
    assert "office has been changed" in done.err
    assert set(tunnels(up)) == {"db", "web"}
    assert home.pid() == pid


def test_up_with_other_options_is_remembered_by_later_reloads(home, up):
    home.write(TWO)
    assert up("up", "--lab", "embedded", "-t", "web", "office.yaml").code == 0
    assert set(tunnels(up)) == {"web"}
    assert "nothing changes" in up("reload").out


def test_options_that_only_a_beginning_has_are_named(home, up):
    done = up("up", "--lab", "embedded", "--http", "127.0.0.1:0", "--log-format", "json", "office.yaml")
    assert (done.code, "--http and --log-format: only where it begins" in done.err) == (0, True)
    assert json.loads(up("status", "-o", "json").out)["http"] is None


def test_up_of_another_file_by_that_name_is_refused(home, up):
    home.write(ONE, "other.yaml")
    done = up("up", "--lab", "embedded", "--name", "office", "other.yaml")
    assert done.code == 1
    assert "ALREADY_RUNNING" in done.err


def test_a_signal_reloads_what_stays_in_the_foreground(home, cli):
    home.write(ONE)
    with home.started(*UP[:1], *UP[3:]) as up:
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
