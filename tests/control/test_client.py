"""What a client makes of answers, of silence, and of sockets that nobody listens on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import pytest

from orchestra import __version__
from orchestra.control.claim import Claim, Info
from orchestra.control.client import Client, NotRunning, running
from orchestra.control.paths import Place
from orchestra.control.server import bound
from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from tests.control.small import Small, ask


def test_stop_then_closed_and_the_socket_has_gone(place: Place) -> None:
    def question(client: Client, _: Small) -> None:
        client.stop()
        client.wait_closed(5)

    ask(place, question)
    assert not place.socket.exists()


def test_waiting_gives_up_after_the_timeout(place: Place) -> None:
    with pytest.raises(TimeoutError):
        ask(place, lambda client, _: client.wait_ready(0.05))


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


def test_one_that_is_only_just_coming_up_is_starting(place: Place) -> None:
    info = Info(name="office", topology="office", pid=os.getpid(), file="f", version="0", started=0.0)
    with Claim.take(place, info):
        assert Client(place).status().state == "starting"
        assert [status.name for status in running({"XDG_RUNTIME_DIR": str(place.directory.parent)})] == []
        with pytest.raises(TimeoutError):
            Client(place).wait_ready(0.05)
        with pytest.raises(TimeoutError):
            Client(place).wait_closed(0.05)
    with pytest.raises(NotRunning):
        Client(place).wait_ready(0.05)


def test_one_that_has_not_yet_written_who_it_is_is_ended_all_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as coming_up:
        who = Info(name="office", topology="office", pid=coming_up.pid, file="f", version=__version__, started=0.0)
        with Claim.take(place, who), monkeypatch.context() as meanwhile:
            place.info.rename(place.draft)
            meanwhile.setattr("orchestra.control.client.time.sleep", lambda _: place.draft.replace(place.info))
            Client(place).stop()
        assert coming_up.wait(10) == -signal.SIGTERM


def test_the_client_is_cheap_to_import() -> None:
    program = "import sys, orchestra.control.client; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=30)
    assert not {"asyncio", "aiohttp", "asyncssh", "networkx", "pydantic", "typer", "rich"} & set(loaded.stdout.split())


def at_version(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """This command is of that version; the server still is of its own."""
    monkeypatch.setattr("orchestra.control.client.__version__", version)


def test_another_version_says_so_once_and_works_when_it_is_near(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    at_version(monkeypatch, "0.2.7")
    said: list[str] = []

    def question(client: Client, _: Small) -> int:
        asking = Client(client.place, said.append)
        asking.status()
        return len(asking.variables())

    assert ask(place, question) == 1
    assert said == [f"office is run by orchestra {__version__}, and this command is 0.2.7"]


def test_a_version_that_is_far_can_look_and_end_it_and_nothing_else(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_version(monkeypatch, "7.0.0")
    said: list[str] = []

    def question(client: Client, _: Small) -> str:
        with pytest.raises(RuntimeFailure, match="too far apart") as caught:
            client.variables()
        assert caught.value.code is Code.VERSION_MISMATCH
        asking = Client(client.place, said.append)
        state = asking.status().state
        asking.take_down(5)
        return state

    assert ask(place, question) == "starting"
    assert said == [
        f"office is run by orchestra {__version__}, and this command is 7.0.0: much of what it says may be missing here"
    ]


def test_an_answer_that_is_no_status(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestra.control.looking.encode_status", lambda _: {"sessions": []})
    with pytest.raises(RuntimeFailure, match="what is no status") as caught:
        ask(place, lambda client, _: client.status())
    assert caught.value.code is Code.PROTOCOL_ERROR
