"""Asks a running orchestra, over its control socket. Blocking, and cheap to import."""

from __future__ import annotations

import errno
import http.client
import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any

from orchestra import __version__
from orchestra.control.claim import Claim, Info, is_held, read_info
from orchestra.control.codec import decode_error, decode_event, decode_status
from orchestra.control.handlers import Document, Readiness
from orchestra.control.paths import Place, places
from orchestra.control.peer import is_own_user
from orchestra.control.versions import ALWAYS, HEADER, distance
from orchestra.diagnostics import Code
from orchestra.errors import OrchestraError, RuntimeFailure, UsageError
from orchestra.model.events import Occurrence
from orchestra.model.status import Status
from orchestra.model.text import clean

_ANSWER = 10.0
"""Seconds within which a question that needs no waiting is answered."""

_POLL = 0.02


class NotRunning(OrchestraError):
    """Nothing of that name runs."""


class Client:
    """One running orchestra, as seen from outside. Every method may raise NotRunning, and RuntimeFailure when its
    version is too far from ours. ``say`` is told, once, when it is another."""

    def __init__(self, place: Place, say: Callable[[str], object] = lambda _: None) -> None:
        self.place = place
        self._say = say
        self._compared = False

    def status(self) -> Status:
        """What is true now; of one that is only just coming up, that it is starting."""
        try:
            return decode_status(self._ask("GET", "/v1/status"))
        except (KeyError, TypeError) as error:
            raise RuntimeFailure(
                Code.PROTOCOL_ERROR, f"the orchestra named {self.place.name} answered what is no status"
            ) from error
        except NotRunning:
            if is_held(self.place) and (info := read_info(self.place)):
                return _starting(info)
            raise

    def variables(self) -> Mapping[str, str]:
        """The tunnels as variables."""
        return {str(name): str(value) for name, value in self._ask("GET", "/v1/variables").items()}

    def invitation(self) -> str | None:
        """An address of its page that lets one browser in, once; None when it has no page."""
        url: str | None = self._ask("POST", "/v1/tickets")["url"]
        return url

    def reload(self, request: Document) -> Document:
        """Asks for a change of what runs; see :meth:`orchestra.control.handlers.Handlers.reload`. It waits as long as
        the request says."""
        return self._ask("POST", "/v1/reload", None, request)

    def reconnect(self, subject: str | None) -> tuple[str, ...]:
        """Has the sessions of a tunnel or to a server opened anew, or all; their ids. Raises UsageError."""
        answer = self._ask("POST", "/v1/reconnect", _ANSWER, {"tunnel": subject})
        if answer["refused"] is not None:
            raise UsageError(clean(answer["refused"], 1000))
        return tuple(answer["sessions"])

    def stop(self, drain: float = 0.0) -> None:
        """Begins to take it down; see :meth:`wait_closed`. ``drain``: seconds that what is carried has to end."""
        try:
            self._ask("POST", f"/v1/stop?drain={drain}" if drain else "/v1/stop")
        except NotRunning:
            info = self._holder()
            if info is None:
                raise
            os.kill(info.pid, signal.SIGTERM)  # it is only just coming up, and has no socket yet

    def _holder(self) -> Info | None:
        """Who has the place, even if it is still about to write that down; None when nobody has it."""
        deadline = time.monotonic() + _ANSWER
        while is_held(self.place):
            if info := read_info(self.place):
                return info
            _rest(deadline)
            time.sleep(_POLL)
        return None

    def wait_ready(self, timeout: float | None) -> Readiness:
        """Waits until it is ready or cannot become so, at most ``timeout`` seconds; TimeoutError after that."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                answer = self._ask("GET", "/v1/wait?for=ready", _rest(deadline))
                return Readiness(ready=bool(answer["ready"]), fatal=decode_error(answer["fatal"]))
            except NotRunning:
                if not is_held(self.place):
                    raise
            _rest(deadline)
            time.sleep(_POLL)

    def wait_closed(self, timeout: float | None) -> None:
        """Waits until it has gone, its process and its directory too; TimeoutError after ``timeout`` seconds.

        Never raises NotRunning: then it has gone.
        """
        with _process(self.place) as process:
            self._wait_gone(process, timeout)

    def take_down(self, timeout: float | None, drain: float = 0.0) -> None:
        """:meth:`stop` and :meth:`wait_closed`. The process is held on to first: afterwards nobody might know it. One
        that was killed leaves its directory, which goes too."""
        with _process(self.place) as process:
            with suppress(NotRunning):
                self.stop(drain)
            self._wait_gone(process, timeout)
        Claim.sweep(self.place)

    def _wait_gone(self, process: int | None, timeout: float | None) -> None:
        deadline = None if timeout is None else time.monotonic() + timeout
        with suppress(NotRunning):
            self._ask("GET", "/v1/wait?for=closed", timeout)
        while is_held(self.place):
            _rest(deadline)
            time.sleep(_POLL)
        if process is not None and not select.select([process], [], [], _rest(deadline))[0]:
            raise TimeoutError

    def events(self, timeout: float | None = None) -> Iterator[Occurrence]:
        """What is true now, as events, then what happens; the last is Closed, unless the stream broke or its reader
        was too slow. ``timeout``: seconds of silence."""
        with self._answer("GET", "/v1/events", timeout) as response:
            for line in response:
                if told := decode_event(json.loads(line)):
                    yield told

    def _ask(
        self, method: str, path: str, timeout: float | None = _ANSWER, document: Document | None = None
    ) -> dict[str, Any]:
        with self._answer(method, path, timeout, document) as response:
            answer: dict[str, Any] = json.loads(response.read())
        return answer

    @contextmanager
    def _answer(
        self, method: str, path: str, timeout: float | None, document: Document | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        body = None if document is None else json.dumps(document).encode()
        with closing(_Connection(self.place, timeout)) as connection:
            try:
                connection.request(method, path, body, headers={"Host": "orchestra", HEADER: __version__})
                response = connection.getresponse()
                self._compare(response.headers.get(HEADER), path)
                if response.status >= http.client.BAD_REQUEST:
                    raise self._refused(response)
                yield response
            except TimeoutError:
                raise
            except (FileNotFoundError, ConnectionError, http.client.HTTPException) as error:
                raise NotRunning(f"no orchestra named {self.place.name} is running") from error
            except OSError as error:
                raise RuntimeFailure(
                    Code.STATE_UNWRITABLE, f"cannot reach the control socket {self.place.socket}: {error.strerror}"
                ) from error

    def _compare(self, theirs: str | None, path: str) -> None:
        if theirs is None or theirs == __version__:
            return
        far = distance(__version__, theirs) == "far"
        what = f"{self.place.name} is run by orchestra {clean(theirs, 40)}, and this command is {__version__}"
        if far and path.partition("?")[0] not in ALWAYS:
            hint = "take it down, which any version can, and bring it up again"
            raise RuntimeFailure(Code.VERSION_MISMATCH, f"{what}: too far apart", suggestion=hint)
        if not self._compared:
            self._compared = True
            self._say(f"{what}{': much of what it says may be missing here' if far else ''}")

    def _refused(self, response: http.client.HTTPResponse) -> RuntimeFailure:
        said = response.read(400).decode("utf-8", "replace").strip()
        return RuntimeFailure(
            Code.PROTOCOL_ERROR, f"the orchestra named {self.place.name} answered {response.status}: {said}"
        )


def running(environ: Mapping[str, str]) -> tuple[Status, ...]:
    """The status of everything of this user that runs and answers, by name."""
    found = []
    for place in places(environ):
        try:
            found.append(Client(place).status())
        except (NotRunning, TimeoutError, RuntimeFailure):
            continue  # left behind by one that was killed, or not quite up
    return tuple(found)


@contextmanager
def _process(place: Place) -> Iterator[int | None]:
    """A descriptor that is readable when the place's process has ended (pidfd_open(2)); None where there are none."""
    info, opening = read_info(place), getattr(os, "pidfd_open", None)
    descriptor = None
    if info is not None and opening is not None and is_held(place):  # held: so the pid is still its own
        with suppress(OSError):
            descriptor = opening(info.pid)
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _rest(deadline: float | None) -> float | None:
    """Seconds that are left, None for ever; TimeoutError when none are."""
    if deadline is None:
        return None
    if (rest := deadline - time.monotonic()) <= 0:
        raise TimeoutError
    return rest


def _starting(info: Info) -> Status:
    return Status(
        topology=info.topology,
        name=info.name,
        pid=info.pid,
        version=info.version,
        file=info.file,
        state="starting",
    )


class _Connection(http.client.HTTPConnection):
    def __init__(self, place: Place, timeout: float | None) -> None:
        super().__init__("orchestra", timeout=timeout)
        self._path = str(place.socket)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
        if not is_own_user(self.sock):
            raise PermissionError(errno.EPERM, "it belongs to another user")
