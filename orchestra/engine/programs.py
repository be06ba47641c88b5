"""Programs of the user's, run for what they print: without a shell, in a process group of their own, for a while."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence

LARGEST = 1 << 20
"""Bytes of output; more is an error."""


class ProgramFailed(Exception):
    """It could not be run, failed, took too long or printed too much; ``str`` says which, never what it printed."""


async def output_of(command: Sequence[str], deadline: float) -> bytes:
    """Its standard output; nothing else of it is seen. Raises ProgramFailed; it does not outlive this call."""
    program = command[0]
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, start_new_session=True
        )
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else None
        raise ProgramFailed(f"{program} cannot be run: {why or error}") from error
    try:
        async with asyncio.timeout(deadline):
            output = await _read(process, program)
            status = await process.wait()
    except TimeoutError:
        raise ProgramFailed(f"{program} did not end within {deadline:g} seconds") from None
    finally:
        await _reap(process)
    if status != 0:
        raise ProgramFailed(f"{program} ended with status {status}")
    return output


async def _read(process: Process, program: str) -> bytes:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    output = b""
    while chunk := await process.stdout.read(65536):
        output += chunk
        if len(output) > LARGEST:
            raise ProgramFailed(f"{program} prints more than {LARGEST} bytes")
    return output


async def _reap(process: Process) -> None:
    """Ends it with everything that it started, and waits for it."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
