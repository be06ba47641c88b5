from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from orchestra.lab.embedded.directory import PREFIX, YOUNG, PrivateDirectory


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def age(folder: Path) -> None:
    before = folder.stat().st_mtime - YOUNG * 2
    os.utime(folder, (before, before))


def test_it_is_private_and_goes(temporary: Path) -> None:
    directory = PrivateDirectory()
    assert directory.path.parent == temporary
    assert directory.path.stat().st_mode & 0o777 == 0o700
    directory.remove()
    directory.remove()
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_swept_up_and_nothing_else(temporary: Path) -> None:
    alive = PrivateDirectory()
    age(alive.path)
    for name in (f"{PREFIX}dead", f"{PREFIX}young", "other"):
        (temporary / name).mkdir()
        (temporary / name / "lock").touch()
    age(temporary / f"{PREFIX}dead")
    age(temporary / "other")
    directory = PrivateDirectory()
    left = {each.name for each in temporary.iterdir()}
    assert left == {alive.path.name, directory.path.name, f"{PREFIX}young", "other"}
    alive.remove()
    directory.remove()
