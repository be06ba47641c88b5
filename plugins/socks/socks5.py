"""SOCKS 5: CONNECT and UDP ASSOCIATE (RFC 1928), and a user with a password where they are wanted (RFC 1929).

BIND is answered with "command not supported".
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from .request import Cause, DatagramRequest, Input, Login, Refused, Request, Steps, asked

VERSION = 5
OPEN, PASSWORD, NO_METHOD = 0, 2, 0xFF
CONNECT, ASSOCIATE = 1, 3
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
    Cause.UNSUPPORTED: COMMAND_UNKNOWN,
}
LOGIN_VERSION, WELCOME, WRONG = 1, 0, 1


def socks5(data: Input, login: Login | None) -> Steps[Request | DatagramRequest]:
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
    port = int.from_bytes((yield from data.exactly(2)))
    if command == ASSOCIATE:  # from which address it will send is known better than it says: clients are behind NATs
        return DatagramRequest(port, lambda host, port: reply(SUCCEEDED, host, port), _refusal)
    if command != CONNECT:
        why = f"SOCKS 5 command {command} is not served, only CONNECT and UDP ASSOCIATE"
        raise Refused(why, reply(COMMAND_UNKNOWN))
    return asked(host, port, reply(SUCCEEDED), _refusal)


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


def reply(code: int, host: str = "0.0.0.0", port: int = 0) -> bytes:  # noqa: S104 - nothing is bound
    """A reply; the address that the exit dials from is not known, which 0.0.0.0:0 says, as in ssh."""
    return bytes((VERSION, code, 0)) + address(host, port)


def address(host: str, port: int) -> bytes:
    """A literal and a port as they stand in replies and before datagrams."""
    ip = ip_address(host)
    return bytes((IPV4 if ip.version == 4 else IPV6,)) + ip.packed + port.to_bytes(2)


def _refusal(cause: Cause, _why: str) -> bytes:
    return reply(CODES[cause])
