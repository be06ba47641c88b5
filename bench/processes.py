"""Processes: started in sessions of their own, asked, weighed, and ended with all their children."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.ends import ORDER


@contextlib.asynccontextmanager
async def started(
    command: list[str], environ: Mapping[str, str] | None = None, pass_fds: Collection[int] = ()
) -> AsyncIterator[int]:
    """The process's id, which is its session's too."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=pass_fds,
    )
    try:
        yield process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(10):
                await process.wait()
        for pid in members([process.pid]):  # who did not end by itself
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await process.wait()


async def ask(command: list[str]) -> Any:
    """What a process printed, read as JSON."""
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return json.loads(output)


def members(sessions: Iterable[int]) -> list[int]:
    """The processes of these sessions."""
    wanted = set(sessions)
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            fields = (folder / "stat").read_text("ascii", "replace").rpartition(")")[2].split()
            if int(fields[3]) in wanted:
                found.append(int(folder.name))
    return found


def memory(sessions: Iterable[int]) -> float:
    """KiB of all their processes, what they share with others divided among all who share it (PSS)."""
    return sum(map(_pss, members(sessions)))


def _pss(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1])
    return 0.0


async def answers(port: int, address: str) -> None:
    """Waits until somebody listens there."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(address, port)
                writer.close()
                return
            await asyncio.sleep(0.02)


async def passes(port: int, address: str) -> None:
    """Waits until a byte has come back through a tunnel: a listener alone proves nothing."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection(address, port)
                try:
                    writer.write(ORDER.pack(b"D", 1))  # the echo answers to anything
                    await reader.readexactly(1)
                finally:
                    writer.transport.abort()
                return
            await asyncio.sleep(0.005)
