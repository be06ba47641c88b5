"""``orchestra events``: what is true now, then what happens, and how it ends."""

from __future__ import annotations

import json
import re
import shutil
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Ran
from tests.cli.instances import LAB, Home, kill


@pytest.fixture
def office(home: Home, cli: Callable[..., Ran]) -> Home:
    """Where an orchestra named office runs, which may be ended."""
    home.write(LAB)
    assert cli("up", "-d", "-q", "--lab", "embedded", "office.yaml").code == 0
    return home


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_nothing_runs(cli: Callable[..., Ran]) -> None:
    ran = cli("events")
    assert (ran.code, ran.out, "no orchestra is running" in ran.err) == (1, "", True)


def test_a_snapshot_then_what_happens_until_it_has_gone(office: Home, cli: Callable[..., Ran]) -> None:
    with office.started("events", "-o", "jsonl") as events:
        before = objects(events.said('"state": "ready"'))
        if before[-1]["type"] != "state":
            before += objects(events.said('"type": "state"'))
        assert cli("down", "-q").code == 0
        code, rest = events.ends()
    after = objects(rest)
    assert code == 0
    assert {told["snapshot"] for told in before} == {True}
    assert [told["type"] for told in before] == ["session", "tunnel", "state"]
    assert (before[1]["name"], before[1]["proven"], before[1]["listen"][0].partition(":")[0]) == (
        "db",
        True,
        "127.0.0.1",
    )
    assert {told["snapshot"] for told in after} == {False}
    assert after[-1] | {"time": 0} == {"time": 0, "snapshot": False, "type": "closed"}
    times = [told["time"] for told in before + after]
    assert times == sorted(times)


def test_lines_for_people_have_the_time_first(office: Home, cli: Callable[..., Ran]) -> None:
    with office.started("events", "office") as events:
        said = events.said("orchestra: ready")
        assert cli("down", "-q").code == 0
        code, rest = events.ends()
    lines = (said + rest).splitlines()
    assert code == 0
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z . (session|tunnel|orchestra)", line) for line in lines)
    assert "tunnel db: ready at 127.0.0.1:" in said
    assert lines[-1].endswith("orchestra: closed")


def test_one_that_is_killed_did_not_end(office: Home) -> None:
    with office.started("events") as events:
        events.said("orchestra: ready")
        kill(office.pid())
        code, rest = events.ends()
    assert (code, "the events of office broke off" in rest) == (1, True)
    shutil.rmtree(office.place().directory)


def test_interrupted(ready_home: Home) -> None:
    with ready_home.started("events") as events:
        events.said("orchestra: ready")
        assert events.ends(signal.SIGINT)[0] == 130


@pytest.mark.parametrize("command", [("events",), ("status", "--watch", "-o", "jsonl"), ("logs", "-f")])
def test_who_waits_for_more_ends_with_its_reader(
    ready_home: Home, ready: Callable[..., Ran], command: tuple[str, ...]
) -> None:
    """Also while nothing comes."""
    with ready_home.started(*command) as waiting:
        waiting.said("db")
        assert waiting.process.stdout is not None
        waiting.process.stdout.close()
        assert waiting.process.wait(20) == 1
    assert ready("status").code == 0
