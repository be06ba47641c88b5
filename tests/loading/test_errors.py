"""Files with mistakes, and what is said of each: ``errors/NAME.yaml`` and, line by line, ``errors/NAME.txt``.

``python -m tests.loading.test_errors`` writes the expectations anew; read the difference before you commit it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestra.diagnostics import Code
from orchestra.loading import load
from tests.loading.words import VOCABULARY

FOLDER = Path(__file__).parent / "errors"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def findings(name: str) -> list[str]:
    """``CODE:LINE:COLUMN key.path`` of each diagnostic, in the order of the file."""
    file = FOLDER / f"{name}.yaml"
    loaded = load([str(file)], environ={"HOME": "/home/u"}, vocabulary=VOCABULARY)
    assert loaded.topology is None
    found = []
    for diagnostic in loaded.diagnostics:
        assert diagnostic.place is not None
        other = "" if diagnostic.place.file == str(file) else f" in {Path(diagnostic.place.file).name}"
        where = f"{diagnostic.place.line}:{diagnostic.place.column}"
        found.append(f"{diagnostic.code}:{where} {diagnostic.path or '-'}{other}")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_mistake_is_said_where_it_stands(name: str) -> None:
    expected = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert findings(name) == expected


def test_all_at_once() -> None:
    codes = {Code(line.partition(":")[0]) for line in findings("everything")}
    assert codes >= {
        Code.ADDRESS_OUTSIDE_NETWORK,
        Code.BAD_ADDRESS,
        Code.BAD_CIDR,
        Code.BAD_TYPE,
        Code.BAD_VALUE,
        Code.DUPLICATE_ADDRESS,
        Code.DUPLICATE_KEY,
        Code.DUPLICATE_NAME,
        Code.DUPLICATE_VARIABLE,
        Code.MISSING_KEY,
        Code.REQUIREMENT_UNMET,
        Code.UNKNOWN_KEY,
        Code.UNKNOWN_NAME,
        Code.UNSET_VARIABLE,
        Code.YAML_SYNTAX,
    }


if __name__ == "__main__":
    for each in NAMES:
        (FOLDER / f"{each}.txt").write_text("".join(f"{line}\n" for line in findings(each)), encoding="utf-8")
