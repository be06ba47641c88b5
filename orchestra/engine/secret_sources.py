"""Secrets from the environment, from files and from commands. Nothing of a secret ever stands in a message."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.engine.programs import LARGEST, ProgramFailed, output_of
from orchestra.plugin.vocabulary import SecretSpec
from orchestra.session.errors import OpenFailed

if TYPE_CHECKING:
    from orchestra.model.topology import SecretRef

DEADLINE = 60.0
"""Seconds for a command; password managers may ask for a touch or a fingerprint."""


class EnvSecret:
    """``{env: NAME}``."""

    spec = SecretSpec(name="env", value="text", meaning="The environment variable that holds it.")

    async def read(self, ref: SecretRef) -> bytes:
        value = os.environ.get(str(ref.value))
        if value is None:
            raise _unavailable(f"the environment variable {ref.value} is not set")
        return _stripped(os.fsencode(value))


class FileSecret:
    """``{file: PATH}``, absolute by now."""

    spec = SecretSpec(name="file", value="path", meaning="The file that holds it.")

    async def read(self, ref: SecretRef) -> bytes:
        try:
            return _stripped(await asyncio.to_thread(_read, Path(ref.value)))
        except OSError as error:
            raise _unavailable(f"{ref.value} cannot be read: {error.strerror or error}") from error


class CommandSecret:
    """``{command: [PROG, ARG…]}``: run without a shell; its standard output is the secret."""

    spec = SecretSpec(
        name="command", value="command", meaning="The program that prints it, and its arguments; no shell reads them."
    )

    async def read(self, ref: SecretRef) -> bytes:
        try:
            return _stripped(await output_of([str(part) for part in ref.value], DEADLINE))
        except ProgramFailed as error:
            raise _unavailable(str(error), "run it by hand to see what it says") from error


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
