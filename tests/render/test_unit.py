"""The unit, and that systemd reads words as they were written."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from orchestra.render.unit import MARK, command_line, unit_text

UNIT = unit_text(
    "office", "/home/al ice/100%.yaml", ["/usr/bin/env", "up", "--", "/home/al ice/$X/100%.yaml"], ["/usr/bin/env"]
)


def test_it_says_what_it_is() -> None:
    read = configparser.RawConfigParser()
    read.read_string(UNIT)
    assert UNIT.startswith(MARK)
    assert read["Unit"]["Description"] == "orchestra office (/home/al ice/100%%.yaml)"
    assert (read["Service"]["Type"], read["Service"]["WatchdogSec"]) == ("notify", "30")
    assert read["Service"]["ExecStart"] == '"/usr/bin/env" "up" "--" "/home/al ice/$$X/100%%.yaml"'


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("plain", '"plain"'),
        ("", '""'),
        ('a "b" \\ c', r'"a \"b\" \\ c"'),
        ("%h ${HOME} $X", '"%%h $${HOME} $$X"'),
        ("a\nExecStart=/bin/evil", r'"a\nExecStart=/bin/evil"'),
    ],
)
def test_words_are_taken_as_they_are(word: str, written: str) -> None:
    assert command_line([word]) == written


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "orchestra-office.service"
    path.write_text(UNIT, "utf-8")
    command = ["systemd-analyze", "--user", "--man=no", "verify", str(path)]
    environ = {"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env=environ)
    assert "orchestra-office" not in done.stderr, done.stderr
