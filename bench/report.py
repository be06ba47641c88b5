"""Puts the tables of a result into ``docs/performance.md``: between ``<!-- bench: PART -->`` and ``<!-- end -->``.

    python -m bench.report [RESULT] [PAGE]

What is written round them stays. ``machine`` is where it was measured.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from bench import results

ROOT = Path(__file__).parents[1]
RESULT = Path(__file__).with_name("result.json")
PAGE = ROOT / "docs" / "performance.md"
_PLACE = re.compile(r"(<!-- bench: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str, result: dict[str, Any]) -> str:
    """The page with the tables of the result; a part that was not measured keeps what it has."""

    def place(found: re.Match[str]) -> str:
        name = found[2]
        if name == "machine":
            return f"{found[1]}\n{machine(result)}\n{found[3]}"
        if name not in result["parts"]:
            return found[0]
        return f"{found[1]}\n{part(result['parts'][name])}\n{found[3]}"

    return _PLACE.sub(place, page)


def machine(result: dict[str, Any]) -> str:
    """A line for each thing that the figures depend on."""
    return "".join(["| | |\n|---|---|\n", *(f"| {name} | {value} |\n" for name, value in result["machine"].items())])


def part(measured: dict[str, Any]) -> str:
    """Its tables, and when and how they were made."""
    tables = results.tables(measured)
    counts = sorted({len(values) for table in tables for row in table.rows for values in row.values.values()})
    rounds = "one round" if counts == [1] else f"{'–'.join(map(str, dict.fromkeys((counts[0], counts[-1]))))} rounds"
    how = f"{measured['when']} UTC, {rounds}, {measured['seconds']} s; load {measured['load']:g} when it began.\n"
    return "\n".join([*map(results.markdown, tables), how])


def main(result: Path = RESULT, page: Path = PAGE) -> None:
    page.write_text(filled(page.read_text(), results.read(result)))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
