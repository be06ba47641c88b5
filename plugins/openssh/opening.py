"""Opening a session: ask ssh what it would do, dial, let it log in, and take over its connection."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestra.diagnostics import Code
from orchestra.model.text import clean
from orchestra.model.topology import SshSettings
from orchestra.plugin.interfaces import OpenRequest
from orchestra.session.errors import OpenFailed, SessionError
from orchestra.session.here import Here
from orchestra.session.protocols import Session
from orchestra.session.ssh import SshAttempt
from orchestra.session.windows import WindowBudget

from . import complaints
from .answering import Answers, AskpassSocket
from .arguments import Call, call, pinned
from .carrying import Carrier, carry
from .control import Control, Refused
from .master import Master
from .resolving import Resolved, resolve
from .session import OpenSshSession
from .wire import Malformed

CONNECT_TIMEOUT = 10.0
"""Seconds, unless the topology says otherwise."""
LONGEST_DIRECTORY = 84
"""Bytes: ssh makes its socket under a name of 17 letters more, and a path may have 103 of them (unix(7), macOS)."""


async def connect(request: OpenRequest, windows: WindowBudget) -> Session:
    """Opens it. Raises OpenFailed; cancelled, it leaves nothing open."""
    opening = _Opening(request, windows)
    try:
        return await opening.run()
    except BaseException:
        await opening.undo()
        raise


class _Opening:
    """One attempt, and what it has made so far."""

    def __init__(self, request: OpenRequest, windows: WindowBudget) -> None:
        self._request, self._windows = request, windows
        self._name = request.server.name
        server = request.server.server
        self._settings = server.ssh if server is not None else SshSettings()
        self._extra: Mapping[str, Any] = server.transport.options.get("options", {}) if server is not None else {}
        self._timeout = self._settings.connect_timeout or CONNECT_TIMEOUT
        self._log = complaints.Log()
        self._here = Here(request.over.host)  # for Unix sockets between ssh and us
        self._deadline = asyncio.timeout(None)
        self._left = 0.0
        self._gave_up = False
        self._directory: Path | None = None
        self._carrier: Carrier | None = None
        self._master: Master | None = None
        self._askpass: AskpassSocket | None = None
        self._ready = asyncio.Event()

    async def run(self) -> Session:
        """Raises OpenFailed."""
        directory = self._make_directory()
        wanted = call(self._request, self._settings, self._extra, directory / "pins")
        resolved = await resolve(wanted.words("-v", "-G"), self._name)
        attempt = self._attempt(resolved)
        answers = Answers(self._request, self._settings, self._paused, self._give_up)
        self._askpass = await AskpassSocket.open(self._here, directory, answers)
        try:
            async with self._deadline:
                self._deadline.reschedule(asyncio.get_running_loop().time() + self._timeout)
                await self._log_in(self._going(wanted, resolved), resolved, directory)
        except TimeoutError as error:
            raise complaints.timed_out(self._log, attempt) from error
        except OpenFailed:
            raise
        except SessionError as error:
            raise attempt.below_failed(error) from error
        if not self._log.is_ready:
            if isinstance(answers.failure, OpenFailed):
                raise answers.failure
            raise complaints.open_failed(self._log, attempt, answers.remarks, gave_up=self._gave_up)
        self._askpass.close()
        return await self._take_over(directory)

    async def undo(self) -> None:
        """Nothing of it is left."""
        if self._askpass is not None:
            self._askpass.close()
        if self._carrier is not None:
            self._carrier.abort()
        if self._master is not None:
            self._master.kill()
            await asyncio.shield(self._master.ended.wait())
        self._here.abort()
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)

    def _make_directory(self) -> Path:
        try:
            directory = Path(tempfile.mkdtemp(prefix="orchestra-"))  # mode 0700
            self._directory = directory
            if len(os.fsencode(directory)) > LONGEST_DIRECTORY:
                raise OSError(errno.ENAMETOOLONG, f"{clean(str(directory), 200)} is too long for a Unix socket")
            if self._settings.host_key:
                (directory / "pins").write_text(pinned(self._settings), encoding="utf-8")
        except OSError as error:
            what = f"{self._name}: no private directory can be made: {error.strerror}"
            hint = "set TMPDIR to a short path that can be written"
            raise OpenFailed(Code.CONNECT_FAILED, what, host=self._name, suggestion=hint) from error
        return directory

    def _going(self, wanted: Call, resolved: Resolved) -> Call:
        """The call, with how ssh comes to the server: by what its own files say, from here only; else by a socket."""
        if resolved.unchecked:
            wanted = Call(  # the first that is said holds
                destination=wanted.destination,
                config=wanted.config,
                options=(("StrictHostKeyChecking", "accept-new"), *wanted.options),
            )
        if "forkafterauthentication" in resolved.keywords:  # OpenSSH 8.7
            wanted = wanted.also(ForkAfterAuthentication="no")
        if self._goes_by_itself(resolved):
            return wanted
        return wanted.also(ProxyCommand="-", ProxyUseFdpass="no")

    def _goes_by_itself(self, resolved: Resolved) -> bool:
        return resolved.proxy is not None and self._request.over.is_here

    async def _log_in(self, going: Call, resolved: Resolved, directory: Path) -> None:
        """Until ssh is ready, or has ended."""
        if self._goes_by_itself(resolved):
            self._request.notice(f"{self._name}: ssh goes through {clean(resolved.proxy or '', 200)}")
        else:
            self._carrier = await carry(self._request, resolved.host, resolved.port)
        descriptor = self._carrier.descriptor if self._carrier is not None else None
        environment = {**os.environ, **(self._askpass.environment if self._askpass is not None else {})}
        words = going.words("-N", "-S", str(directory / "m"))
        try:
            self._master = await Master.start(words, environment, str(directory), descriptor, self._said)
        except OSError as error:
            what = f"{self._name}: ssh cannot be run: {error.strerror}"
            raise OpenFailed(Code.CONNECT_FAILED, what, host=self._name) from error
        if self._carrier is not None:
            self._carrier.handed_over()
        ended = asyncio.ensure_future(self._master.ended.wait())
        ready = asyncio.ensure_future(self._ready.wait())
        try:
            await asyncio.wait((ended, ready), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            ready.cancel()

    async def _take_over(self, directory: Path) -> Session:
        """The master has logged in."""
        assert self._master is not None  # noqa: S101 - it is ready
        for line in list(self._log.lines):
            self._request.notice(f"{self._name}: {line}")
        self._log.lines.clear()
        session = OpenSshSession(self._name, self._master, self._log, self._here, self._carrier, directory)
        path = str(directory / "m")
        try:
            async with asyncio.timeout(self._timeout):
                asking = await Control.dial(self._here, path, session.hung_up)
                vouching = await Control.dial(self._here, path, session.hung_up)
                shared = await Control.dial(self._here, path, session.hung_up)
                connection = await shared.share(self._windows)
        except (OSError, TimeoutError, Malformed, Refused, SessionError) as error:
            what = f"{self._name}: ssh does not share its connection: {clean(str(error) or 'no answer', 200)}"
            raise OpenFailed(Code.PROTOCOL_ERROR, what, host=self._name) from error
        session.start(connection, asking, vouching)
        return session

    def _said(self, line: str) -> None:
        self._log.said(line)
        if self._log.is_ready:
            self._ready.set()

    def _give_up(self) -> None:
        self._gave_up = True
        if self._master is not None:
            self._master.kill()

    def _paused(self, asked: bool) -> None:
        """A deadline stands still while a person is asked: they take the time that they take."""
        now = asyncio.get_running_loop().time()
        if asked:
            self._left = (self._deadline.when() or now) - now
            self._deadline.reschedule(None)
        else:
            self._deadline.reschedule(now + self._left)

    def _attempt(self, resolved: Resolved) -> SshAttempt:
        return SshAttempt(
            server=self._name,
            by=self._request.over.host,
            address=str(self._request.dial),
            user=clean(resolved.user, 60),
            timeout=self._timeout,
        )
