"""How long commands take that open nothing: ``--help``, ``plan`` and ``status``, beside ``ssh -V`` and bare Python.

    python -m bench.startup [--quick] [--rounds 3] [--json FILE]

Wall time, and time of the processor, which is what counts where others share the machine.
"""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from bench.contenders import ORCHESTRA, opened
from bench.ground import chain, laid
from bench.results import Goal, Row, Table
from bench.running import Effort, alone, in_turns, told

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "topologies" / "vnc-firewall.yaml"
LIMITS = {"orchestra --help": 0.15, "orchestra plan": 0.45, "orchestra status": 0.25}
"""Seconds."""


async def measure(effort: Effort) -> list[Table]:
    """Wall time and processor time."""
    commands = {
        "ssh -V": ["ssh", "-V"],
        "python -c pass": [sys.executable, "-c", "pass"],
        "orchestra --help": [str(ORCHESTRA), "--help"],
        "orchestra plan": [str(ORCHESTRA), "plan", str(EXAMPLE)],
        "orchestra status": [str(ORCHESTRA), "status"],
    }
    used: dict[str, list[float]] = {name: [] for name in commands}
    for package in ("orchestra", "plugins"):  # what is installed is compiled, what was edited a moment ago may not be
        compileall.compile_dir(ROOT / package, quiet=1)
    async with laid(1) as ground, opened("orchestra", ground, chain(ground.echo, 1)):

        async def one(name: str) -> float:
            wall, processor = run(commands[name], ground.environ)
            used[name].append(processor)
            return wall

        told("commands")
        found = await in_turns(commands, 3 if effort.quick else effort.rounds * 4, one)
    limited = [
        Row(name, {"orchestra": values}, (Goal(LIMITS[name]),) if name in LIMITS else ())
        for name, values in found.items()
    ]
    processor = [Row(name, {"orchestra": values}) for name, values in used.items()]
    return [
        Table("start-up, wall time", "s", "less", limited),
        Table("start-up, processor time", "s", "less", processor),
    ]


def run(command: list[str], environ: Mapping[str, str]) -> tuple[float, float]:
    """Seconds of the clock and of the processor."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - begun, usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    alone("startup", measure, __doc__)
