"""A search ends, whatever a target wrote for it."""

from __future__ import annotations

import signal
import threading
import time

import pytest
from orchestra_plugins.checks.searching import ALLOWED, Search

from orchestra.session import NoAnswer


def test_it_looks_anywhere_in_text() -> None:
    search = Search("gr(ü|ue)n")
    assert [search.finds(text) for text in (b"", b"gr", "ein grün".encode(), b"\xffgruen\xff")] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("expression", "text"),
    [("(a+)+$", b"a" * 40 + b"b"), ("(.*)*(.*)*x", b"a" * 8192), ("a*a*a*a*b", b"a" * 8192)],
)
def test_what_has_no_end_is_ended(expression: str, text: bytes) -> None:
    former = signal.getsignal(signal.SIGVTALRM)
    begun = time.process_time()
    with pytest.raises(NoAnswer, match="takes too long"):
        Search(expression).finds(text)
    assert time.process_time() - begun < 5 * ALLOWED
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)
    assert signal.getsignal(signal.SIGVTALRM) is former


def test_the_time_is_for_all_its_searches() -> None:
    search = Search("a*a*b")
    assert not search.finds(b"a" * 200)

    def again() -> None:
        while not search.finds(b"a" * 200):
            pass

    begun = time.process_time()
    with pytest.raises(NoAnswer, match="takes too long"):
        again()
    assert time.process_time() - begun < 5 * ALLOWED


def test_in_another_thread_it_searches_as_well() -> None:
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(Search("b").finds(b"abc")))
    thread.start()
    thread.join()
    assert found == [True]
