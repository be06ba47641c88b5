"""PING, and AUTH before it."""

from __future__ import annotations

import pytest
from orchestra_plugins.checks.redis import command

from orchestra.testing.targets import Step, after
from tests.plugins.checks.subjects import PASSWORD, faults, said


def test_a_command_may_have_anything_in_its_words() -> None:
    assert command(b"AUTH", b"a b\r\n") == b"*2\r\n$4\r\nAUTH\r\n$5\r\na b\r\n\r\n"


@pytest.mark.parametrize(
    ("steps", "options", "problem"),
    [
        ((after(b"PING", b"+PONG\r\n"),), {}, None),
        ((after(b"PING", b"-NOAUTH Authentication required.\r\n"),), {}, None),
        ((after(b"PING", b"-LOADING\r\n"),), {}, "it answered PING with '-LOADING'"),
        ((after(b"PING", b"HTTP/1.1 400\r\n"),), {}, "it answered PING with 'HTTP/1.1 400'"),
        ((after(b"s3cret", b"+OK\r\n"), after(b"PING", b"+PONG\r\n")), {"password": PASSWORD}, None),
        ((after(b"s3cret", b"-WRONGPASS x\r\n"),), {"password": PASSWORD}, "it answered AUTH with '-WRONGPASS x'"),
        (
            (after(b"s3cret", b"+OK\r\n"), after(b"PING", b"-NOAUTH x\r\n")),
            {"password": PASSWORD},
            "it answered PING with '-NOAUTH x'",
        ),
    ],
)
def test_what_it_takes(steps: tuple[Step, ...], options: dict[str, object], problem: str | None) -> None:
    assert said("redis", *steps, **options) == problem


def test_what_a_file_may_say() -> None:
    assert faults("{type: redis, user: me, password: {env: PW}}") == []
    assert "write `password` too" in faults("{type: redis, user: me}")[0]
    assert "a secret is not written into the file" in faults("{type: redis, password: s3cret}")[0]
