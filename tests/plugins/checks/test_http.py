"""Requests, and what the answers have to be."""

from __future__ import annotations

import pytest
from orchestra_plugins.checks.http import judge_status_line

from orchestra.testing.targets import Step, after
from tests.plugins.checks.subjects import faults, said


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"HTTP/1.1 200 OK", None),
        (b"HTTP/1.1 204", None),
        (b"HTTP/1.0 302 Found", None),
        (b"HTTP/1.1 401 Unauthorized", None),
        (b"HTTP/1.1 502 Bad Gateway", "it answered 502 Bad Gateway"),
        (b"SSH-2.0-OpenSSH_9.2", "this is not HTTP: SSH-2.0-OpenSSH_9.2"),
        (b"HTTP/1.1 ok\x1b[2J", "this is not HTTP: HTTP/1.1 ok·[2J"),
        (b"", "this is not HTTP: "),
    ],
)
def test_a_status_line(line: bytes, problem: str | None) -> None:
    assert judge_status_line(line) == problem


def request(*lines: str) -> Step:
    """An answer, to exactly that request."""
    wanted = "".join(f"{line}\r\n" for line in (*lines, "")).encode()
    return lambda heard: b"HTTP/1.1 200 OK\r\n\r\n" if heard == wanted else None


def test_what_is_asked() -> None:
    usual = ("Host: desk", "Connection: close")
    assert said("http", request("GET / HTTP/1.1", *usual)) is None
    options = {"method": "HEAD", "path": "/x?y=z", "host": "shop.example:8080", "headers": {"X-A": "b"}}
    asked = ("HEAD /x?y=z HTTP/1.1", "Host: shop.example:8080", "Connection: close", "X-A: b")
    assert said("http", request(*asked), **options) is None


PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nall is well"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6;x=y\r\nall is\r\n5\r\n well\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "expect", "problem"),
    [
        (PLAIN, "is well$", None),
        (CHUNKS, "is well$", None),
        (PLAIN, "lost", "it answered 'HTTP/1.1 200 OK', with a page in which 'lost' is not found"),
        (CHUNKS, "lost", "it answered 'HTTP/1.1 200 OK', with a page in which 'lost' is not found"),
        (PLAIN.replace(b"11", b"eleven"), "x", "its page is no page of HTTP: it is 'eleven' long"),
        (CHUNKS.replace(b"6;", b"six;"), "x", "its page is no page of HTTP: it is 'six;x=y' long"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300, "x", "it sent more than 200 headers"),
    ],
)
def test_a_page(answer: bytes, expect: str, problem: str | None) -> None:
    assert said("http", after(b"\r\n\r\n", answer), expect=expect) == problem


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        ("{type: http, status: 200}", None),
        ("{type: http, status: 200-299}", None),
        ("{type: https, status: [200, 300-399], headers: {Accept: '*/*'}, path: /a?b, method: POST}", None),
        ("{type: http, status: 99}", "a status is 200, or a range"),
        ("{type: http, status: []}", "a status is 200, or a range"),
        ("{type: http, status: 299-200}", "write 200-299"),
        ("{type: http, status: yes}", "a status is 200, or a range"),
        ("{type: http, path: 'a b'}", "path: "),
        ("{type: http, method: 'GET / X'}", "method: "),
        ('{type: http, headers: {A: "b\\r\\nC: d"}}', "line break"),
        ("{type: http, headers: {'a b': c}}", "is no name of a header"),
        ("{type: http, headers: {Host: c}}", "`host` names the host"),
        ("{type: http, pth: /}", "pth: unknown key 'pth'"),
    ],
)
def test_what_a_file_may_say(check: str, problem: str | None) -> None:
    found = faults(check)
    assert bool(found) == bool(problem), found
    assert not problem or problem in found[0]
