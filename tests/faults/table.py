"""The table of docs/faults.md: every row, and the tests that show it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "faults.md"
_ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    number: int
    fault: str
    named: tuple[str, ...]
    """What the last column names: ``FILE`` or ``FILE::TEST``."""

    @property
    def tests(self) -> tuple[str, ...]:
        """Node ids: those that are named, and of a file of fault tests those with the row's number."""
        return tuple(dict.fromkeys(test for name in self.named for test in self._tests(name)))

    def _tests(self, name: str) -> Iterator[str]:
        file, _, test = name.partition("::")
        own = f"test_fault_{self.number:02}_" if file.startswith("tests/faults/") else "test_"
        for function in functions(file):
            if function == test or (not test and function.startswith(own)):
                yield f"{file}::{function}"


def rows() -> list[Row]:
    """All of them, in order."""
    return [
        Row(int(number), fault, tuple(re.findall(r"`(tests/\S+?)`", shown)))
        for number, fault, _, shown in _ROW.findall(DOCUMENT.read_text("utf-8"))
    ]


def functions(file: str) -> list[str]:
    """The tests of a file, by name."""
    path = ROOT / file
    tree = ast.parse(path.read_text("utf-8")) if path.is_file() else ast.Module([], [])
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
