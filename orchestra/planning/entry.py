"""Where a tunnel is entered: `at`, else `from` when it can listen, else a server that `from` can dial."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.graph import guest_of
from orchestra.model.address import WILDCARD, Endpoint, is_loopback
from orchestra.model.frozen import dataclass
from orchestra.planning.dials import Attempt, attempt_by
from orchestra.planning.listen import Listen, plan_listen
from orchestra.planning.problems import Problem, own_only
from orchestra.planning.services import Service
from orchestra.planning.sessions import search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.graph import Dialer
    from orchestra.model.topology import Tunnel
    from orchestra.planning.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A host to listen at, the listener, and how `from` reaches it (None: it is that host)."""

    at: str
    listen: Listen
    user: Attempt | None = None

    @property
    def weight(self) -> int:
        """What stands against it, as one number."""
        return sum(problem.weight for problem in self.listen.problems) + (self.user.weight if self.user else 0)


def entries(context: Context, tunnel: Tunnel, service: Service | None, *, free_ports: bool) -> Iterator[Entry]:
    """The hosts to listen at, best first. With `at` or a `from` that can listen there is one."""
    port = service.port or None if service else None
    for at in _places(context, tunnel):
        listen = plan_listen(context, tunnel, at, port, free_ports=free_ports)
        user = _user(context, tunnel, at, listen)
        yield Entry(at=at, listen=listen, user=user)


def fixed_entry(context: Context, tunnel: Tunnel) -> str | None:
    """The host to listen at, when no path has to be known for it."""
    if tunnel.at is not None:
        return tunnel.at
    from_ = tunnel.from_ or context.here
    if from_ == context.here or from_ in context.servers:
        return from_
    return _owner(context, tunnel)


def _places(context: Context, tunnel: Tunnel) -> Iterator[str]:
    fixed = fixed_entry(context, tunnel)
    if fixed is not None:
        yield fixed
        return
    yield from (place for place in search(context, avoid=frozenset(tunnel.avoid)) if place != context.here)
    yield context.here


def _owner(context: Context, tunnel: Tunnel) -> str | None:
    """The server, or here, whose address is written in `listen`."""
    host = tunnel.listen.host if isinstance(tunnel.listen, Endpoint) else None
    if host is None or host == WILDCARD or is_loopback(host):
        return None
    able = (context.here, *context.servers)
    return next((name for name in able if host in map(str, context.world.addresses[name])), None)


def _user(context: Context, tunnel: Tunnel, at: str, listen: Listen) -> Attempt | None:
    """How `from` dials the listener: a host, or one unnamed host of a network."""
    from_ = tunnel.from_
    if from_ is None or context.world.same_machine(from_, at):
        return None
    dialer = guest_of(from_) if from_ in context.topology.networks else context.dialer(from_)
    tried = [_dial(context, dialer, tunnel, at, text) for text in _texts(listen)]
    if not tried:
        return None
    return next((each for each in tried if each.passes), tried[0])


def _texts(listen: Listen) -> tuple[tuple[str | None, int], ...]:
    return tuple((None if bind.host == WILDCARD else bind.host, bind.port) for bind in listen.planned.binds)


def _dial(context: Context, dialer: Dialer, tunnel: Tunnel, at: str, bound: tuple[str | None, int]) -> Attempt:
    text, port = bound
    protocol = "udp" if context.kind(tunnel.kind).datagrams else "tcp"
    service = Service(
        name=f"the listener of {tunnel.name}", host=at, text=text, port=port, protocol=protocol, place=tunnel.place
    )
    made = attempt_by(context, dialer, service)
    if not made.passes and service.on_loopback:
        hint = f"write `listen: ADDRESS:{port or 'auto'}` with an address of {at} that {dialer} can dial"
        problem = Problem(
            code=Code.LOOPBACK_ELSEWHERE,
            text=own_only(f"tunnel {tunnel.name}", Endpoint(text, port), at, dialer),
            at=str(dialer),
            place=tunnel.place,
            suggestion=hint,
        )
        return Attempt(dialer=dialer, service=service, means=at, further=(problem,))
    return made
