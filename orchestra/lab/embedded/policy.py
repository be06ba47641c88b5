"""What sshd permits and where it listens: the decisions of channels.c and serverloop.c, as functions.

Sources: sshd_config(5); OpenSSH ``channel_fwd_bind_addr``, ``open_match``, ``check_rfwd_permission``.
"""

from __future__ import annotations

from orchestra.model.address import LOCALHOST, LOOPBACKS, WILDCARD
from orchestra.model.topology import Forwarding, GatewayPorts


def may_open(forwarding: Forwarding, host: str, port: int) -> bool:
    """Whether a direct-tcpip channel may be opened; PermitOpen compares the text, it looks nothing up."""
    return forwarding.local and _permits(forwarding.permit_open, host, port)


def may_listen(forwarding: Forwarding, host: str, port: int) -> bool:
    """Whether a remote forward may be asked for; PermitListen sees the text that was sent, before GatewayPorts."""
    return forwarding.remote and _permits(forwarding.permit_listen, host, port)


def listen_host(gateway_ports: GatewayPorts, requested: str) -> str:
    """Where a remote forward really listens: ``localhost`` (both loopbacks), ``*``, or an address.

    ``no`` silently narrows everything to loopback, ``yes`` widens everything.
    """
    if gateway_ports == "yes":
        return WILDCARD
    if requested in ("", WILDCARD):
        return LOCALHOST if gateway_ports == "no" else WILDCARD
    return requested if gateway_ports == "clientspecified" or requested in LOOPBACKS else LOCALHOST


def is_overridden(gateway_ports: GatewayPorts, requested: str) -> bool:
    """Whether sshd tells the client that it listens wider than it was asked to."""
    return gateway_ports == "yes" and requested not in ("", WILDCARD, "0.0.0.0")  # noqa: S104 - compared, not bound


def _permits(permitted: tuple[str, ...] | None, host: str, port: int) -> bool:
    return permitted is None or any(_is_one(entry, host, port) for entry in permitted)


def _is_one(entry: str, host: str, port: int) -> bool:
    permitted_host, _, permitted_port = entry.rpartition(":")
    if permitted_host.startswith("["):
        permitted_host = permitted_host[1:].removesuffix("]")
    return permitted_host in (WILDCARD, host) and permitted_port in (WILDCARD, str(port))
