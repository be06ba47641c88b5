"""SOCKS 4 and 4a: CONNECT (Ying-Da Lee's memos, "SOCKS: A protocol for TCP proxy across firewalls" and "SOCKS 4A").

======  ===  ======  =======  ===========  ===  =====================
VN = 4  CD   port    address  user         NUL  name and NUL, in 4a
1       1    2       4        at most 255  1    at most 255
======  ===  ======  =======  ===========  ===  =====================

An address of 0.0.0.x, x not 0, says that a name follows. The protocol knows one reply for every refusal.
"""

from __future__ import annotations

from ipaddress import IPv4Address

from .request import Cause, Input, Login, Refused, Request, Steps, asked

CONNECT = 1
GRANTED = bytes((0, 0x5A, 0, 0, 0, 0, 0, 0))
REJECTED = bytes((0, 0x5B, 0, 0, 0, 0, 0, 0))
LONGEST = 255


def socks4(data: Input, login: Login | None) -> Steps[Request]:
    """Reads the request. Where a login is wanted this protocol, which has no passwords, does not do."""
    _, command, *port = yield from data.exactly(4)
    address = yield from data.exactly(4)
    yield from data.until(b"\0", LONGEST, Refused("the user of a SOCKS 4 request does not end", REJECTED))
    host = str(IPv4Address(address))
    if host.startswith("0.0.0.") and host != "0.0.0.0":  # noqa: S104 - nothing is bound
        name = yield from data.until(b"\0", LONGEST, Refused("the name of a SOCKS 4a request does not end", REJECTED))
        host = name.decode("ascii", "replace")
    if command != CONNECT:
        raise Refused(f"SOCKS 4 command {command} is not served, only CONNECT", REJECTED)
    if login is not None:
        raise Refused("a user and password are wanted, which SOCKS 4 cannot give", REJECTED)
    return asked(host, int.from_bytes(port), GRANTED, _refusal)


def _refusal(_cause: Cause, _why: str) -> bytes:
    return REJECTED
