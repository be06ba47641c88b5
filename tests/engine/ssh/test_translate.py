"""What servers and asyncssh say, as codes and messages for people."""

import asyncssh
import pytest

from orchestra.diagnostics import Code
from orchestra.engine.ssh.translate import Negotiation, open_failed, session_lost
from orchestra.session import DialRefused, SessionLost


def attempt(**changes):
    values = {"server": "gw", "by": "laptop", "address": "10.0.0.2:22", "user": "ops", "timeout": 10.0}
    return Negotiation(**(values | changes))


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
