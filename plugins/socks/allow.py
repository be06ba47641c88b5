"""The allow list: what a client may ask for, judged by the text that it sent.

========================  ===============================================================
``10.20.0.0/24:*``        addresses of a network, every port
``[fd00:20::/64]:22``     the same, of IPv6
``10.20.0.7:8000-8100``   one address, some ports
``db.office.example:5432``  one name
``*.office.example:443``  every name below that one, but not itself
``*:443``                 everything, names and addresses
========================  ===============================================================

Names are never resolved here: a name matches names only, an address or network addresses only.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network

from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure
from orchestra.model.address import WILDCARD, AddressError, Endpoint, IPNetwork, check_host_name, parse_ip, parse_port
from orchestra.model.plan import PlannedTunnel
from orchestra.plugin.interfaces import TunnelContext

PORTS = (1, 65535)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list."""

    host: IPNetwork | str
    """A network, or a name in small letters: ``.office.example`` is every name below, ``*`` is everything."""
    ports: tuple[int, int]

    def covers(self, host: str, port: int) -> bool:
        """Whether it lets a client dial that."""
        if not self.ports[0] <= port <= self.ports[1]:
            return False
        address = parse_ip(host)
        if self.host == WILDCARD:
            return True
        if not isinstance(self.host, str):
            return address is not None and address in self.host
        name = host.lower().removesuffix(".")
        return address is None and (name.endswith(self.host) if self.host.startswith(".") else name == self.host)


def parse_entry(text: str) -> Entry:
    """Reads one; raises :class:`AddressError`."""
    host, colon, ports = text.rpartition(":")
    if not colon or "]" in ports:
        raise AddressError(f"{text!r} has no port", f"write {text}:PORT, or {text}:* for every port")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise AddressError(f"{text!r} is not clear", f"an IPv6 address or network is written [{host}]:{ports}")
    return Entry(_parse_host(host), _parse_ports(ports))


def allowed_by(tunnel: PlannedTunnel) -> tuple[Entry, ...]:
    """Its allow list. One that leaves it out allows everything to its own host, and nothing to others."""
    written = tunnel.spec.options.get("allow")
    if written is None:
        written = [] if tunnel.listen is not None and tunnel.listen.exposed else ["*:*"]
    return tuple(map(parse_entry, written))


class Judge:
    """Judges what clients ask for, by the list that the tunnel has at that time: a reload may bring another one."""

    def __init__(self, context: TunnelContext) -> None:
        self._context, self._tunnel = context, context.tunnel
        self._allow = allowed_by(self._tunnel)

    @property
    def allow(self) -> tuple[Entry, ...]:
        """The list; the same object for as long as it says the same."""
        if (tunnel := self._context.tunnel) is not self._tunnel:
            self._tunnel = tunnel
            if (allow := allowed_by(tunnel)) != self._allow:
                self._allow = allow
        return self._allow

    def allows(self, host: str, port: int) -> bool:
        """Whether a client may ask for that."""
        return any(entry.covers(host, port) for entry in self.allow)

    def require(self, host: str, port: int) -> None:
        """Raises RuntimeFailure for what a client may not ask for."""
        if not self.allows(host, port):
            name = self._tunnel.name
            hint = f"if it should be, add it to `socks: {{allow: …}}` of {name}"
            what = f"{Endpoint(host, port)} is not among what {name} allows"
            raise RuntimeFailure(Code.NOT_ALLOWED, what, suggestion=hint)


def _parse_host(text: str) -> IPNetwork | str:
    if text == WILDCARD:
        return text
    if "/" in text or parse_ip(text) is not None:
        try:
            return ip_network(text)
        except ValueError as error:
            raise AddressError(f"{text!r} is not a network: {error}", "write a CIDR such as 10.20.0.0/24") from None
    name = text.removeprefix("*.").removesuffix(".")
    if WILDCARD in name:
        raise AddressError(f"{text!r}: '*' stands for all that is below a name", "write *.office.example")
    check_host_name(name)
    return f".{name.lower()}" if text.startswith("*.") else name.lower()


def _parse_ports(text: str) -> tuple[int, int]:
    if text == WILDCARD:
        return PORTS
    first, dash, last = text.partition("-")
    ports = parse_port(first), parse_port(last if dash else first)
    if ports[0] > ports[1]:
        raise AddressError(f"the range {text} ends before it begins", f"write {last}-{first}")
    return ports
