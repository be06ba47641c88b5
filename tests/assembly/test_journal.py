from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from orchestra.assembly import journal as module
from orchestra.assembly.journal import Journal, journal
from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure


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
    monkeypatch.setattr(module, "_FULL", 10)
    for text in ("first", "second"):
        with journal(tmp_path / "office.log") as log:
            log.write(text)
    assert "first" in (tmp_path / "office.log.1").read_text("utf-8")
    assert "first" not in (tmp_path / "office.log").read_text("utf-8")


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
