"""Errors of the operating system, as codes and messages for people."""

import errno
import socket

import pytest

from orchestra.diagnostics import Code
from orchestra.model.address import Endpoint
from orchestra.session.refusals import bind_refused, dial_refused


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), Code.CONNECT_REFUSED),
        (TimeoutError(errno.ETIMEDOUT, "x"), Code.CONNECT_TIMEOUT),
        (OSError(errno.EHOSTDOWN, "x"), Code.CONNECT_TIMEOUT),
        (socket.gaierror(socket.EAI_NONAME, "unknown"), Code.NAME_UNRESOLVED),
        (OSError(errno.ENETUNREACH, "x"), Code.DIAL_FAILED),
        (OSError(errno.EMFILE, "x"), Code.DIAL_FAILED),
    ],
)
def test_a_dial(error, code):
    refusal = dial_refused("laptop", "db:5432", error)
    assert (refusal.code, refusal.host) == (code, "laptop")
    assert str(refusal).startswith("laptop dials db:5432: ")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.EADDRINUSE, "x"), Code.LISTEN_IN_USE),
        (PermissionError(errno.EACCES, "x"), Code.LISTEN_NOT_PERMITTED),
        (OSError(errno.EADDRNOTAVAIL, "x"), Code.LISTEN_FAILED),
        (socket.gaierror(socket.EAI_NONAME, "unknown"), Code.LISTEN_FAILED),
    ],
)
def test_a_listener(error, code):
    refusal = bind_refused("laptop", Endpoint("127.0.0.1", 1), error)
    assert refusal.code == code
    assert "127.0.0.1:1" in str(refusal)
