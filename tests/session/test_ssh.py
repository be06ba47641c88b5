"""What servers say, as codes and messages for people."""

import asyncssh
import pytest

from orchestra.diagnostics import Code
from orchestra.session import DialRefused, OpenFailed, SessionLost
from orchestra.session.ssh import (
    CONNECT_FAILED,
    PROHIBITED,
    SHORTAGE,
    UNKNOWN_TYPE,
    SshAttempt,
    bind_refused,
    command_refused,
    dial_refused,
    session_lost,
)

ATTEMPT = SshAttempt(server="gw", by="laptop", address="10.0.0.2:22", user="ops", timeout=10.0)


def test_the_numbers_are_those_of_rfc_4254() -> None:
    assert (asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, asyncssh.OPEN_CONNECT_FAILED) == (PROHIBITED, CONNECT_FAILED)
    assert (asyncssh.OPEN_UNKNOWN_CHANNEL_TYPE, asyncssh.OPEN_RESOURCE_SHORTAGE) == (UNKNOWN_TYPE, SHORTAGE)


@pytest.mark.parametrize(
    ("number", "reason", "code"),
    [
        (PROHIBITED, "open failed", Code.FORWARD_REFUSED),
        (UNKNOWN_TYPE, "", Code.FORWARD_REFUSED),
        (SHORTAGE, "", Code.DIAL_FAILED),
        (CONNECT_FAILED, "Connection refused", Code.CONNECT_REFUSED),
        (CONNECT_FAILED, "Connection timed out", Code.CONNECT_TIMEOUT),
        (CONNECT_FAILED, "Name or service not known", Code.NAME_UNRESOLVED),
        (CONNECT_FAILED, "Temporary failure in name resolution", Code.NAME_UNRESOLVED),
        (CONNECT_FAILED, "No route to host", Code.DIAL_FAILED),
        (CONNECT_FAILED, "open failed", Code.DIAL_FAILED),
    ],
)
def test_a_refused_channel(number: int, reason: str, code: Code) -> None:
    refusal = dial_refused("gw", "db:5432", number, reason)
    assert refusal.code == code
    assert str(refusal).startswith("gw dials db:5432: ")


def test_of_unix_sockets_the_keyword_is_another() -> None:
    refusal = dial_refused("gw", "unix:/x", CONNECT_FAILED, "open failed")
    assert (refusal.code, "AllowStreamLocalForwarding" in (refusal.suggestion or "")) == (Code.DIAL_FAILED, True)
    assert "StreamLocalBindUnlink" in (bind_refused("gw", "unix:/x", []).suggestion or "")
    said = ["Server has disabled streamlocal forwarding."]
    assert "AllowStreamLocalForwarding" in (bind_refused("gw", "unix:/x", said).suggestion or "")


def test_what_a_server_says_is_cleaned() -> None:
    refusal = dial_refused("gw", "db:1", CONNECT_FAILED, "a\x1b[2Jb")
    assert "\x1b" not in str(refusal)
    assert "\x1b" not in str(bind_refused("gw", "*:1", ["\x1b]0;x"]))


def test_a_listener_that_the_server_disabled_names_the_keyword() -> None:
    refused = bind_refused("gw", "localhost:80", iter(["Server has disabled port forwarding."]))
    assert (refused.code, "Server has disabled port forwarding." in str(refused)) == (Code.FORWARD_REFUSED, True)
    assert "AllowTcpForwarding" in (refused.suggestion or "")


def test_a_command_may_be_one_too_many() -> None:
    refused = command_refused("gw", "open failed")
    assert (refused.code, "MaxSessions" in (refused.suggestion or "")) == (Code.FORWARD_REFUSED, True)


def test_no_answer_in_time_is_told_with_what_the_server_was_at() -> None:
    assert "did not answer in 10 s" in str(ATTEMPT.timed_out())
    assert "(key exchange)" in str(ATTEMPT.timed_out("key exchange"))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DialRefused(Code.CONNECT_REFUSED, "refused", host="edge"), Code.CONNECT_REFUSED),
        (DialRefused(Code.DIAL_FAILED, "no route", host="edge"), Code.CONNECT_FAILED),
        (SessionLost(Code.SESSION_LOST, "gone", host="edge"), Code.CONNECT_FAILED),
    ],
)
def test_who_dials_for_it_is_blamed_for_what_it_could_not(error: DialRefused | SessionLost, code: Code) -> None:
    failed = ATTEMPT.below_failed(error)
    assert (type(failed), failed.code, failed.host, str(failed)) == (OpenFailed, code, "edge", f"gw: {error}")


@pytest.mark.parametrize("said", ["Server is not responding to keepalive", "Timeout, server gw not responding."])
def test_silence_is_told_in_one_way(said: str) -> None:
    assert "it no longer answers (keepalive)" in str(lost := session_lost("gw", said, "something else"))
    assert "ssh.keepalive" in (lost.suggestion or "")
