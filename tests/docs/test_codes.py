"""Every code is documented, and nothing else is documented as a code."""

import re
from pathlib import Path

from orchestra.diagnostics import Code
from orchestra.engine.core.failures import classify

DOCUMENT = Path(__file__).parents[2] / "docs" / "codes.md"


def test_every_code_has_a_row_and_every_row_a_code() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (\S.*)\|$", DOCUMENT.read_text(), re.MULTILINE)
    names = [name for name, _ in rows]
    assert sorted(names) == sorted(code.value for code in Code)


def test_every_code_has_a_cause_and_a_remedy() -> None:
    tables = re.findall(r"^(\| code \|.*\n(?:\|.*\n)+)", DOCUMENT.read_text(), re.MULTILINE)
    cells = [[cell.strip() for cell in line.split(" | ")] for table in tables for line in table.splitlines()[2:]]
    assert all(table.startswith("| code | it means | what to do |") for table in tables)
    assert len(cells) == len(Code)
    assert [row[0] for row in cells if len(row) < 3 or not all(len(cell.strip("| ")) > 3 for cell in row[1:3])] == []


def test_what_is_said_of_trying_again_is_what_is_done() -> None:
    words = {"transient": "soon", "policy": "slowly", "identity": "no"}
    rows = re.findall(r"^\| `([A-Z_]+)` \|.*\| (soon|slowly|no)\b[^|]* \|$", DOCUMENT.read_text(), re.MULTILINE)
    assert len(rows) > 15
    assert dict(rows) == {name: words[classify(Code(name))] for name, _ in rows}
