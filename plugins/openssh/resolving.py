"""What ssh itself makes of a host, after all its files (``ssh -G``), and whether this ssh is new enough."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from orchestra.diagnostics import Code
from orchestra.model.address import SSH_PORT
from orchestra.model.text import clean
from orchestra.session.errors import OpenFailed

OLDEST = (8, 4)
"""The first that asks by askpass when it has a terminal too (SSH_ASKPASS_REQUIRE)."""
DEADLINE = 20.0
"""Seconds; what ``Match exec`` runs is in them."""
_VERSION = re.compile(r"OpenSSH_(?:for_Windows_)?(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What matters of it."""

    host: str
    port: int
    user: str
    proxy: str | None
    """ProxyCommand, or what ProxyJump goes through."""
    unchecked: bool
    """Whether the user's files turn the checking of host keys off."""
    keywords: frozenset[str]
    """Everything that this ssh knows of and has a value for, in lower case."""


async def resolve(words: Sequence[str], server: str) -> Resolved:
    """Runs ``ssh -G``. Raises OpenFailed."""
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        what = f"{server}: the program ssh cannot be run: {error.strerror}"
        hint = "install OpenSSH's client, or use transport: ssh, which needs none"
        raise OpenFailed(Code.TRANSPORT_CANNOT, what, host=server, suggestion=hint) from error
    try:
        async with asyncio.timeout(DEADLINE):
            out, complaints = await process.communicate()
    except TimeoutError as error:
        what = f"{server}: ssh does not come to an end of its configuration"
        raise OpenFailed(Code.SSH_CONFIG_INVALID, what, host=server, suggestion="a Match exec may hang") from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)  # asyncio's own may take its status from under asyncio's watcher
            await process.wait()
    said = complaints.decode("utf-8", "replace")
    if process.returncode and not _VERSION.search(said):  # it had no chance to say
        raise _misconfigured(said, server)
    check_version(said, server)
    if process.returncode:
        raise _misconfigured(said, server)
    return parse(out.decode("utf-8", "replace"))


def check_version(said: str, server: str) -> None:
    """``said`` begins with what ``ssh -v`` says of itself. Raises OpenFailed."""
    found = _VERSION.search(said)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        what = f"{server}: {clean(said.partition(chr(10))[0], 100) or 'this ssh'} cannot be used"
        hint = f"OpenSSH {OLDEST[0]}.{OLDEST[1]} is the oldest that can; or use transport: ssh"
        raise OpenFailed(Code.TRANSPORT_CANNOT, what, host=server, suggestion=hint)


def parse(text: str) -> Resolved:
    """The output of ``ssh -G``: a keyword and its value a line."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        keyword, _, value = line.partition(" ")
        found.setdefault(keyword.lower(), value)
    proxy = found.get("proxycommand") or found.get("proxyjump")
    return Resolved(
        host=found.get("hostname", ""),
        port=int(found.get("port", SSH_PORT)),
        user=found.get("user", ""),
        proxy=None if proxy in (None, "none") else proxy,
        unchecked=found.get("stricthostkeychecking") in {"no", "off", "false"},
        keywords=frozenset(found),
    )


def _misconfigured(said: str, server: str) -> OpenFailed:
    lines = [line for line in said.splitlines() if not line.startswith(("debug", "OpenSSH_"))]
    what = f"{server}: ssh does not take its configuration: {clean(' '.join(lines), 300)}"
    return OpenFailed(Code.SSH_CONFIG_INVALID, what, host=server, suggestion="try: ssh -G HOST")
