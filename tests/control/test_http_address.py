from __future__ import annotations

import os
import socket

import pytest

from orchestra.control.http_address import HttpAddress, is_literal
from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure, UsageError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:0", "127.0.0.1", 0),
        ("9090", "127.0.0.1", 9090),
        ("localhost:9090", "127.0.0.1", 9090),
        ("[::1]:9090", "::1", 9090),
    ],
)
def test_loopback(text: str, host: str, port: int) -> None:
    found = HttpAddress.parse(text)
    assert (found, found.is_loopback) == (HttpAddress(host, port), True)


@pytest.mark.parametrize("text", ["0.0.0.0:9090", "*:9090", "[::]:9090", "10.0.0.1:9090"])
def test_beyond_loopback_only_when_it_is_said_in_so_many_words(text: str) -> None:
    with pytest.raises(UsageError, match=r"open to other machines.*--http-exposed"):
        HttpAddress.parse(text)
    assert not HttpAddress.parse(text, exposed=True).is_loopback


@pytest.mark.parametrize("text", ["", "x", "127.0.0.1", "127.0.0.1:70000", "unix:/x", "gateway.example:80", "::1"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError, match="--http"):
        HttpAddress.parse(text, exposed=True)


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (HttpAddress("127.0.0.1", 0), "http://127.0.0.1:{}/"),
        (HttpAddress("::1", 0), "http://[::1]:{}/"),
        (HttpAddress("*", 0), "http://127.0.0.1:{}/"),
    ],
)
def test_where_it_listens_one_can_connect(address: HttpAddress, url: str) -> None:
    with address.bind() as listening:
        port = listening.getsockname()[1]
        assert address.url(port) == url.format(port)
        host = "::1" if ":" in address.host else "127.0.0.1"
        with socket.create_connection((host, port), 5) as client:
            assert client.getpeername()[1] == port
        with pytest.raises(RuntimeFailure, match=rf"for --http: it is held by .*\(pid {os.getpid()}\)") as caught:
            HttpAddress(address.host, port).bind()
        assert caught.value.code is Code.LISTEN_IN_USE


@pytest.mark.parametrize(
    ("host", "literal"),
    [
        ("127.0.0.1:9090", True),
        ("127.0.0.1", True),
        ("localhost:9090", True),
        ("LOCALHOST", True),
        ("[::1]:9090", True),
        ("10.0.0.1:80", True),
        ("evil.example:9090", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example:9090", False),
        ("[evil.example]:9090", False),
        ("", False),
    ],
)
def test_names_of_others_are_told_from_addresses(host: str, literal: bool) -> None:
    assert is_literal(host) is literal
