"""Figures: what was measured, what is wanted of it, as tables and as a file."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

OURS = "orchestra"


@dataclass(frozen=True)
class Goal:
    """What our figure, divided by a peer's, is wanted to be at least, or at most where less is better; without a peer
    the figure itself."""

    limit: float
    against: str = ""
    of: str = OURS

    @property
    def head(self) -> str:
        """Of its column."""
        return f"to {self.against}" if self.against else "wanted" if self.of == OURS else f"wanted: {self.of}"


@dataclass(frozen=True)
class Row:
    """What is measured, and the figures of each contender, one a round; the same rounds in the same order."""

    name: str
    values: dict[str, list[float]]
    goals: tuple[Goal, ...] = ()

    def ratio(self, goal: Goal) -> float | None:
        """The median over the rounds, in each of which both were measured side by side."""
        ours, theirs = self.values.get(goal.of), self.values.get(goal.against)
        if not ours or (goal.against and not theirs):
            return None
        return statistics.median(mine / other for mine, other in zip(ours, theirs or [1.0] * len(ours), strict=True))


@dataclass(frozen=True)
class Table:
    """Rows in one unit."""

    title: str
    unit: str
    better: Literal["more", "less"]
    rows: list[Row] = field(default_factory=list)

    def reached(self, row: Row, goal: Goal) -> bool:
        ratio = row.ratio(goal)
        return ratio is None or (ratio >= goal.limit if self.better == "more" else ratio <= goal.limit)


def markdown(table: Table) -> str:
    """Aligned, so that it can be read on a terminal too: medians with half of the range in per cent of them; for each
    peer of a goal our ratio to it, and what is wanted in brackets, ``!`` where that is missed."""
    contenders = list(dict.fromkeys(name for row in table.rows for name in row.values))
    verdicts = list(dict.fromkeys(goal.head for row in table.rows for goal in row.goals))
    heads = [f"{table.title}, {table.unit}", *contenders, *verdicts]
    lines = [heads]
    for row in table.rows:
        goals = {goal.head: goal for goal in row.goals}
        cells = [figure(row.values.get(name, [])) for name in contenders]
        lines.append([row.name, *cells, *(_verdict(table, row, goals.get(head)) for head in verdicts)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = "|".join(["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])])
    drawn = [_line(each, widths) for each in lines]
    return "\n".join([drawn[0], f"|{rule}|", *drawn[1:]]) + "\n"


def _line(cells: list[str], widths: list[int]) -> str:
    first, *others = (
        cell.rjust(width) if number else cell.ljust(width)
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "| " + " | ".join([first, *others]) + " |"


def figure(values: list[float]) -> str:
    """Median and spread; a dash where a contender does not do it."""
    if not values:
        return "–"
    middle = statistics.median(values)
    spread = (max(values) - min(values)) / 2 / middle if middle else 0.0
    return number(middle) + (f" ±{spread:.0%}" if len(values) > 1 else "")


def number(value: float) -> str:
    """Three digits that count."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def _verdict(table: Table, row: Row, goal: Goal | None) -> str:
    if goal is None or (ratio := row.ratio(goal)) is None:
        return ""
    sign, missed = "≥" if table.better == "more" else "≤", "" if table.reached(row, goal) else " !"
    if not goal.against:
        return f"{sign} {goal.limit:g}{missed}"
    return f"{ratio:.2f} ({sign} {goal.limit:g}){missed}"


def missed(table: Table) -> list[str]:
    """What is wanted and was not reached, a line each."""
    sign = "≥" if table.better == "more" else "≤"
    return [
        f"{table.title}, {row.name}, {goal.head}: {row.ratio(goal):.2f}, wanted {sign} {goal.limit:g}"
        for row in table.rows
        for goal in row.goals
        if not table.reached(row, goal)
    ]


# The file.


def machine() -> dict[str, str]:
    """Where it was measured."""
    cpu = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    openssh = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=True).stderr.split(",")[0]
    return {
        "processor": f"{os.cpu_count()} × {cpu[0] if cpu else platform.machine()}",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "OpenSSH": openssh.strip().removeprefix("OpenSSH_").split()[0],
        "asyncssh": version("asyncssh"),
    }


def keep(file: Path, part: str, tables: list[Table], **how: Any) -> None:
    """Adds a part to the file, or puts it in the place of what was there."""
    kept: dict[str, Any] = read(file) if file.exists() else {"format_version": 1, "parts": {}}
    kept["machine"] = machine()
    kept["parts"][part] = {
        "when": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
        **how,
        "tables": [dataclasses.asdict(each) for each in tables],
    }
    file.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def read(file: Path) -> dict[str, Any]:
    """The file as it is."""
    kept: dict[str, Any] = json.loads(file.read_text())
    return kept


def tables(part: dict[str, Any]) -> list[Table]:
    """The tables of a part of the file."""
    return [
        Table(
            each["title"],
            each["unit"],
            each["better"],
            [Row(row["name"], row["values"], tuple(Goal(**goal) for goal in row["goals"])) for row in each["rows"]],
        )
        for each in part["tables"]
    ]
