"""The header before each datagram, as bytes."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from orchestra_plugins.socks.datagrams import Unfit, read, split

PORT = (53).to_bytes(2)
IPV4 = b"\0\0\0\1" + bytes((10, 0, 0, 7)) + PORT
NAME = b"\0\0\0\3\x0bdb.internal" + PORT


@pytest.mark.parametrize(
    ("header", "leads"),
    [
        (IPV4, ("10.0.0.7", 53)),
        (b"\0\0\0\4" + IPv6Address("fd00::7").packed + PORT, ("fd00::7", 53)),
        (b"\0\0\0\4" + IPv6Address("::ffff:10.0.0.7").packed + PORT, ("10.0.0.7", 53)),
        (NAME, ("db.internal", 53)),
        (b"\0\0\0\3\xff" + b"x" * 255 + PORT, ("x" * 255, 53)),
    ],
)
@pytest.mark.parametrize("body", [b"", b"question", b"\0" * 65_000])
def test_what_stands_before_a_datagram(header: bytes, body: bytes, leads: tuple[str, int]) -> None:
    assert split(header + body) == (header, body)
    if len(leads[0]) < 255:
        assert read(header) == leads


@pytest.mark.parametrize(
    ("datagram", "cause"),
    [
        *((IPV4[:size], "malformed") for size in range(len(IPV4))),
        *((NAME[:size], "malformed") for size in range(len(NAME))),
        (b"\1" + IPV4[1:] + b"x", "malformed"),
        (b"\0\0\1" + IPV4[3:] + b"x", "fragment"),
        (b"\0\0\x81" + IPV4[3:] + b"x", "fragment"),  # the last of them
        (b"\0\0\0\2" + IPV4[4:] + b"x", "malformed"),
        (b"\0\0\0\0" + b"x" * 300, "malformed"),
        (b"\0\0\0\xff" + b"x" * 300, "malformed"),
    ],
)
def test_what_is_not_for_us_has_a_cause(datagram: bytes, cause: str) -> None:
    with pytest.raises(Unfit, match=f"^{cause}$"):
        split(datagram)


@pytest.mark.parametrize(
    "header",
    [
        IPV4[:-2] + b"\0\0",  # port 0
        b"\0\0\0\3\0" + PORT,
        b"\0\0\0\3\x05127.1" + PORT,
        b"\0\0\0\3\3a\0b" + PORT,
        b"\0\0\0\3\2\xff\xfe" + PORT,
    ],
)
def test_what_leads_nowhere_is_malformed(header: bytes) -> None:
    assert split(header + b"x") == (header, b"x")
    with pytest.raises(Unfit, match=r"^malformed$"):
        read(header)
