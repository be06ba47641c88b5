"""``check: command``: a program of this machine, which has the tunnel in its environment and says by its exit status
whether it is content. It goes the way that users go, through the listener.

It is run only where the user allows it (``--allow-exec``), without a shell, in a process group of its own that ends
with the check.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal

from pydantic import Field

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.loading import Command
from orchestra.model.text import clean
from orchestra.plugin.interfaces import TunnelContext
from orchestra.plugin.vocabulary import CheckSpec

from .conversing import PACKAGE, PATIENCE
from .fields import Fields

MOST = 8192
"""Bytes of what it prints that are kept: the last ones."""


class Program(Fields):
    """What is run."""

    run: Command = Field(description="The program and its arguments, such as `[pg_isready, -q]`.")


class CommandCheck:
    """One run: 0 is good."""

    spec = CheckSpec(name="command", kinds=("tcp", "udp", "socks"), fields=Program, package=PACKAGE)

    async def run(self, context: TunnelContext) -> None:
        """Runs it, and waits for its end; nothing of it is left afterwards."""
        check, command = context.tunnel.spec.check, context.tunnel.spec.check.options["run"]
        shown = f"{context.tunnel.name}: `{clean(shlex.join(command.argv), 100)}`"
        if not command.allowed:
            raise self._failed(f"{shown} was not run", "allow it with --allow-exec or ORCHESTRA_ALLOW_EXEC=1")
        patience = check.timeout or PATIENCE
        try:
            process = await asyncio.create_subprocess_exec(
                *command.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, **context.variables},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise self._failed(f"{shown} cannot be run: {clean(why)}", "correct `run`") from error
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        try:
            async with asyncio.timeout(patience):
                printed = await _printed(process.stdout)
                status = await process.wait()
        except TimeoutError:
            raise self._failed(f"{shown} did not end within {patience:g} seconds", "see what it waits for") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if status:
            how = f"ended with {status}" if status > 0 else f"was ended by signal {-status}"
            last = clean(printed.strip().rpartition(b"\n")[2], 200)
            raise self._failed(f"{shown} {how}{f': {last}' if last else ''}", "run it by hand, beside `orchestra env`")

    def _failed(self, what: str, suggestion: str) -> RuntimeFailure:
        return RuntimeFailure(Code.CHECK_FAILED, what, suggestion=suggestion)


async def _printed(output: asyncio.StreamReader) -> bytes:
    """The end of it."""
    kept = b""
    while piece := await output.read(MOST):
        kept = (kept + piece)[-MOST:]
    return kept
