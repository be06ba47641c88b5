"""What is dialed: a target, or the SSH server of a host, in one shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.model.address import SSH_PORT, UnixPath, is_loopback, parse_ip
from orchestra.model.frozen import dataclass

if TYPE_CHECKING:
    from orchestra.diagnostics import Place
    from orchestra.model.topology import Host, Target
    from orchestra.planning.context import Context

EVERY_ADDRESS = {None: ("127.0.0.1", "::1"), "*": ("127.0.0.1", "::1"), "0.0.0.0": ("127.0.0.1",), "::": ("::1",)}  # noqa: S104
"""Wildcards to the loopback literals at which their own host dials them."""


@dataclass(frozen=True, slots=True)
class Listening:
    """A listener that another client holds for a target: at which host, at which address."""

    at: str
    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A place to be dialed. ``text`` is the host text of its address as its own host sees it; None: all addresses.

    ``fallback`` is what to dial when no network gives an address (``ssh.host``). ``trusted`` are the hosts that may
    dial what no network of the file leads to; None: nobody can tell.
    """

    name: str
    host: str
    text: str | None
    port: int
    protocol: str = "tcp"
    path: str | None = None
    behind: tuple[str, ...] = ()
    fallback: str | None = None
    trusted: tuple[str, ...] | None = ()
    listeners: tuple[Listening, ...] = ()
    place: Place | None = None

    @property
    def everywhere(self) -> bool:
        """Whether it listens on every address of its host."""
        return self.text in EVERY_ADDRESS

    @property
    def on_loopback(self) -> bool:
        """Whether only its own host can dial it."""
        return self.text is not None and is_loopback(self.text)

    @property
    def by_helper(self) -> bool:
        """Whether a server reaches it by a command that is run there: SSH forwards streams (RFC 4254 section 7)."""
        return self.protocol == "udp"

    @property
    def one_address(self) -> bool:
        """Whether it listens on one address that is written out."""
        return not self.everywhere and parse_ip(self.text or "") is not None


def ssh_service(context: Context, server: str) -> Service:
    """The SSH server of a host."""
    known = context.answers.ssh_services
    if server not in known:
        host = context.host(server)
        settings = host.server.ssh if host.server else None
        known[server] = Service(
            name=server,
            host=server,
            text=None,
            port=(settings.port if settings else None) or SSH_PORT,
            behind=host.behind,
            fallback=settings.host if settings else None,
            trusted=host.behind or (context.here,),
            place=host.place,
        )
    return known[server]


def target_service(context: Context, target: Target, exit_: str | None = None) -> Service:
    """A target; ``exit_`` is the host that a tunnel names to dial it."""
    host = context.world.hosts.get(target.host)
    address = target.address
    behind = target.behind or (host.behind if host and host.kind == "target" else ())
    return Service(
        name=target.name,
        host=target.host,
        text=None if isinstance(address, UnixPath) else address.host,
        port=target.port or 0,
        protocol=target.protocol,
        path=address.path if isinstance(address, UnixPath) else None,
        behind=behind,
        trusted=(exit_,) if exit_ and not behind else trusted_dialers(context, host, behind),
        listeners=context.elsewhere.get(target.name, ()),
        place=target.place,
    )


def trusted_dialers(context: Context, host: Host | None, behind: tuple[str, ...]) -> tuple[str, ...] | None:
    """Who dials a target of which no network is known: those it is behind, its own host, or the one server."""
    if behind:
        return behind
    if host is not None and host.kind != "target":
        return (host.name,)
    servers = context.declared
    return None if len(servers) > 1 else servers or (context.here,)
