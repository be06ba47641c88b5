"""Negotiations, and logins that are begun."""

from __future__ import annotations

import pytest
from orchestra_plugins.checks.postgres import error_text, startup

from orchestra.testing.targets import Step, after
from tests.plugins.checks.subjects import PG_LOGIN, faults, said

NO_TLS = after(rb"\x04\xd2\x16\x2f", b"N")
FATAL = b"SFATAL\0C28000\0Mno such\x1brole\0\0"


def error(body: bytes) -> bytes:
    return b"E" + (4 + len(body)).to_bytes(4) + body


def test_a_startup_message() -> None:
    assert startup("me", None) == b"\0\0\0\x2c\0\x03\0\0user\0me\0application_name\0orchestra\0\0"
    assert startup("me", "x")[8:] == b"user\0me\0database\0x\0application_name\0orchestra\0\0"


def test_an_error() -> None:
    assert error_text(FATAL) == "FATAL 28000 no such·role"


@pytest.mark.parametrize(
    ("steps", "options", "problem"),
    [
        ((NO_TLS,), {}, None),
        ((NO_TLS, after(b"user", PG_LOGIN)), {"user": "me"}, None),
        ((NO_TLS, after(b"user", b"R\0\0\0\x08\0\0\0\0")), {"user": "me"}, None),
        ((NO_TLS, after(b"user", error(FATAL))), {"user": "me"}, "it refuses me: FATAL 28000 no such·role"),
        ((after(b".", error(FATAL)),), {}, "it refuses: FATAL 28000 no such·role"),
        ((NO_TLS,), {"tls": True}, "it does not speak TLS"),
        ((b"-ERR\r\n",), {}, "this is not PostgreSQL: it answered with '-'"),
        ((NO_TLS, after(b"user", b"R\xff\xff\xff\xff")), {"user": "me"}, "this is not PostgreSQL"),
    ],
)
def test_what_it_takes(steps: tuple[Step, ...], options: dict[str, object], problem: str | None) -> None:
    assert said("postgres", *steps, **options) == problem


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        ("{type: postgres, user: me, database: x, tls: yes, insecure: yes}", None),
        ("{type: postgres, database: x}", "write `user` too"),
        ("{type: postgres, ca: x}", "write `tls: yes` too"),
        ("{type: postgres, user: ''}", "user: "),
    ],
)
def test_what_a_file_may_say(check: str, problem: str | None) -> None:
    found = faults(check)
    assert bool(found) == bool(problem), found
    assert not problem or problem in found[0]
