"""Handshakes of RFB, of each version."""

from __future__ import annotations

import pytest
from orchestra_plugins.checks.vnc import response

from orchestra.testing.targets import Step, after
from tests.plugins.checks.subjects import PASSWORD, faults, said

CHALLENGE = bytes(range(16))
GOOD, BAD = bytes(4), b"\0\0\0\1\0\0\0\3no!"
WITH = {"password": PASSWORD}


def test_the_response_is_what_servers_expect() -> None:
    salt = bytes((23, 82, 107, 6, 35, 78, 88, 7))
    assert response(salt, b"password").hex() == "dbd83cfd727a1458"  # what vncpasswd writes


def answered(result: bytes) -> Step:
    wanted = response(b"s3cret", CHALLENGE)
    return lambda heard: result if heard == wanted else None


@pytest.mark.parametrize(
    ("steps", "options", "problem"),
    [
        ((b"RFB 003.008\n", after(b"008", b"\1\1"), after(b"\1", GOOD)), {}, None),
        ((b"RFB 004.001\n", after(b"003.008", b"\1\1"), after(b"\1", GOOD)), {}, None),
        ((b"RFB 003.008\n", after(b"008", b"\1\2")), {}, None),
        ((b"RFB 003.007\n", after(b"007", b"\1\1")), {}, None),
        ((b"RFB 003.003\n", after(b"003.003", b"\0\0\0\1")), {}, None),
        ((b"RFB 003.003\n", after(b"003.003", b"\0\0\0\2" + CHALLENGE), answered(GOOD)), WITH, None),
        ((b"RFB 003.008\n", after(b"008", b"\2\1\2"), after(b"\2", CHALLENGE), answered(GOOD)), WITH, None),
        (
            (b"RFB 003.008\n", after(b"008", b"\1\2"), after(b"\2", CHALLENGE), answered(BAD)),
            WITH,
            "it refuses the login: no!",
        ),
        ((b"RFB 003.008\n", after(b"008", b"\1\1")), WITH, "it does not ask for a password"),
        ((b"RFB 003.008\n", after(b"008", b"\0\0\0\0\3no!")), {}, "it refuses: no!"),
        ((b"RFB 003.003\n", after(b"003", b"\0\0\0\0\0\0\0\3no!")), {}, "it refuses: no!"),
        ((b"SSH-2.0-OpenSSH\r\n",), {}, "this is not VNC: it greeted with 'SSH-2.0-Open'"),
    ],
)
def test_what_it_takes(steps: tuple[Step, ...], options: dict[str, object], problem: str | None) -> None:
    assert said("vnc", *steps, **options) == problem


def test_what_a_file_may_say() -> None:
    assert faults("{type: vnc, password: {env: PW}}") == []
    assert "a secret is not written into the file" in faults("{type: vnc, password: s3cret}")[0]
