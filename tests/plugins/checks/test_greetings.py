"""Greetings in lines, good and bad."""

from __future__ import annotations

import pytest

from orchestra.testing.targets import after
from tests.plugins.checks.subjects import said


@pytest.mark.parametrize(
    ("name", "greeting", "problem"),
    [
        ("smtp", b"220 mail.example ESMTP\r\n", None),
        ("smtp", b"220\r\n", None),
        ("smtp", b"220-one\r\n220-two\r\n220 three\r\n", None),
        ("smtp", b"554 go away\r\n", "it greeted with '554 go away'"),
        ("smtp", b"220-one\r\n421 busy\r\n", "it greeted with '421 busy'"),
        ("smtp", b"2200 x\r\n", "it greeted with '2200 x'"),
        ("smtp", b"220-more\r\n" * 200, "its greeting has more than 100 lines"),
        ("ftp", b"220-Welcome\r\n220 ready\r\n", None),
        ("ftp", b"120 in 5 minutes\r\n", "it greeted with '120 in 5 minutes'"),
        ("pop3", b"+OK POP3 ready <1896.697170952@dbc.mtview.ca.us>\r\n", None),
        ("pop3", b"-ERR \x1b[2J\r\n", "it greeted with '-ERR ·[2J'"),
        ("imap", b"* OK IMAP4rev2\r\n", None),
        ("imap", b"* preauth\n", None),
        ("imap", b"* BYE overloaded\r\n", "it greeted with '* BYE overloaded'"),
    ],
)
def test_a_greeting(name: str, greeting: bytes, problem: str | None) -> None:
    assert said(name, greeting, after(b"QUIT|LOGOUT", b"bye\r\n")) == problem


def test_nobody_speaks_before_the_greeting_is_over() -> None:
    early: list[bytes] = []

    def rest(heard: bytes) -> bytes:
        early.append(heard)
        return b"220 end\r\n"

    assert said("smtp", b"220-wait\r\n", rest) is None
    assert early == [b""]
