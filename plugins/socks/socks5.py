"""SOCKS 5: CONNECT (RFC 1928), and a user with a password where they are wanted (RFC 1929).

BIND and UDP ASSOCIATE are answered with "command not supported".
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from .request import Cause, Input, Login, Refused, Request, Steps, asked

VERSION = 5
OPEN, PASSWORD, NO_METHOD = 0, 2, 0xFF
CONNECT = 1
IPV4, NAME, IPV6 = 1, 3, 4
SUCCEEDED, FAILED, COMMAND_UNKNOWN, ADDRESS_UNKNOWN = 0, 1, 7, 8
CODES = {
    Cause.MALFORMED: FAILED,
    Cause.FAILED: FAILED,
    Cause.NOT_ALLOWED: 2,
    Cause.NETWORK_UNREACHABLE: 3,
    Cause.HOST_UNREACHABLE: 4,
    Cause.REFUSED: 5,
    Cause.TIMED_OUT: 6,
}
LOGIN_VERSION, WELCOME, WRONG = 1, 0, 1


def socks5(data: Input, login: Login | None) -> Steps[Request]:
    """Agrees on a method, lets the client in, reads the request."""
    _, count = yield from data.exactly(2)
    methods = yield from data.exactly(count)
    method = OPEN if login is None else PASSWORD
    if method not in methods:
        wanted = "no user, and no password" if login is None else "a user and password"
        raise Refused(f"the client does not offer what is wanted here: {wanted}", bytes((VERSION, NO_METHOD)))
    yield bytes((VERSION, method))
    if login is not None:
        yield from _let_in(data, login)
    version, command, _, kind = yield from data.exactly(4)
    if version != VERSION:
        raise Refused(f"a SOCKS 5 request says version {version}", reply(FAILED))
    host = yield from _host(data, kind)
    port = yield from data.exactly(2)
    if command != CONNECT:
        raise Refused(f"SOCKS 5 command {command} is not served, only CONNECT", reply(COMMAND_UNKNOWN))
    return asked(host, int.from_bytes(port), reply(SUCCEEDED), _refusal)


def _let_in(data: Input, login: Login) -> Steps[None]:
    version, size = yield from data.exactly(2)
    user = yield from data.exactly(size)
    (size,) = yield from data.exactly(1)
    password = yield from data.exactly(size)
    if version != LOGIN_VERSION or not login.admits(user, password):
        raise Refused("the user or the password is wrong", bytes((LOGIN_VERSION, WRONG)))
    yield bytes((LOGIN_VERSION, WELCOME))


def _host(data: Input, kind: int) -> Steps[str]:
    if kind == IPV4:
        return str(IPv4Address((yield from data.exactly(4))))
    if kind == IPV6:
        return str(IPv6Address((yield from data.exactly(16))))
    if kind != NAME:
        raise Refused(f"SOCKS 5 address type {kind} is unknown", reply(ADDRESS_UNKNOWN))
    (size,) = yield from data.exactly(1)
    name = yield from data.exactly(size)
    return name.decode("ascii", "replace")


def reply(code: int) -> bytes:
    """A reply; the address that the exit dials from is not known, which 0.0.0.0:0 says, as in ssh."""
    return bytes((VERSION, code, 0, IPV4, 0, 0, 0, 0, 0, 0))


def _refusal(cause: Cause, _why: str) -> bytes:
    return reply(CODES[cause])
