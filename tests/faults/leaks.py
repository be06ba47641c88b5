"""What a test leaves behind: tasks, descriptors, processes, files, and in a lab listeners, connections and servers'
processes too. Every fault test ends in this, whatever the fault."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestra.lab.netns.lab import NetnsLab
from tests.acceptance.world import descriptors
from tests.engine.ssh.sshd import descendants, name_of

PATIENCE = 8.0
"""Seconds in which what ends by itself, as a server's process does, has to have ended."""
LOOK = 0.02


@dataclass(frozen=True)
class Traces:
    """What there is of us on this machine."""

    descriptors: dict[str, str]
    processes: set[int]
    files: set[Path] = field(default_factory=set)

    @classmethod
    def now(cls, *folders: Path) -> Traces:
        files = {path for folder in folders for path in folder.rglob("*")}
        return cls(descriptors(), set(descendants(os.getpid())), files)

    def beyond(self, before: Traces) -> list[str]:
        """What was not there before, as people would say it."""
        opened = {number: what for number, what in self.descriptors.items() if before.descriptors.get(number) != what}
        return [
            *(f"descriptor {number}: {what}" for number, what in sorted(opened.items())),
            *(f"process {pid}: {name_of(pid)}" for pid in sorted(self.processes - before.processes)),
            *(f"file {path}" for path in sorted(self.files - before.files)),
        ]


@contextmanager
def nothing_left(*folders: Path) -> Iterator[None]:
    """Inside, anything may be opened, started and written; afterwards it has to have gone."""
    before = Traces.now(*folders)
    yield
    deadline = time.monotonic() + PATIENCE
    while left := Traces.now(*folders).beyond(before):
        if time.monotonic() > deadline:
            raise AssertionError("left behind: " + "; ".join(left))
        time.sleep(LOOK)


def play(scene: Coroutine[Any, Any, None], *folders: Path) -> None:
    """Runs a scene; nothing may be left of it, and no task when it ends."""

    async def watched() -> None:
        await scene
        left = [str(task) for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert not left, "left behind: " + "; ".join(left)

    with nothing_left(*folders):
        asyncio.run(watched())


async def lab_traces(lab: NetnsLab) -> Counter[str]:
    """What runs, listens and is connected in a lab."""
    found = Counter(f"process {name_of(pid)}" for pid in descendants(lab._link._process.pid))
    for machine in sorted(lab._made):
        for state in ("listening", "established"):
            listed = await lab._link.ask("output", machine=machine, argv=["ss", "-Hntu", "state", state])
            found.update(f"{machine}: {state} {' '.join(line.split())}" for line in listed.splitlines())
    return found


async def lab_settled(lab: NetnsLab, before: Counter[str]) -> None:
    """Returns when nothing is there that was not there before; raises AssertionError when it does not come to that."""
    deadline = time.monotonic() + PATIENCE
    while left := await lab_traces(lab) - before:
        assert time.monotonic() < deadline, "left behind in the lab: " + "; ".join(sorted(left))
        await asyncio.sleep(LOOK)
