"""The header of SOCKS 5 before each datagram (RFC 1928 section 7). No I/O.

========  ====  ====  =========  ====
RSV = 0   FRAG  ATYP  address    port
2         1     1     4, 16, 1+  2
========  ====  ====  =========  ====

What a client was sent in fragments is not put together, as the RFC permits.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from orchestra.model.address import AddressError

from .request import destination
from .socks5 import IPV4, IPV6, NAME

PLAIN = bytes(3)
_SIZES = {IPV4: 4, IPV6: 16}


class Unfit(Exception):
    """A datagram that is not for us; ``str(unfit)`` is the cause that it is counted by."""


def split(datagram: bytes) -> tuple[bytes, bytes]:
    """The header and what it stands before. Raises :class:`Unfit`."""
    if len(datagram) < 5 or datagram[:2] != PLAIN[:2]:
        raise Unfit("malformed")
    if datagram[2]:
        raise Unfit("fragment")
    size = 1 + datagram[4] if datagram[3] == NAME else _SIZES.get(datagram[3], len(datagram))
    end = 4 + size + 2
    if len(datagram) < end:
        raise Unfit("malformed")
    return datagram[:end], datagram[end:]


def read(header: bytes) -> tuple[str, int]:
    """Where a header that was split off leads: what is judged and sent to. Raises :class:`Unfit`."""
    kind, address, port = header[3], header[4:-2], int.from_bytes(header[-2:])
    if kind == NAME:
        host = address[1:].decode("ascii", "replace")
    else:
        host = str(IPv4Address(address) if kind == IPV4 else IPv6Address(address))
    try:
        return destination(host, port), port
    except AddressError:
        raise Unfit("malformed") from None
