"""Who is answered over TCP, and what."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, TypeVar

import pytest

from orchestra.control import tcp
from orchestra.control.gate import Gate
from orchestra.control.http_address import HttpAddress
from orchestra.control.tcp import serving_tcp
from tests.control.small import Small

T = TypeVar("T")
TOKEN = "t" * 32
KNOWN = {"Authorization": f"Bearer {TOKEN}"}
CLOSED = ["/v1/status", "/v1/events", "/v1/picture", "/metrics", "/nothing"]
PROBES = ["/livez", "/readyz", "/readyz/desk"]


class Asker:
    """Asks a server, from another thread."""

    def __init__(self, port: int, gate: Gate) -> None:
        self.port, self.gate = port, gate

    def __call__(self, path: str, method: str = "GET", body: str | None = None, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


def on_server(test: Callable[[Asker], T], *, loopback: bool = True) -> T:
    async def serve() -> T:
        gate, listening = Gate(TOKEN, asyncio.get_running_loop().time), HttpAddress("127.0.0.1", 0).bind()
        ask, handlers = Asker(listening.getsockname()[1], gate), Small()
        handlers.stop()
        async with serving_tcp(handlers, listening, gate, loopback=loopback):
            found = await asyncio.get_running_loop().run_in_executor(None, test, ask)
        assert listening.fileno() == -1
        return found

    return asyncio.run(asyncio.wait_for(serve(), 20))


def codes(paths: list[str], *, loopback: bool = True, **headers: str) -> list[int]:
    return on_server(lambda ask: [ask(path, **headers)[0] for path in paths], loopback=loopback)


def test_without_a_token_there_are_probes_and_an_empty_page() -> None:
    assert codes([*CLOSED, *PROBES, "/"]) == [401] * len(CLOSED) + [200, 503, 404, 200]


def test_with_the_token_everything_is_answered() -> None:
    assert codes([*CLOSED, *PROBES, "/"], **KNOWN) == [200, 200, 200, 200, 404, 200, 503, 404, 200]


def test_where_others_can_connect_probes_need_the_token_too() -> None:
    assert codes([*PROBES, "/"], loopback=False) == [401, 401, 401, 200]
    assert codes(PROBES, loopback=False, **KNOWN) == [200, 503, 404]


def test_a_wrong_token_is_told_apart_from_none() -> None:
    def challenges(ask: Asker) -> list[tuple[str | None, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", ask.port, timeout=10)
        found = []
        for headers in ({}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": "Basic dDp0"}):
            connection.request("GET", "/v1/status", headers=headers)
            answer = connection.getresponse()
            found.append((answer.headers["WWW-Authenticate"], answer.read().decode()))
        connection.close()
        return found

    missing, *wrong = on_server(challenges)
    assert missing == ("Bearer", "a token is needed: Authorization: Bearer TOKEN\n")
    for challenge, text in wrong:
        assert challenge == 'Bearer error="invalid_token"'
        assert text == "this is no token, or no key, of this orchestra: it has a new one each time it begins\n"


@pytest.mark.parametrize("path", [*CLOSED, *PROBES, "/", "/v1/login"])
def test_a_name_that_leads_here_is_of_no_use_to_its_owner(path: str) -> None:
    assert codes([path], Host="evil.example:80") == [421]


def test_who_has_the_token_may_use_any_name() -> None:
    assert codes(["/v1/status"], Host="orchestra.example", **KNOWN) == [200]


def answered(ask: Asker) -> int | None:
    """The code of an answer, if there is one."""
    try:
        return ask("/livez")[0]
    except ConnectionError:
        return None


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline


def test_who_comes_when_all_places_are_taken_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "MOST", 2)

    def test(ask: Asker) -> None:
        with ExitStack() as silent:
            for _ in range(2):
                silent.enter_context(socket.create_connection(("127.0.0.1", ask.port), timeout=10))
            until(lambda: answered(ask) is None)
        until(lambda: answered(ask) == 200)

    on_server(test)


@pytest.mark.parametrize("path", ["/v1/stop", "/v1/variables", "/v1/logs", "/v1/tickets", "/v1/wait", "/v1/reload"])
def test_nothing_can_be_changed_here(path: str) -> None:
    def ask_both(ask: Asker) -> list[int]:
        return [ask(path, method, **KNOWN)[0] for method in ("GET", "POST")]

    assert on_server(ask_both) == [404, 404]


def test_a_ticket_lets_a_browser_in_once() -> None:
    def visit(ask: Asker) -> list[Any]:
        body = json.dumps({"ticket": ask.gate.issue()})
        first, said = ask("/v1/login", "POST", body)
        key = json.loads(said)["key"]
        return [first, ask("/v1/login", "POST", body)[0], ask("/v1/status", Authorization=f"Bearer {key}")[0]]

    assert on_server(visit) == [200, 403, 200]


@pytest.mark.parametrize(
    ("body", "code"), [("", 400), ("[]", 400), ("{", 400), ('{"ticket": 1}', 403), ("x" * 5000, 413)]
)
def test_what_is_no_ticket(body: str, code: int) -> None:
    assert on_server(lambda ask: ask("/v1/login", "POST", body))[0] == code


def test_a_login_by_another_page_of_this_machine_gives_that_page_nothing() -> None:
    """It would need the ticket; and no answer may be read by another origin."""

    def visit(ask: Asker) -> tuple[int, str]:
        return ask("/v1/login", "OPTIONS", Origin="http://127.0.0.1:1", **{"Access-Control-Request-Method": "POST"})

    assert on_server(visit)[0] == 405
