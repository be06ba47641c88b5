"""What is known of names; that a silent name server holds up nobody else is shown with the helper as a process."""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from orchestra_plugins.udp import names
from orchestra_plugins.udp.names import FAILED_KEPT, KEPT, LOOKUPS, QUEUED, Names, addresses, in_thread

from tests.plugins.udp.rig import Lookups

DEADLINE = 20.0
NOWHERE = socket.gaierror(socket.EAI_NONAME, "no such host")


@pytest.fixture
def lookups() -> Lookups:
    return Lookups()


@pytest.fixture
def make() -> Iterator[Callable[..., Names]]:
    """Makes Names, whose bell is closed at the end."""
    made = list[Names]()

    def one(*given: Any) -> Names:
        made.append(Names(*given))
        return made[-1]

    yield one
    for each in made:
        for end in each.bell:
            os.close(end)


@pytest.fixture
def asked(make: Callable[..., Names], lookups: Lookups) -> Names:
    return make(lookups.look, lookups.begin)


def test_an_address_is_known_at_once(asked: Names, lookups: Lookups) -> None:
    found = asked.find("127.0.0.1", 53, 0.0, "me")
    assert found is not None
    assert ([each[4] for each in found[0]], found[1]) == ([("127.0.0.1", 53)], None)
    assert not lookups.begun


def test_who_waits_for_a_name_is_told_and_the_answer_kept(asked: Names, lookups: Lookups) -> None:
    assert asked.find("a.example", 53, 0.0, "me") is None
    assert asked.find("a.example", 53, 0.0, "you") is None
    lookups.end("a.example")
    addresses = lookups.answers["a.example"][0]
    assert asked.take(5.0) == [("me", addresses, None), ("you", addresses, None)]
    assert asked.find("a.example", 53, 5.0 + KEPT - 1, "them") == (addresses, None)
    assert asked.find("a.example", 53, 5.0 + KEPT, "them") is None
    lookups.end("a.example")
    assert [who for who, *_ in asked.take(60.0)] == ["them"]


def test_that_a_name_has_no_address_is_kept_for_less_long(asked: Names, lookups: Lookups) -> None:
    lookups.answers["a.example"] = [], NOWHERE
    assert asked.find("a.example", 53, 0.0, "me") is None
    lookups.end("a.example")
    assert asked.take(0.0) == [("me", [], NOWHERE)]
    assert asked.find("a.example", 53, FAILED_KEPT - 1, "you") == ([], NOWHERE)
    assert asked.find("a.example", 53, FAILED_KEPT, "you") is None


def test_what_cannot_be_a_name_has_no_address() -> None:
    found, failure = addresses("no\0name", 53)
    assert (found, type(failure)) == ([], socket.gaierror)


def test_a_name_is_looked_up_in_a_thread(make: Callable[..., Names], lookups: Lookups) -> None:
    asked = make(lookups.look, in_thread)
    assert asked.find("a.example", 53, 0.0, "me") is None
    assert select.select([asked.bell[0]], [], [], DEADLINE)[0]
    assert asked.take(0.0) == [("me", *lookups.answers["a.example"])]


def test_where_there_is_no_thread_to_be_had_the_name_is_looked_up_all_the_same(
    make: Callable[..., Names], lookups: Lookups
) -> None:
    def none(*_: Any) -> None:
        raise RuntimeError("can't start new thread")

    asked = make(lookups.look, none)
    assert asked.find("a.example", 53, 0.0, "me") is None
    assert asked.take(0.0) == [("me", *lookups.answers["a.example"])]


def test_names_are_forgotten_when_there_are_too_many(asked: Names, lookups: Lookups) -> None:
    asked.known = {(str(number), 53): (9.0, [], None) for number in range(names.NAMES)}
    asked.find("a.example", 53, 0.0, "me")
    lookups.end("a.example")
    asked.take(0.0)
    assert list(asked.known) == [("a.example", 53)]


def fill(asked: Names) -> None:
    """As many names are looked up as may be at once."""
    for number in range(LOOKUPS):
        assert asked.find(f"{number}.example", 53, 0.0, number) is None


def test_a_name_that_nobody_waits_for_any_more_has_no_turn(asked: Names, lookups: Lookups) -> None:
    fill(asked)
    for who, host in enumerate(["left.example", "shared.example", "shared.example", "next.example"], LOOKUPS):
        assert asked.find(host, 53, 0.0, who) is None
    asked.withdraw("left.example", 53, LOOKUPS)
    asked.withdraw("shared.example", 53, LOOKUPS + 1)
    for host in ("0.example", "1.example"):
        lookups.end(host)
    assert [who for who, *_ in asked.take(0.0)] == [0, 1]
    assert list(lookups.begun)[-2:] == ["shared.example", "next.example"]
    lookups.end("shared.example")
    assert [who for who, *_ in asked.take(0.0)] == [LOOKUPS + 2]


def test_what_is_looked_up_for_nobody_is_not_looked_up_twice(asked: Names, lookups: Lookups) -> None:
    assert asked.find("a.example", 53, 0.0, "me") is None
    asked.withdraw("a.example", 53, "me")
    assert asked.find("a.example", 53, 0.0, "you") is None
    assert list(lookups.begun) == ["a.example"]
    lookups.end("a.example")
    assert [who for who, *_ in asked.take(0.0)] == ["you"]


def test_one_name_more_than_may_wait_is_refused_until_another_is_withdrawn(asked: Names) -> None:
    fill(asked)
    for number in range(QUEUED):
        assert asked.find(f"waits-{number}.example", 53, 0.0, f"who {number}") is None
    refused = asked.find("more.example", 53, 0.0, "me")
    assert refused is not None
    assert (refused[0], refused[1] and refused[1].errno) == ([], errno.EUSERS)
    assert asked.find("waits-0.example", 53, 0.0, "me") is None  # which waits already
    assert asked.find("127.0.0.1", 53, 0.0, "me") is not None
    asked.withdraw("waits-7.example", 53, "who 7")
    assert asked.find("more.example", 53, 0.0, "me") is None
