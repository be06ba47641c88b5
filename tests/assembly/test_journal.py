from __future__ import annotations

import json
import logging
import os
import re
from pathlib import Path

import pytest

from orchestra.assembly import journal as module
from orchestra.assembly.journal import KEPT, Complaints, Journal, journal, segments, tail
from orchestra.assembly.log_format import LogFormat
from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.model.events import ConnectionFailed, Event, Noticed, SessionChanged, TunnelChanged
from orchestra.model.status import ErrorStatus


def test_every_line_has_its_time_and_is_there_at_once(tmp_path: Path) -> None:
    path = tmp_path / "state" / "office.log"
    with journal(path) as log:
        log.write("one\ntwo")
        lines = path.read_text("utf-8").splitlines()
    assert [re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (\w+)", line)[1] for line in lines] == ["one", "two"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_later_one_appends(tmp_path: Path) -> None:
    for text in ("one", "two"):
        with journal(tmp_path / "office.log") as log:
            log.write(text)
    assert len((tmp_path / "office.log").read_text("utf-8").splitlines()) == 2


def test_a_log_that_has_grown_long_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FULL", 10)
    for text in ("first", "second"):
        with journal(tmp_path / "office.log") as log:
            log.write(text)
    assert "first" in (tmp_path / "office.log.1").read_text("utf-8")
    assert "first" not in (tmp_path / "office.log").read_text("utf-8")


def test_it_is_bounded_while_it_runs_and_no_line_is_lost_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FULL", 300)
    path = tmp_path / "office.log"
    with journal(path) as log:
        for number in range(100):
            log.write(f"line {number}")
    files = segments(path)
    assert [file.name for file in files] == [*(f"office.log.{n}" for n in range(KEPT, 0, -1)), "office.log"]
    assert all(file.stat().st_size < 400 and file.stat().st_mode & 0o777 == 0o600 for file in files)
    numbers = [int(line.rpartition(" ")[2]) for file in files for line in file.read_text("utf-8").splitlines()]
    assert numbers == list(range(numbers[0], 100))


def test_what_else_leads_to_it_follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FULL", 50)
    path = tmp_path / "office.log"
    with journal(path) as log, path.open("ab", buffering=0) as standard_error:
        log.adopt(standard_error.fileno())
        log.write("x" * 50)
        log.write("x" * 50)
        standard_error.write(b"a traceback\n")
        assert path.read_bytes().endswith(b"a traceback\n")
        assert len(segments(path)) == 2


def test_where_it_cannot_be_set_aside_it_is_still_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FULL", 300)
    path = tmp_path / "office.log"

    def refuse(_: Path) -> None:
        raise PermissionError

    with journal(path) as log:
        monkeypatch.setattr(module, "_set_aside", refuse)
        for number in range(100):
            log.write(f"line {number}")
    assert segments(path) == [path]
    assert path.stat().st_size < 400
    assert path.read_text("utf-8").endswith("line 99\n")


LATER = ErrorStatus(code="SESSION_LOST", host="gateway", message="lost\x1b[2J\u202e", since=1.0, next_retry=2.0)


@pytest.mark.parametrize(
    ("event", "level"),
    [
        (SessionChanged(id="gateway", server="gateway", state="retrying", error=LATER), "warning"),
        (TunnelChanged(name="desk", state="ready", proven=True, listen=("127.0.0.1:1",)), "info"),
        (TunnelChanged(name="desk", state="failed", proven=False), "error"),
        (ConnectionFailed(tunnel="desk", peer="127.0.0.1:5", code="DIAL_FAILED", message="no"), "warning"),
        (Noticed(host="gateway", message="hello", level="warning"), "warning"),
    ],
)
def test_as_json_every_event_is_an_object_with_its_level(tmp_path: Path, event: Event, level: str) -> None:
    path = tmp_path / "office.log"
    with journal(path, LogFormat.JSON) as log:
        log.event(event, "a line")
    document = json.loads(path.read_text("ascii"))
    assert (document["level"], document["message"] in ("a line", "no", "hello")) == (level, True)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", document["time"])
    assert document["type"] in ("session", "tunnel", "connection_failed", "notice")


def test_what_peers_said_is_cleaned_in_every_field(tmp_path: Path) -> None:
    path = tmp_path / "office.log"
    with journal(path, LogFormat.JSON) as log:
        log.event(SessionChanged(id="gateway", server="gateway", state="failed", error=LATER), "x")
        log.write("starts")
    first, second = map(json.loads, path.read_text("ascii").splitlines())
    assert first["error"]["message"] == "lost·[2J·"
    assert second | {"time": ""} == {"time": "", "level": "info", "message": "starts"}


def test_complaints_of_our_own_code_are_lines_too(tmp_path: Path) -> None:
    with journal(tmp_path / "office.log") as log:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "it broke: %s", ("\x1b[2J",), None)
        Complaints(log, logging.ERROR).handle(record)
    assert (tmp_path / "office.log").read_text("utf-8").endswith(" ! it broke: ·[2J\n")


def test_the_end_of_a_log_begins_with_a_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "office.log"
    assert tail(path) == ""
    path.write_text("first\nsecond\nthird\n")
    assert tail(path) == "first\nsecond\nthird\n"
    assert tail(path, 10) == "third\n"


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RuntimeFailure) as caught, journal(tmp_path / "file" / "office.log"):
        raise AssertionError
    assert caught.value.code is Code.STATE_UNWRITABLE


def test_what_leads_elsewhere_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / "office.log").symlink_to(tmp_path / "precious")
    (tmp_path / "linked").symlink_to(tmp_path / "state")
    for path in (tmp_path / "state" / "office.log", tmp_path / "linked" / "other.log"):
        with pytest.raises(RuntimeFailure, match="it is a symbolic link") as caught, journal(path):
            raise AssertionError
        assert caught.value.code is Code.STATE_UNWRITABLE
    assert sorted(path.name for path in tmp_path.iterdir()) == ["linked", "state"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
def test_a_full_disk_stops_nothing_and_is_told_when_there_is_room_again(tmp_path: Path) -> None:
    full, room = os.open("/dev/full", os.O_WRONLY), os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    try:
        log = Journal(tmp_path / "log", full)
        log.write("lost")
        os.dup2(room, full)
        log.write("one")
        log.write("two")
    finally:
        os.close(full)
        os.close(room)
    lines = (tmp_path / "log").read_text("utf-8").splitlines()
    assert [line.partition(" ")[2] for line in lines] == [
        "",
        "… lines were lost: the log could not be written",
        "one",
        "two",
    ]
