"""Ways in the other direction: a host that can reach the service opens a listener that FROM can dial.

Packet filters often let one side begin what the other may not. Nothing has to change for such a way, but that
orchestra runs on the host that holds it.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from orchestra.model.address import LOCALHOST, LOOPBACKS, Endpoint
from orchestra.model.frozen import dataclass
from orchestra.model.plan import Bind
from orchestra.model.topology import Tunnel
from orchestra.planning.dials import Attempt, attempt, attempt_by
from orchestra.planning.explaining.explanation import Leg, Offer
from orchestra.planning.explaining.legs import leg
from orchestra.planning.explaining.question import destination
from orchestra.planning.reach import places_worth_trying, servers_worth_trying
from orchestra.planning.services import Service
from orchestra.planning.sessions import HERE, Chain, hop, search
from orchestra.planning.sshd import sshd_of
from orchestra.planning.tunnels import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra.planning.context import Context
    from orchestra.planning.explaining.question import Ground

MOST = 3
"""Offers that are told."""
HOLDERS = 8
"""Hosts that are asked to hold the listener."""
SERVERS = 16
"""Servers that are asked for a listener."""
SMALL = 64
"""Up to so many servers a holder may need sessions of its own on the way; in a larger file it dials by itself."""
UNPRIVILEGED = 10000
"""Added to a port that takes privileges to listen on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stand:
    """A listener that FROM can dial: at a server, at an address; the chain to the server, and the last dial."""

    server: str
    listen: Bind
    chain: Chain
    dial: Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holder:
    """A host that can reach the service, with what it may use on its way to a server."""

    context: Context
    tree: Mapping[str, Chain]
    exit: Chain
    dial: Attempt

    def chain_to(self, server: str) -> Chain | None:
        """Its sessions to a server; None when it cannot open one there."""
        if server in self.tree:
            return self.tree[server]
        able = server in self.context.servers and hop(self.context, self.context.here, server).passes
        return HERE.then(server, 0) if able else None


def reverse_offers(ground: Ground, context: Context, to: str) -> tuple[Offer, ...]:
    """Up to three listeners by which FROM could reach TO as things are; one for each holder."""
    service = destination(context, to).service
    if service.path is not None or service.protocol != "tcp":
        return ()
    stands = tuple(_stands(context, service))
    if not stands:
        return ()
    holders = (_holder(ground.seen_from(name), to) for name in _candidates(context, service))
    offers = (offer for holder in holders if holder and (offer := _offer(context, to, holder, stands)))
    return tuple(islice(offers, MOST))


def _candidates(context: Context, service: Service) -> tuple[str, ...]:
    """Who might hold it: clients, then the service's own machine, if its networks are known, then servers beside it."""
    world = context.world
    networks = set(world.networks_of(service.host))
    beside = [name for name in context.servers if networks.intersection(world.networks_of(name))]
    names = dict.fromkeys((*context.topology.clients, *([service.host] if networks else []), *beside))
    able = [name for name in names if name in world.hosts and not world.same_machine(name, context.here)]
    return tuple(able[:HOLDERS])


def _holder(context: Context, to: str) -> _Holder | None:
    """The host as one that reaches TO, or None."""
    service = destination(context, to).service
    tree = _sessions_of(context)
    places = places_worth_trying(context, service) if len(tree) > 1 else None
    for place, chain in within(tree, places):
        made = attempt(context, place, service)
        if made.passes:
            return _Holder(context=context, tree=tree, exit=chain, dial=made)
    return None


def _sessions_of(context: Context) -> Mapping[str, Chain]:
    """The places that here brings sessions to; in a large file none, for a start."""
    return search(context) if len(context.servers) <= SMALL else {context.here: HERE}


def _stands(context: Context, service: Service) -> Iterator[_Stand]:
    """Listeners that FROM can dial: on loopback of the servers that it has sessions to, then wider ones."""
    port = service.port if service.port >= 1024 else service.port + UNPRIVILEGED
    for server, chain in islice(_near(context), SERVERS):
        if server != context.here and _listens(context, server, Bind(host=LOCALHOST, port=port)):
            dials = (attempt(context, server, _listener(server, each, port)) for each in LOOPBACKS)
            if made := next((each for each in dials if each.passes), None):
                yield _Stand(server=server, listen=Bind(host=LOCALHOST, port=port), chain=chain, dial=made)
    yield from _wide(context, port)


def _near(context: Context) -> Iterator[tuple[str, Chain]]:
    """Servers that here has sessions to; in a large file those that it dials itself."""
    if len(context.servers) <= SMALL:
        yield from search(context).items()
        return
    for server in servers_worth_trying(context, context.here, set(context.servers)):
        if hop(context, context.here, server).passes:
            yield server, HERE.then(server, 0)


def _wide(context: Context, port: int) -> Iterator[_Stand]:
    """Listeners on a server's own addresses, where its sshd opens such."""
    able = (name for name in context.servers if (part := context.forwarding(name)) and part.gateway_ports != "no")
    for server in islice(able, SERVERS):
        for address in sorted(map(str, context.world.addresses[server])):
            bind = Bind(host=address, port=port)
            if not _listens(context, server, bind):
                continue
            made = attempt_by(context, context.dialer(context.here), _listener(server, address, port))
            if made.passes:
                yield _Stand(server=server, listen=bind, chain=HERE, dial=made)


def _listens(context: Context, server: str, bind: Bind) -> bool:
    sshd = sshd_of(context.host(server))
    return sshd is not None and context.transport(server).listen and not any(sshd.listening((bind,)))


def _listener(server: str, address: str, port: int) -> Service:
    return Service(name="the listener", host=server, text=address, port=port)


def _offer(context: Context, to: str, holder: _Holder, stands: tuple[_Stand, ...]) -> Offer | None:
    for stand in stands:
        entry = holder.chain_to(stand.server)
        if entry is not None and not context.world.same_machine(stand.server, holder.context.here):
            return _made(context, to, holder, stand, entry)
    return None


def _made(context: Context, to: str, holder: _Holder, stand: _Stand, entry: Chain) -> Offer:
    name, at = holder.context.here, stand.server
    reached = f"over its session to {at}" if stand.chain.servers else f"by dialing {stand.listen}"
    return Offer(
        kind="listener",
        text=f"{name} can listen at {at} ({stand.listen}), where {context.here} comes to it {reached}",
        holder=name,
        at=at,
        listen=str(stand.listen),
        path=(
            context.here,
            *(stand.chain.servers or (at,)),
            *reversed(entry.servers[:-1]),
            name,
            *holder.exit.servers,
        ),
        inner=(*_sessions(holder.context, entry, holder.exit), leg(holder.context, "dial", holder.dial)),
        outer=(*_sessions(context, stand.chain), leg(context, "use", stand.dial)),
        tunnel=_tunnel(context, to, name, stand),
    )


def _tunnel(context: Context, to: str, holder: str, stand: _Stand) -> Tunnel | None:
    topology = context.topology
    if holder not in topology.clients or to not in topology.targets:
        return None
    name = f"{to}-at-{stand.server}"
    return Tunnel(name=name, to=to, by=holder, at=stand.server, listen=Endpoint(stand.listen.host, stand.listen.port))


def _sessions(context: Context, *chains: Chain) -> tuple[Leg, ...]:
    made: dict[tuple[str, ...], Leg] = {}
    for chain in chains:
        for index, server in enumerate(chain.servers):
            place = chain.servers[index - 1] if index else context.here
            made.setdefault(chain.servers[: index + 1], leg(context, "ssh", hop(context, place, server)))
    return tuple(made.values())
