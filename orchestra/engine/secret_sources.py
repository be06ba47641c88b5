"""Secrets from the environment, from files and from commands. Nothing of a secret ever stands in a message."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.plugin.vocabulary import SecretSpec
from orchestra.session.errors import OpenFailed

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from orchestra.model.topology import SecretRef

DEADLINE = 60.0
"""Seconds for a command; password managers may ask for a touch or a fingerprint."""
LARGEST = 1 << 20
"""Bytes."""


class EnvSecret:
    """``{env: NAME}``."""

    spec = SecretSpec(name="env", value="text")

    async def read(self, ref: SecretRef) -> bytes:
        value = os.environ.get(str(ref.value))
        if value is None:
            raise _unavailable(f"the environment variable {ref.value} is not set")
        return _stripped(os.fsencode(value))


class FileSecret:
    """``{file: PATH}``, absolute by now."""

    spec = SecretSpec(name="file", value="path")

    async def read(self, ref: SecretRef) -> bytes:
        try:
            return _stripped(await asyncio.to_thread(_read, Path(ref.value)))
        except OSError as error:
            raise _unavailable(f"{ref.value} cannot be read: {error.strerror or error}") from error


class CommandSecret:
    """``{command: [PROG, ARG…]}``: run without a shell; its standard output is the secret."""

    spec = SecretSpec(name="command", value="command")

    async def read(self, ref: SecretRef) -> bytes:
        program, *arguments = [str(part) for part in ref.value]
        pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(
                program, *arguments, stdin=null, stdout=pipe, stderr=null, start_new_session=True
            )
        except OSError as error:
            raise _unavailable(f"{program} cannot be run: {error.strerror or error}") from error
        try:
            async with asyncio.timeout(DEADLINE):
                output = await _output(process, program)
                status = await process.wait()
        except TimeoutError:
            raise _unavailable(f"{program} did not end within {DEADLINE:g} seconds") from None
        finally:
            await _reap(process)
        if status != 0:
            raise _unavailable(f"{program} ended with status {status}", "run it by hand to see what it says")
        return _stripped(output)


async def _output(process: Process, program: str) -> bytes:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    output = b""
    while chunk := await process.stdout.read(65536):
        output += chunk
        if len(output) > LARGEST:
            raise _unavailable(f"{program} prints more than a secret: over {LARGEST} bytes")
    return output


async def _reap(process: Process) -> None:
    """Ends it with everything that it started, and waits for it."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise OSError(f"it is larger than {LARGEST} bytes")
    return data


def _stripped(data: bytes) -> bytes:
    """Without one trailing line break."""
    return data.removesuffix(b"\n").removesuffix(b"\r") if data.endswith(b"\n") else data


def _unavailable(message: str, hint: str | None = None) -> OpenFailed:
    return OpenFailed(Code.SECRET_UNAVAILABLE, message, suggestion=hint)
