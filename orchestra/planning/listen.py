"""Where a tunnel is entered: the sockets to bind, the text that is sent to a server, and what sshd makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from orchestra.diagnostics import Code, Diagnostic
from orchestra.model.address import LOCALHOST, LOOPBACKS, WILDCARD, Endpoint, UnixPath, is_loopback, parse_ip
from orchestra.model.frozen import dataclass
from orchestra.model.plan import Bind, ListenProbe, PlannedListen
from orchestra.planning.problems import Problem
from orchestra.planning.sshd import commands_needed, sshd_of

if TYPE_CHECKING:
    from orchestra.model.topology import Forwarding, Tunnel
    from orchestra.planning.context import Context

PRIVILEGED = 1024
"""Ports below need privileges (RFC 6335 calls them system ports)."""
WILDCARDS = {WILDCARD: (4, 6), "0.0.0.0": (4,), "::": (6,)}  # noqa: S104
VERSIONS = {None: (4, 6), "ipv4": (4,), "ipv6": (6,)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """The listener of a tunnel, what stands against it, and what there is to say about it."""

    planned: PlannedListen
    problems: tuple[Problem, ...] = ()
    notes: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """The address to listen at: host text and port (0: any free one)."""

    host: str
    port: int
    chosen: bool = False
    """The port or the whole address was left to us."""
    notes: tuple[Diagnostic, ...] = ()


def plan_listen(context: Context, tunnel: Tunnel, at: str, target_port: int | None, *, free_ports: bool) -> Listen:
    """The listener of a tunnel at a host; ``session`` is filled in when the sessions have their ids."""
    if isinstance(tunnel.listen, UnixPath):
        return _unix(context, tunnel, at, tunnel.listen)
    wanted = _wanted(tunnel, target_port, free_ports=free_ports)
    binds = _binds(context, tunnel, at, wanted)
    by_helper = context.kind(tunnel.kind).datagrams
    forwarding = context.forwarding(at) if at != context.here and not by_helper else None
    requests = binds if forwarding is None else _requests(tunnel, wanted, binds)
    exposed = _exposed(binds, forwarding)
    planned = PlannedListen(
        at=at,
        session=None,
        binds=binds,
        requests=requests,
        chosen=wanted.chosen,
        exposed=exposed,
        probes=_probes(context, at, binds, forwarding) if forwarding else (),
    )
    problems = listening_problems(context, tunnel, at, requests, by_helper=by_helper)
    if not binds:
        problems += (_no_family(tunnel, at, wanted.host),)
    notes = (*wanted.notes, _exposure(tunnel, planned, forwarding)) if exposed else wanted.notes
    return Listen(planned=planned, problems=problems, notes=notes)


def _wanted(tunnel: Tunnel, target_port: int | None, *, free_ports: bool) -> Wanted:
    """What the file writes; what it leaves out is the target's port on localhost, or any free one."""
    written = tunnel.listen if isinstance(tunnel.listen, Endpoint) else None
    host = (written.host if written else None) or LOCALHOST
    if written is not None and written.port is not None:
        return Wanted(host, written.port, chosen=written.port == 0)
    if free_ports or target_port is None:
        return Wanted(host, 0, chosen=True)
    if target_port < PRIVILEGED:
        return Wanted(host, 0, chosen=True, notes=(_any_port(tunnel, target_port),))
    return Wanted(host, target_port, chosen=written is None)


def _any_port(tunnel: Tunnel, port: int) -> Diagnostic:
    return Diagnostic(
        code=Code.LISTEN_ANY_PORT,
        severity="info",
        message=f"port {port} needs privileges, so any free port is taken in its place",
        place=tunnel.place,
        suggestion=f"write `listen: localhost:{port}` to insist on it, or a port from {PRIVILEGED} on",
        tunnel=tunnel.name,
    )


def _binds(context: Context, tunnel: Tunnel, at: str, wanted: Wanted) -> tuple[Bind, ...]:
    host, port, versions = wanted.host, wanted.port, VERSIONS[tunnel.family]
    if host.lower() == LOCALHOST:
        return tuple(Bind(host=each, port=port) for each in LOOPBACKS if _version(each) in versions)
    if host == WILDCARD and tunnel.family is not None:
        return (Bind(host="0.0.0.0" if tunnel.family == "ipv4" else "::", port=port),)  # noqa: S104
    if host == WILDCARD:
        return (Bind(host=host, port=port),)
    if parse_ip(host) is not None:
        return (Bind(host=host, port=port),) if _version(host) in versions else ()
    own = sorted(context.world.addresses.get(at, ()), key=lambda each: (each.version, each))
    literals = tuple(Bind(host=str(each), port=port) for each in own if each.version in versions)
    return literals or (Bind(host=host, port=port),)


def _requests(tunnel: Tunnel, wanted: Wanted, binds: tuple[Bind, ...]) -> tuple[Bind, ...]:
    """``localhost`` is sent once and binds every loopback, unless a family is asked for; names are sent as written."""
    host = wanted.host
    if tunnel.family is not None or host == WILDCARD or parse_ip(host) is not None:
        return binds
    return (Bind(host=LOCALHOST if host.lower() == LOCALHOST else host, port=wanted.port),)


