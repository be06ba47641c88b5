"""The file that is read when none is named."""

from __future__ import annotations

from pathlib import Path

from orchestra.loading import find_file


def test_find_file_looks_upwards(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "orchestra.yaml").touch()
    assert find_file(below) == tmp_path / "orchestra.yaml"
    (below / "orchestra.yml").touch()
    assert find_file(below) == below / "orchestra.yml"
