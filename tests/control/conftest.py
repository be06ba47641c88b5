from pathlib import Path

import pytest

from orchestra.control.paths import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path / "office")
    made.directory.mkdir(mode=0o700)
    return made
