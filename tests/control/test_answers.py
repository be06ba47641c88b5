"""What the control socket answers, asked by the client; the handlers are small."""

from __future__ import annotations

import os
from contextlib import closing

import pytest

from orchestra.control.client import Client, _Connection
from orchestra.control.handlers import Readiness
from orchestra.control.paths import Place
from orchestra.control.versions import HEADER
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


def test_another_user_who_reached_it_is_sent_away(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestra.control.answers.is_own_user", lambda _: False)
    with pytest.raises(RuntimeFailure, match="office answered 403: this orchestra belongs to another user"):
        ask(place, lambda client, _: client.status())


def test_the_log_the_page_and_the_metrics(place: Place) -> None:
    def question(client: Client, _: Small) -> tuple[str, str | None, str]:
        def read(path: str) -> str:
            with client._answer("GET", path, 5) as response:
                return response.read().decode()

        return read("/v1/logs"), client.invitation(), read("/metrics")

    log, url, metrics = ask(place, question)
    assert (log, url) == ("it starts\n", "http://127.0.0.1:1/#ticket")
    assert 'orchestra_state{state="starting"} 1.0' in metrics


def test_a_probe_of_its_own_user_reads_why(place: Place) -> None:
    with pytest.raises(RuntimeFailure, match="office answered 503: not ready: starting"):
        ask(place, lambda client, _: client._ask("GET", "/readyz"))


@pytest.mark.parametrize(("theirs", "code"), [("7.0.0", 409), ("0.2.0", 200), (None, 200)])
def test_a_command_of_a_version_that_is_far_is_not_obeyed(place: Place, theirs: str | None, code: int) -> None:
    def question(client: Client, _: Small) -> int:
        with closing(_Connection(client.place, 5)) as connection:
            connection.request("POST", "/v1/tickets", headers={} if theirs is None else {HEADER: theirs})
            return connection.getresponse().status

    assert ask(place, question) == code
