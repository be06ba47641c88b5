"""Questions at the terminal, as ssh asks them: at /dev/tty, whatever standard input is, and secrets without an echo."""

from __future__ import annotations

import asyncio
import os
import subprocess
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestra.cli.progress import Progress
    from orchestra.plugin.interfaces import Ask, Question

_LONGEST = 4096
"""Bytes of an answer; more is not read."""


def asker(progress: Progress) -> Ask:
    """Asks the person who watches the progress; once that has ended, the terminal is somebody else's."""

    async def ask(question: Question) -> str | None:
        if progress.has_ended:
            return None
        with progress.held():
            return await ask_person(question, os.environ)

    return ask


async def ask_person(question: Question, environ: Mapping[str, str]) -> str | None:
    """The answer, or None when there is nobody to ask: no terminal, and no SSH_ASKPASS (see ssh(1))."""
    require = environ.get("SSH_ASKPASS_REQUIRE", "")
    has_display = bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))
    may_ask = require != "never" and (has_display or require == "force")
    program = environ.get("SSH_ASKPASS") if may_ask else None
    if program and require in {"force", "prefer"}:
        return await _by_program(program, question)
    terminal = _open_terminal()
    if terminal is not None:
        try:
            return await _at_terminal(terminal, question)
        finally:
            os.close(terminal)
    return await _by_program(program, question) if program else None


def _open_terminal() -> int | None:
    """The terminal, when we are in its foreground: in the background, asking would stop every tunnel."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if os.tcgetpgrp(terminal) == os.getpgrp():
            return terminal
    except OSError:
        pass
    os.close(terminal)
    return None


async def _at_terminal(terminal: int, question: Question) -> str | None:
    line = None
    with _echo(terminal, shown=question.echo):
        os.write(terminal, f"{question.text} ".encode())
        try:
            line = await _line(terminal)
        finally:
            if line is None or not question.echo:  # no line break was typed, or none was shown
                os.write(terminal, b"\n")
    return None if line is None else line.decode("utf-8", "surrogateescape")


@contextmanager
def _echo(terminal: int, *, shown: bool) -> Iterator[None]:
    """Whether what is typed is shown, in whole lines; what was typed before the question is no answer to it."""
    before = termios.tcgetattr(terminal)
    wanted = termios.tcgetattr(terminal)
    wanted[3] |= termios.ICANON | termios.ISIG | termios.ECHO
    if not shown:
        wanted[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSAFLUSH, wanted)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)


async def _line(terminal: int) -> bytes | None:
    """One line without its end; None at the end of input (Ctrl-D) or when the terminal has gone."""
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    line = b""
    loop.add_reader(terminal, readable.set)
    try:
        while not line.endswith(b"\n") and len(line) < _LONGEST:
            await readable.wait()
            readable.clear()
            with suppress(BlockingIOError):
                if not (chunk := os.read(terminal, _LONGEST)):
                    return None
                line += chunk
    except OSError:
        return None
    finally:
        loop.remove_reader(terminal)
    return line.rstrip(b"\r\n")


async def _by_program(program: str, question: Question) -> str | None:
    """What a program with a window of its own returns, as ssh runs it."""
    try:
        process = await asyncio.create_subprocess_exec(
            program, question.text, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
    except OSError:
        return None
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    return output.rstrip(b"\r\n").decode("utf-8", "surrogateescape") if process.returncode == 0 else None
