"""What the control socket answers, asked by the client; the handlers are small."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from orchestra.control.client import Client, NotRunning
from orchestra.control.handlers import Readiness
from orchestra.control.paths import Place
from orchestra.control.server import serving
from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.model.events import Closed, OverallChanged
from orchestra.model.status import ErrorStatus
from tests.control.small import Small, ask

REFUSED = ErrorStatus(code="AUTH_FAILED", host="gateway", message="refused", since=1.0)


def test_status_and_variables(place: Place) -> None:
    assert ask(place, lambda client, _: client.status()).pid == os.getpid()
    assert ask(place, lambda client, _: client.variables()) == {"ORCHESTRA_DESK_PORT": "5920"}


@pytest.mark.parametrize("readiness", [Readiness(ready=True), Readiness(ready=False, fatal=REFUSED)])
def test_waiting_ends_when_it_is_ready_or_cannot_become_so(place: Place, readiness: Readiness) -> None:
    answer = ask(place, lambda client, _: client.wait_ready(5), lambda small: small.readiness.set_result(readiness))
    assert answer == readiness


def test_events_begin_with_what_is_true_and_end_with_it(place: Place) -> None:
    events = ask(place, lambda client, _: list(client.events(5)), lambda small: small.stop())
    assert [told.event for told in events] == [OverallChanged(state="starting"), Closed()]


def test_leaving_does_not_wait_for_those_who_wait(place: Place) -> None:
    async def serve() -> None:
        handlers = Small()
        async with serving(handlers, place.socket):
            waiting = asyncio.get_running_loop().run_in_executor(None, Client(place).wait_ready, 30)
            await handlers.asked.wait()
        with pytest.raises(NotRunning):
            await waiting

    asyncio.run(asyncio.wait_for(serve(), 10))


def test_a_path_that_cannot_be_bound(tmp_path: Path) -> None:
    async def serve() -> None:
        async with serving(Small(), tmp_path / "missing" / "control.sock"):
            raise AssertionError

    with pytest.raises(RuntimeFailure) as caught:
        asyncio.run(serve())
    assert caught.value.code is Code.STATE_UNWRITABLE


def test_the_socket_is_closed_to_others(place: Place) -> None:
    assert ask(place, lambda *_: stat.S_IMODE(place.socket.stat().st_mode)) == 0o600


def test_another_user_who_reached_it_is_sent_away(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestra.control.server.is_own_user", lambda _: False)
    with pytest.raises(RuntimeFailure, match="office answered 403: this orchestra belongs to another user"):
        ask(place, lambda client, _: client.status())
