"""Server and client over a real socket; the handlers are small."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import TypeVar

import pytest

from orchestra.control.client import Client, NotRunning, running
from orchestra.control.handlers import Readiness
from orchestra.control.paths import Place
from orchestra.control.peer import peer_uid
from orchestra.control.server import bound, serving
from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.model.events import Event, OverallChanged
from orchestra.model.status import ErrorStatus, Status

T = TypeVar("T")
REFUSED = ErrorStatus(code="AUTH_FAILED", host="gateway", message="refused", since=1.0)


class Small:
    """Handlers that do what the test says."""

    def __init__(self) -> None:
        self.readiness: asyncio.Future[Readiness] = asyncio.get_running_loop().create_future()
        self.asked = asyncio.Event()
        self.stopped = asyncio.Event()

    def status(self) -> Status:
        return Status(topology="office", name="office", pid=os.getpid(), version="0", file="f", state="starting")

    def variables(self) -> Mapping[str, str]:
        return {"ORCHESTRA_DESK_PORT": "5920"}

    def stop(self) -> None:
        self.stopped.set()

    async def wait_ready(self) -> Readiness:
        self.asked.set()
        return await asyncio.shield(self.readiness)

    async def wait_closed(self) -> None:
        await self.stopped.wait()

    async def events(self) -> AsyncIterator[Event]:
        yield OverallChanged(state="starting")
        await self.stopped.wait()
        yield OverallChanged(state="failed")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path / "office")
    made.directory.mkdir(mode=0o700)
    return made


def ask(place: Place, question: Callable[[Client, Small], T], act: Callable[[Small], object] = lambda _: None) -> T:
    """The answer to a question that is asked in another thread while the server runs; ``act`` comes meanwhile."""

    async def serve() -> T:
        handlers = Small()
        async with serving(handlers, place.socket):
            asked = asyncio.get_running_loop().run_in_executor(None, question, Client(place), handlers)
            act(handlers)
            return await asyncio.wait_for(asked, 10)

    return asyncio.run(serve())


def test_status_and_variables(place: Place) -> None:
    assert ask(place, lambda client, _: client.status()).pid == os.getpid()
    assert ask(place, lambda client, _: client.variables()) == {"ORCHESTRA_DESK_PORT": "5920"}


def test_stop_then_closed_and_the_socket_has_gone(place: Place) -> None:
    def question(client: Client, _: Small) -> None:
        client.stop()
        client.wait_closed(5)

    ask(place, question)
    assert not place.socket.exists()


@pytest.mark.parametrize("readiness", [Readiness(ready=True), Readiness(ready=False, fatal=REFUSED)])
def test_waiting_ends_when_it_is_ready_or_cannot_become_so(place: Place, readiness: Readiness) -> None:
    answer = ask(place, lambda client, _: client.wait_ready(5), lambda small: small.readiness.set_result(readiness))
    assert answer == readiness


def test_waiting_gives_up_after_the_timeout(place: Place) -> None:
    with pytest.raises(TimeoutError):
        ask(place, lambda client, _: client.wait_ready(0.05))


def test_events_begin_with_what_is_true_and_end_with_it(place: Place) -> None:
    events = ask(place, lambda client, _: list(client.events(5)), lambda small: small.stop())
    assert events == [OverallChanged(state="starting"), OverallChanged(state="failed")]


def test_leaving_does_not_wait_for_those_who_wait(place: Place) -> None:
    async def serve() -> None:
        handlers = Small()
        async with serving(handlers, place.socket):
            waiting = asyncio.get_running_loop().run_in_executor(None, Client(place).wait_ready, 30)
            await handlers.asked.wait()
        with pytest.raises(NotRunning):
            await waiting

    asyncio.run(asyncio.wait_for(serve(), 10))


def test_the_socket_is_closed_to_others_and_knows_its_peer(place: Place) -> None:
    def question(_: Client, __: Small) -> tuple[int, int | None]:
        with socket.socket(socket.AF_UNIX) as connected:
            connected.connect(str(place.socket))
            return stat.S_IMODE(place.socket.stat().st_mode), peer_uid(connected)

    assert ask(place, question) == (0o600, os.geteuid())


def test_a_socket_of_another_user_is_not_believed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with bound(place.socket) as listening:
        listening.listen()
        monkeypatch.setattr(os, "geteuid", lambda: 54321)
        with pytest.raises(RuntimeFailure, match="belongs to another user"):
            Client(place).status()


def test_a_question_that_nobody_knows_is_an_error_for_people(place: Place) -> None:
    with pytest.raises(RuntimeFailure, match="office answered 404") as caught:
        ask(place, lambda client, _: client._ask("GET", "/v1/nothing"))
    assert caught.value.code is Code.PROTOCOL_ERROR


def test_nothing_runs(place: Place) -> None:
    with pytest.raises(NotRunning, match="no orchestra named office is running"):
        Client(place).status()
    Client(place).wait_closed(1)
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(place.socket))
    with pytest.raises(NotRunning):
        Client(place).status()
    assert running({"XDG_RUNTIME_DIR": str(place.directory.parent)}) == ()


def test_a_path_that_cannot_be_bound(tmp_path: Path) -> None:
    async def serve() -> None:
        async with serving(Small(), tmp_path / "missing" / "control.sock"):
            raise AssertionError

    with pytest.raises(RuntimeFailure) as caught:
        asyncio.run(serve())
    assert caught.value.code is Code.STATE_UNWRITABLE
