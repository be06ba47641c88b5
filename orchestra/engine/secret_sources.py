"""Secrets from the environment, from files and from commands. Nothing of a secret ever stands in a message.

What reads is imported when it is first used.
"""

from __future__ import annotations

import os
import stat
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
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
    """``{file: PATH}``, absolute by now. One that others can read holds no secret."""

    spec = SecretSpec(name="file", value="path", meaning="The file that holds it, which nobody else can read.")

    async def read(self, ref: SecretRef) -> bytes:
        from orchestra.session.threads import in_thread

        try:
            return _stripped(await in_thread(partial(_read, Path(ref.value))))
        except _TooOpen as error:
            raise _unavailable(f"{ref.value} is no secret: {error}", f"chmod 600 {ref.value}") from None
        except OSError as error:
            raise _unavailable(f"{ref.value} cannot be read: {error.strerror or error}") from error


class CommandSecret:
    """``{command: [PROG, ARG…]}``: run without a shell; its standard output is the secret."""

    spec = SecretSpec(
        name="command", value="command", meaning="The program that prints it, and its arguments; no shell reads them."
    )

    async def read(self, ref: SecretRef) -> bytes:
        from orchestra.engine.programs import ProgramFailed, output_of

        try:
            return _stripped(await output_of([str(part) for part in ref.value], DEADLINE))
        except ProgramFailed as error:
            raise _unavailable(str(error), "run it by hand to see what it says") from error


class _TooOpen(Exception):
    """Others can read it; ``str`` says how."""


def _read(path: Path) -> bytes:
    from orchestra.engine.programs import LARGEST

    with path.open("rb") as file:
        state = os.fstat(file.fileno())
        if stat.S_ISREG(state.st_mode) and state.st_mode & _others(state):
            raise _TooOpen(f"its mode is {stat.S_IMODE(state.st_mode):04o}, so that others can read it")
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise OSError(f"it is larger than {LARGEST} bytes")
    return data


def _others(state: os.stat_result) -> int:
    """The bits that let others read a file. One that is not ours may be given to us by its group."""
    return stat.S_IRGRP | stat.S_IROTH if state.st_uid == os.getuid() else stat.S_IROTH


def _stripped(data: bytes) -> bytes:
    """Without one trailing line break."""
    return data.removesuffix(b"\n").removesuffix(b"\r") if data.endswith(b"\n") else data


def _unavailable(message: str, hint: str | None = None) -> OpenFailed:
    return OpenFailed(Code.SECRET_UNAVAILABLE, message, suggestion=hint)
