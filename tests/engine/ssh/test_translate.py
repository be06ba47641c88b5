"""What servers and asyncssh say, as codes and messages for people."""

import asyncssh
import pytest

from orchestra.diagnostics import Code
from orchestra.engine.ssh.translate import Attempt, bind_refused, dial_refused, open_failed, session_lost
from orchestra.session import DialRefused, SessionLost


def attempt(**changes):
    values = {"server": "gw", "by": "laptop", "address": "10.0.0.2:22", "user": "ops", "timeout": 10.0}
    return Attempt(**(values | changes))


@pytest.mark.parametrize(
    ("number", "reason", "code"),
    [
        (asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, "open failed", Code.FORWARD_REFUSED),
        (asyncssh.OPEN_UNKNOWN_CHANNEL_TYPE, "", Code.FORWARD_REFUSED),
        (asyncssh.OPEN_RESOURCE_SHORTAGE, "", Code.DIAL_FAILED),
        (asyncssh.OPEN_CONNECT_FAILED, "Connection refused", Code.CONNECT_REFUSED),
        (asyncssh.OPEN_CONNECT_FAILED, "Connection timed out", Code.CONNECT_TIMEOUT),
        (asyncssh.OPEN_CONNECT_FAILED, "Name or service not known", Code.NAME_UNRESOLVED),
        (asyncssh.OPEN_CONNECT_FAILED, "Temporary failure in name resolution", Code.NAME_UNRESOLVED),
        (asyncssh.OPEN_CONNECT_FAILED, "No route to host", Code.DIAL_FAILED),
        (asyncssh.OPEN_CONNECT_FAILED, "open failed", Code.DIAL_FAILED),
    ],
)
def test_a_refused_channel(number, reason, code):
    refusal = dial_refused(asyncssh.ChannelOpenError(number, reason), "gw", "db:5432")
    assert refusal.code == code
    assert str(refusal).startswith("gw dials db:5432: ")


def test_of_unix_sockets_the_keyword_is_another():
    refusal = dial_refused(asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "open failed"), "gw", "unix:/x")
    assert (refusal.code, "AllowStreamLocalForwarding" in refusal.suggestion) == (Code.DIAL_FAILED, True)
    assert "StreamLocalBindUnlink" in bind_refused("gw", "unix:/x", []).suggestion
    said = ["Server has disabled streamlocal forwarding."]
    assert "AllowStreamLocalForwarding" in bind_refused("gw", "unix:/x", said).suggestion


def test_what_a_server_says_is_cleaned():
    refusal = dial_refused(asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "a\x1b[2Jb"), "gw", "db:1")
    assert "\x1b" not in str(refusal)
    assert "\x1b" not in str(bind_refused("gw", "*:1", ["\x1b]0;x"]))


@pytest.mark.parametrize(
    ("error", "changes", "code"),
    [
        (TimeoutError(), {}, Code.CONNECT_TIMEOUT),
        (asyncssh.PermissionDenied("no"), {}, Code.AUTH_FAILED),
        (asyncssh.ProtocolError("Too many authentication failures"), {}, Code.AUTH_FAILED),
        (asyncssh.ConnectionLost("gone"), {}, Code.SERVER_BUSY),
        (asyncssh.ConnectionLost("gone"), {"banner_seen": True}, Code.CONNECT_FAILED),
        (asyncssh.KeyExchangeFailed("nothing in common"), {}, Code.PROTOCOL_ERROR),
        (DialRefused(Code.CONNECT_REFUSED, "refused"), {}, Code.CONNECT_REFUSED),
        (DialRefused(Code.DIAL_FAILED, "no route"), {}, Code.CONNECT_FAILED),
        (SessionLost(Code.SESSION_LOST, "gone"), {}, Code.CONNECT_FAILED),
    ],
)
def test_a_session_that_did_not_open(error, changes, code):
    failure = open_failed(error, attempt(**changes))
    assert failure.code == code
    assert "gw" in str(failure)


def test_the_stage_of_a_timeout_is_told():
    assert "authentication" in str(open_failed(TimeoutError(), attempt(stage="authentication")))


def test_a_goodbye_is_a_loss_too():
    assert "goodbye" in str(session_lost(None, "gw"))
    ended = asyncssh.ConnectionLost("Connection lost")
    assert session_lost(ended, "gw").suggestion is None
    assert "UnusedConnectionTimeout" in (session_lost(ended, "gw", unused=True).suggestion or "")
