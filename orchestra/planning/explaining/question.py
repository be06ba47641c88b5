"""What a person asks about, as text: FROM, a host or a network; TO, a target, a host, HOST:PORT or an address."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code, Diagnostic
from orchestra.errors import UsageError
from orchestra.graph import compile_world
from orchestra.graph.world import canonical
from orchestra.model.address import SSH_PORT, AddressError, UnixPath, is_loopback, parse_address, parse_ip
from orchestra.model.frozen import dataclass
from orchestra.model.topology import Attachment, Host
from orchestra.planning.context import Context, seen_by
from orchestra.planning.elsewhere import offered_elsewhere
from orchestra.planning.services import Service, target_service, trusted_dialers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestra.graph import World
    from orchestra.model.topology import Topology
    from orchestra.plugin.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """What TO stands for."""

    service: Service
    assumed: tuple[Diagnostic, ...] = ()
    """What its text leaves out, and what was taken in its place."""


class Ground:
    """A topology compiled once, to be asked about from several hosts."""

    def __init__(self, topology: Topology, here: str, vocabulary: Vocabulary, world: World | None = None) -> None:
        self.topology = topology
        self._vocabulary = vocabulary
        self._world = world or compile_world(topology, here)
        self._contexts: dict[str, Context] = {}

    def seen_from(self, text: str) -> Context:
        """The topology with FROM as here; a network is one unnamed host of it. Raises UsageError, with the nearest."""
        if text not in self._contexts:
            self._contexts[text] = self._context(text)
        return self._contexts[text]

    def _context(self, text: str) -> Context:
        world = self._world
        if text in world.hosts:
            here = text
        elif text in self.topology.networks:
            here = guest(text)
            world = _with_guest(world, here, text)
        else:
            known = (*world.hosts, *self.topology.networks)
            raise UsageError(f"{self.topology.file} has no host or network {text!r}{_nearest(text, known)}")
        return seen_by(world, here, self._vocabulary, offered_elsewhere(self.topology, here))


def guest(network: str) -> str:
    """What an unnamed host of a network is called."""
    return f"a host of {network}"


def _with_guest(world: World, name: str, network: str) -> World:
    """One machine more, that nobody declared: nothing is known of it but its network."""
    host = Host(name=name, kind="client", attachments=(Attachment(network=network),))
    return replace(
        world,
        hosts={**world.hosts, name: host},
        attached={**world.attached, name: {network: ()}},
        addresses={**world.addresses, name: frozenset()},
    )


def destination(context: Context, text: str, *, direct: bool = False, own: str | None = None) -> Destination:
    """What TO stands for. Raises UsageError for what is no such thing, with the nearest name.

    ``own``: the host whose loopback addresses and unix sockets are meant; here, when left out.
    """
    topology = context.topology
    if text in topology.targets:
        return Destination(service=target_service(context, topology.targets[text]))
    if text in context.world.hosts:
        return _host(context, text)
    if (server := _server_at(context, text)) is not None:
        return _host(context, server)
    if text in topology.networks:
        raise UsageError(f"{text} is a network; name a host on it and a port, or one of its addresses: ADDRESS:PORT")
    return Destination(service=_address(context, text, own or context.here, direct=direct))


def _host(context: Context, name: str) -> Destination:
    """A host without a port: its SSH server."""
    host = context.host(name)
    if host.server is None:
        raise UsageError(f"{name} has no SSH server, so it is not clear which port: {_ports_of(context, name)}")
    service = host_service(context, name, None)
    note = Diagnostic(
        code=Code.ASSUMED_SSH_PORT,
        severity="info",
        message=f"assumed: {name} without a port means its SSH server, port {service.port}",
        place=host.place,
        suggestion=f"write {name}:PORT for another service",
    )
    return Destination(service=service, assumed=(note,))


def _server_at(context: Context, text: str) -> str | None:
    """The one server whose `ssh.host` this is, as ssh fills in the %h of a ProxyCommand."""
    if is_loopback(text) or canonical(text) in context.world.names:
        return None
    hosts = ((name, context.host(name).server) for name in context.servers)
    found = [name for name, part in hosts if part and part.ssh.host and canonical(part.ssh.host) == canonical(text)]
    return found[0] if len(found) == 1 else None


def _ports_of(context: Context, name: str) -> str:
    targets = (each for _, each in sorted(context.topology.targets.items()) if each.host == name)
    named = ", ".join(f"{each.name} ({each.address})" for each in targets)
    return f"write {name}:PORT" + (f", or a target on it: {named}" if named else "")


def _address(context: Context, text: str, own: str, *, direct: bool) -> Service:
    world = context.world
    try:
        address = parse_address(text, port_required=False)
    except AddressError as error:
        hint = f"; {error.suggestion}" if error.suggestion else ""
        raise UsageError(f"{error}{hint}") from None
    if isinstance(address, UnixPath):
        return Service(name=text, host=own, text=None, port=0, path=address.path)
    if address.host is None:
        raise UsageError(f"{text!r} names no host: write HOST:PORT, or the name of a target")
    known = (*context.topology.targets, *world.hosts, *world.names)
    if address.port is None:
        if parse_ip(address.host) is not None or canonical(address.host) in world.names:
            raise UsageError(f"{text} has no port: write {replace(address, port=SSH_PORT)}, or another port than ssh's")
        raise UsageError(f"{context.topology.file} has no target and no host {text!r}{_nearest(text, known)}")
    if is_loopback(address.host):
        return Service(name=text, host=own, text=address.host, port=address.port)
    if address.host in world.hosts:
        return host_service(context, address.host, address.port)
    if address.host in context.topology.targets:
        return host_service(context, context.topology.targets[address.host].host, address.port)
    if (server := _server_at(context, address.host)) is not None:
        return host_service(context, server, address.port)
    if parse_ip(address.host) is None and canonical(address.host) not in world.names:
        _refuse_misspelt(context, address.host, known)
    itself = direct or world.hosts[context.here].kind == "server"
    trusted = (context.here,) if itself else trusted_dialers(context, None, ())
    return Service(name=text, host=text, text=address.host, port=address.port, trusted=trusted)


def _refuse_misspelt(context: Context, name: str, known: Iterable[str]) -> None:
    """A name that nobody declares is believed to exist, but not one that looks like a slip."""
    if name.endswith(".") or not (near := difflib.get_close_matches(name, known, 1, 0.7)):
        return
    raise UsageError(
        f"{context.topology.file} declares no {name!r}; did you mean {near[0]!r}? "
        f"(if it is a DNS name that the file does not know, write it with a last dot: {name}.)"
    )


def host_service(context: Context, name: str, port: int | None) -> Service:
    """A port of a host; None: that of its SSH server."""
    host = context.host(name)
    ssh = host.server.ssh if host.server else None
    port = port or (ssh.port if ssh else None) or SSH_PORT
    return Service(
        name=name,
        host=name,
        text=None,
        port=port,
        behind=host.behind,
        fallback=ssh.host if ssh else None,
        trusted=host.behind or (context.here,),
        place=host.place,
    )


def _nearest(text: str, known: Iterable[str]) -> str:
    names = sorted(set(known))
    if near := difflib.get_close_matches(text, names, 1):
        return f": did you mean {near[0]!r}?"
    return f": it has {', '.join(names[:SHOWN])}{' …' if len(names) > SHOWN else ''}"


SHOWN = 12
"""Names that are listed when none is near."""
