"""What ssh forwards, as ssh reads it."""

from __future__ import annotations

import pytest
from orchestra_plugins.sshcommands.forwards import Direction, End, Forward, parse

from orchestra.loading.sshconfig.values import BadValue


@pytest.mark.parametrize(
    ("direction", "text", "listen", "dial"),
    [
        ("L", "5432:db.internal:5432", End(None, 5432), End("db.internal", 5432)),
        ("L", "127.0.0.1:5432:db:1", End("127.0.0.1", 5432), End("db", 1)),
        ("L", "*:80:web:80", End("*", 80), End("web", 80)),
        ("L", ":80:web:80", End("*", 80), End("web", 80)),
        ("L", "[::1]:80:[2001:db8::1]:443", End("::1", 80), End("2001:db8::1", 443)),
        ("L", "80:/run/web.sock", End(None, 80), End(path="/run/web.sock")),
        ("L", "/tmp/s:web:80", End(path="/tmp/s"), End("web", 80)),
        ("L", "/tmp/s:/run/web.sock", End(path="/tmp/s"), End(path="/run/web.sock")),
        ("L", "http:web:https", End(None, 80), End("web", 443)),
        ("R", "0:localhost:3000", End(None, 0), End("localhost", 3000)),
        ("R", "0.0.0.0:9000:localhost:3000", End("0.0.0.0", 9000), End("localhost", 3000)),
        ("R", "1080", End(None, 1080), None),
        ("R", "localhost:1080", End("localhost", 1080), None),
        ("D", "1080", End(None, 1080), None),
        ("D", "[::1]:1080", End("::1", 1080), None),
    ],
)
def test_forms(direction: Direction, text: str, listen: End, dial: End | None) -> None:
    assert parse(direction, text) == Forward(direction, listen, dial)


@pytest.mark.parametrize(
    ("direction", "text"),
    [
        *(("L", text) for text in ("", "80", "a:b", "80:web", "0:web:80", "80:web:99999", "80:web:", "1:2:3:4:5")),
        *(("L", text) for text in ("[::1:80:web:80", "::1:80:web:80")),
        *(("D", text) for text in ("0", "a:1:2")),
        ("R", "x"),
    ],
)
def test_what_is_none(direction: Direction, text: str) -> None:
    with pytest.raises(BadValue):
        parse(direction, text)
