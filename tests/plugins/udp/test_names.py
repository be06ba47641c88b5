"""What is known of names; that a silent name server holds up nobody else is shown with the helper as a process."""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Iterator

import pytest
from orchestra_plugins.udp import names
from orchestra_plugins.udp.names import FAILED_KEPT, KEPT, Names

DEADLINE = 20.0
NOWHERE = "no-such-host.invalid"


@pytest.fixture
def asked() -> Iterator[Names]:
    made = Names()
    yield made
    for each in made.bell:
        os.close(each)


def told(asked: Names, now: float) -> list[tuple[object, list[object], OSError | None]]:
    """What it says when there is something to say."""
    assert select.select([asked.bell[0]], [], [], DEADLINE)[0]
    return asked.take(now)


def test_an_address_is_known_at_once(asked: Names) -> None:
    found = asked.find("127.0.0.1", 53, 0.0, "me")
    assert found is not None
    assert ([each[4] for each in found[0]], found[1]) == ([("127.0.0.1", 53)], None)
    assert not asked.wanted


def test_who_waits_for_a_name_is_told_and_the_answer_kept(asked: Names) -> None:
    assert asked.find("localhost", 53, 0.0, "me") is None
    assert asked.find("localhost", 53, 0.0, "you") is None
    answers = told(asked, 5.0)
    assert [who for who, _, failure in answers if failure is None] == ["me", "you"]
    addresses = answers[0][1]
    assert addresses
    assert asked.find("localhost", 53, 5.0 + KEPT - 1, "them") == (addresses, None)
    assert asked.find("localhost", 53, 5.0 + KEPT, "them") is None
    assert [who for who, *_ in told(asked, 60.0)] == ["them"]


def test_that_a_name_has_no_address_is_kept_for_less_long(asked: Names) -> None:
    assert asked.find(NOWHERE, 53, 0.0, "me") is None
    ((who, found, failure),) = told(asked, 0.0)
    assert (who, found, isinstance(failure, socket.gaierror)) == ("me", [], True)
    assert asked.find(NOWHERE, 53, FAILED_KEPT - 1, "you") == ([], failure)
    assert asked.find(NOWHERE, 53, FAILED_KEPT, "you") is None
    told(asked, 9.0)


def test_what_cannot_be_a_name_has_no_address(asked: Names) -> None:
    assert asked.find("no\0name", 53, 0.0, "me") is None
    ((_, found, failure),) = told(asked, 0.0)
    assert (found, isinstance(failure, socket.gaierror)) == ([], True)


def test_where_there_is_no_thread_to_be_had_the_name_is_looked_up_all_the_same(asked: Names) -> None:
    usual = threading.stack_size(1 << 46)  # more than there is room for
    try:
        assert asked.find("localhost", 53, 0.0, "me") is None
        assert select.select([asked.bell[0]], [], [], 0)[0]
    finally:
        threading.stack_size(usual)
    assert [who for who, *_ in asked.take(0.0)] == ["me"]


def test_names_are_forgotten_when_there_are_too_many(asked: Names) -> None:
    asked.known = {(str(number), 53): (9.0, [], None) for number in range(names.NAMES)}
    asked.find("localhost", 53, 0.0, "me")
    told(asked, 0.0)
    assert list(asked.known) == [("localhost", 53)]
