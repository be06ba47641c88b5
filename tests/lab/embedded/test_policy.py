from __future__ import annotations

import pytest

from orchestra.lab.embedded.policy import is_overridden, listen_host, may_listen, may_open
from orchestra.model.topology import Forwarding, GatewayPorts


@pytest.mark.parametrize(
    ("requested", "no", "clientspecified", "yes"),
    [
        ("localhost", "localhost", "localhost", "*"),
        ("", "localhost", "*", "*"),
        ("*", "localhost", "*", "*"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1", "*"),
        ("::1", "::1", "::1", "*"),
        ("0.0.0.0", "localhost", "0.0.0.0", "*"),
        ("10.20.0.2", "localhost", "10.20.0.2", "*"),
    ],
)
def test_where_a_remote_forward_listens(requested: str, no: str, clientspecified: str, yes: str) -> None:
    """The table that was measured against sshd."""
    assert listen_host("no", requested) == no
    assert listen_host("clientspecified", requested) == clientspecified
    assert listen_host("yes", requested) == yes


@pytest.mark.parametrize(
    ("setting", "requested", "told"),
    [("yes", "localhost", True), ("yes", "10.20.0.2", True), ("yes", "", False), ("no", "10.20.0.2", False)],
)
def test_only_widening_is_told(setting: GatewayPorts, requested: str, told: bool) -> None:
    assert is_overridden(setting, requested) is told


@pytest.mark.parametrize(
    ("permit", "host", "port", "permitted"),
    [
        (None, "db", 5432, True),
        ((), "db", 5432, False),
        (("db:5432",), "db", 5432, True),
        (("db:5432",), "DB", 5432, False),
        (("db:5432",), "db", 5433, False),
        (("localhost:80",), "127.0.0.1", 80, False),
        (("*:5432",), "db", 5432, True),
        (("db:*",), "db", 1, True),
        (("[2001:db8::1]:80",), "2001:db8::1", 80, True),
        (("a:1", "db:5432"), "db", 5432, True),
        (("none",), "none", 22, False),
    ],
)
def test_permit_compares_the_literal_text(
    permit: tuple[str, ...] | None, host: str, port: int, permitted: bool
) -> None:
    assert may_open(Forwarding(permit_open=permit), host, port) is permitted
    assert may_listen(Forwarding(permit_listen=permit), host, port) is permitted


@pytest.mark.parametrize("permit", [None, ("db:1",)])
def test_forwarding_that_is_off_permits_nothing(permit: tuple[str, ...] | None) -> None:
    assert not may_open(Forwarding(local=False, permit_open=permit), "db", 1)
    assert not may_listen(Forwarding(remote=False, permit_listen=permit), "db", 1)