def _version(host: str) -> int:
    address = parse_ip(host)
    return address.version if address else 0


def _exposed(binds: tuple[Bind, ...], forwarding: Forwarding | None) -> bool:
    if forwarding is not None and forwarding.gateway_ports != "clientspecified":
        return forwarding.gateway_ports == "yes"
    return any(not is_loopback(bind.host) for bind in binds)


def _exposure(tunnel: Tunnel, planned: PlannedListen, forwarding: Forwarding | None) -> Diagnostic:
    where = ", ".join(planned.addresses)
    if forwarding is not None and forwarding.gateway_ports == "yes":
        text = f"{planned.at} has `gateway_ports: yes`: its sshd opens {where} on every address, whatever is asked for"
        hint = "set GatewayPorts clientspecified there, and say so here"
    else:
        text = f"{where} of {planned.at} can be dialed from beyond {planned.at} itself"
        hint = "write `listen: localhost:PORT` when only that host needs it"
    return Diagnostic(
        code=Code.LISTEN_EXPOSED,
        severity="warning",
        message=text,
        place=tunnel.place,
        suggestion=hint,
        tunnel=tunnel.name,
    )


def _probes(context: Context, at: str, binds: tuple[Bind, ...], forwarding: Forwarding) -> tuple[ListenProbe, ...]:
    """Every loopback and every declared address of the server, and what has to be found there."""
    addresses: list[tuple[str, str | None]] = [(each, None) for each in LOOPBACKS]
    for network, declared in context.world.networks_of(at).items():
        addresses += [(str(address), network) for address in declared]
    return tuple(
        ListenProbe(host=host, expect=_expected(host, binds, forwarding), network=network)
        for host, network in addresses
    )


def _expected(host: str, binds: tuple[Bind, ...], forwarding: Forwarding) -> Literal["open", "closed", "any"]:
    if any(covers(bind.host, host) for bind in binds):
        return "open"
    return "any" if forwarding.gateway_ports == "yes" else "closed"


def covers(bound: str, host: str) -> bool:
    """Whether a socket bound to one address text also answers at another literal."""
    return bound == host or _version(host) in WILDCARDS.get(bound, ())


def overlap(one: str, other: str) -> bool:
    """Whether two sockets of one port stand in each other's way."""
    if covers(one, other) or covers(other, one):
        return True
    return bool(set(WILDCARDS.get(one, ())) & set(WILDCARDS.get(other, ())))


def listening_problems(
    context: Context, tunnel: Tunnel, at: str, requests: tuple[Bind, ...], *, by_helper: bool
) -> tuple[Problem, ...]:
    """What the listening host does not do: listen at all, beyond loopback, or at that address."""
    if at == context.here:
        return ()
    sshd = sshd_of(context.host(at))
    if sshd is None:
        return (_no_server(context, at),)
    if by_helper:
        return commands_needed(context, at, "listens by UDP")
    if not context.transport(at).listen:
        return (_cannot(context, tunnel, at, "listen"),)
    return tuple(sshd.listening(requests))


def _cannot(context: Context, tunnel: Tunnel, at: str, what: str) -> Problem:
    text = f"sessions by {context.transport(at).name} to {at} cannot {what}"
    return Problem(code=Code.TRANSPORT_CANNOT, text=text, at=at, place=tunnel.place)


def _no_server(context: Context, at: str) -> Problem:
    place = context.host(at).place if at in context.world.hosts else None
    return Problem(
        code=Code.NOT_AN_SSH_SERVER,
        text=f"{at} has no SSH server, so no listener can be opened there from {context.here}",
        at=at,
        place=place,
        suggestion=f"give {at} an `ssh:` section if it runs one, or write `at:` with a server that can",
    )


def _no_family(tunnel: Tunnel, at: str, host: str) -> Problem:
    text = f"{host} of {at} is no address of the family {tunnel.family}"
    return Problem(code=Code.FAMILY_MISMATCH, text=text, at=at, place=tunnel.place)


def _unix(context: Context, tunnel: Tunnel, at: str, path: UnixPath) -> Listen:
    forwarding = context.forwarding(at) if at != context.here else None
    removable = forwarding is not None and forwarding.exec and context.transport(at).exec
    planned = PlannedListen(at=at, session=None, unix=path, removable=removable)
    return Listen(planned=planned, problems=_unix_problems(context, tunnel, at, path))


def _unix_problems(context: Context, tunnel: Tunnel, at: str, path: UnixPath) -> tuple[Problem, ...]:
    if at == context.here:
        return ()
    sshd = sshd_of(context.host(at))
    if sshd is None:
        return (_no_server(context, at),)
    if not context.transport(at).unix:
        return (_cannot(context, tunnel, at, "listen on unix sockets"),)
    return tuple(sshd.listening_at(path))
