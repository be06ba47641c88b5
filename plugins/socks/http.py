"""HTTP CONNECT (RFC 9110 section 9.3.6), with Basic credentials where they are wanted (RFC 7617)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable

from orchestra.model.address import AddressError, Endpoint, parse_address
from orchestra.model.text import clean

from .request import Cause, Input, Login, Refused, Request, Steps, asked

GRANTED = b"HTTP/1.1 200 Connection established\r\n\r\n"
STATUS = {
    Cause.MALFORMED: "400 Bad Request",
    Cause.FAILED: "502 Bad Gateway",
    Cause.NOT_ALLOWED: "403 Forbidden",
    Cause.NETWORK_UNREACHABLE: "502 Bad Gateway",
    Cause.HOST_UNREACHABLE: "502 Bad Gateway",
    Cause.REFUSED: "502 Bad Gateway",
    Cause.TIMED_OUT: "504 Gateway Timeout",
    Cause.UNSUPPORTED: "501 Not Implemented",
}
LONGEST = 16 * 1024
"""Bytes of a request's head; browsers send less than one KiB."""


def http(data: Input, login: Login | None) -> Steps[Request]:
    """Reads the request's head; what follows belongs to the tunnel."""
    too_long = f"the head of the request is longer than {LONGEST} bytes"
    head = yield from data.until(
        b"\r\n\r\n", LONGEST, Refused(too_long, _reply("431 Request Header Fields Too Large", too_long))
    )
    line, *fields = head.split(b"\r\n")
    method, target, version = _request_line(line)
    if not version.startswith(b"HTTP/1."):
        raise _malformed("it is no request of HTTP/1.1")
    if method != b"CONNECT":
        why = f"{clean(method, 20)} is not served, only CONNECT: this is a proxy for tunnels (curl --proxytunnel)"
        raise Refused(why, _reply("405 Method Not Allowed", why, "Allow: CONNECT"))
    if login is not None and not _admitted(login, fields):
        why = "the user or the password is missing or wrong"
        asks = 'Proxy-Authenticate: Basic realm="orchestra", charset="UTF-8"'
        raise Refused(why, _reply("407 Proxy Authentication Required", why, asks))
    where = _authority(target)
    return asked(*where, GRANTED, _refusal)


def _request_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    match line.split(b" "):
        case [method, target, version]:
            return method, target, version
        case _:
            raise _malformed("its first line is not METHOD TARGET VERSION")


def _authority(target: bytes) -> tuple[str, int]:
    text = target.decode("ascii", "replace")
    try:
        where = parse_address(text)
    except AddressError as error:
        raise _malformed(clean(str(error))) from None
    if not isinstance(where, Endpoint) or where.host is None or where.port is None:
        raise _malformed(f"{clean(text)!r} is not HOST:PORT")
    return where.host, where.port


def _admitted(login: Login, fields: Iterable[bytes]) -> bool:
    for field in fields:
        name, _, value = field.partition(b":")
        scheme, _, token = value.strip().partition(b" ")
        if name.lower() == b"proxy-authorization" and scheme.lower() == b"basic":
            try:
                user, _, password = b64decode(token.strip(), validate=True).partition(b":")
            except ValueError:
                return False
            return login.admits(user, password)
    return False


def _malformed(why: str) -> Refused:
    why = f"the request is malformed: {why}"
    return Refused(why, _refusal(Cause.MALFORMED, why))


def _reply(status: str, why: str, *fields: str) -> bytes:
    body = f"{why}\n".encode()
    head = (
        f"HTTP/1.1 {status}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *fields,
    )
    return "\r\n".join((*head, "", "")).encode() + body


def _refusal(cause: Cause, why: str) -> bytes:
    return _reply(STATUS[cause], why)
