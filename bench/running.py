"""How a part is run: rounds in which the contenders take turns, a table on standard output, a file when asked."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bench.results import Table, keep, markdown, missed

Key = TypeVar("Key")


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    rounds: int = 3
    seconds: float = 0.25
    """Of one transfer."""
    count: int = 600
    """Connections, or round trips, of one figure."""
    quick: bool = False
    """Less of everything, and not every row."""


QUICK = Effort(rounds=1, seconds=0.15, count=200, quick=True)

Part = Callable[[Effort], Coroutine[Any, Any, list[Table]]]


async def in_turns(
    names: Iterable[Key], rounds: int, measure: Callable[[Key], Awaitable[float | None]]
) -> dict[Key, list[float]]:
    """The figures of each, but for those who cannot do it; each round begins with another one, so that nobody always
    comes first."""
    order = list(names)
    found: dict[Key, list[float]] = {name: [] for name in order}
    for number in range(rounds):
        turn = number % len(order)
        for name in order[turn:] + order[:turn]:
            if (value := await measure(name)) is not None:
                found[name].append(value)
    return found


def told(what: str) -> None:
    """A line of progress."""
    print(f"{time.strftime('%H:%M:%S')}  {what}", file=sys.stderr, flush=True)


def run(name: str, part: Part, effort: Effort, file: Path | None) -> list[str]:
    """Measures a part and prints its tables; what was wanted and was missed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started is ended however this ends
    begun, load = time.monotonic(), os.getloadavg()[0]
    tables = asyncio.run(part(effort))
    seconds = time.monotonic() - begun
    print("\n".join(markdown(table) for table in tables), flush=True)
    told(f"{name}: {seconds:.0f} s")
    if file and tables:
        keep(file, name, tables, seconds=round(seconds), load=round(load, 1))
    return [line for table in tables for line in missed(table)]


def options(parser: argparse.ArgumentParser) -> None:
    """Those that every part has."""
    parser.add_argument("--quick", action="store_true", help="a third of the time, one round")
    parser.add_argument("--rounds", type=int, help="of all contenders; a figure is their median")
    parser.add_argument("--seconds", type=float, help="of one transfer")
    parser.add_argument("--count", type=int, help="connections, or round trips, of one figure")
    parser.add_argument("--json", type=Path, metavar="FILE", help="adds the result to this file")


def effort(given: argparse.Namespace) -> Effort:
    """What the options ask for."""
    base = QUICK if given.quick else Effort()
    return Effort(
        rounds=given.rounds or base.rounds,
        seconds=given.seconds or base.seconds,
        count=given.count or base.count,
        quick=base.quick,
    )


def alone(name: str, part: Part, about: str | None) -> None:
    """The command of one part."""
    parser = argparse.ArgumentParser(
        prog=f"python -m bench.{name}", description=about, formatter_class=argparse.RawTextHelpFormatter
    )
    options(parser)
    given = parser.parse_args()
    run(name, part, effort(given), given.json)
