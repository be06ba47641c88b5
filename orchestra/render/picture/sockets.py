"""What listens at every host: listeners of tunnels, services of targets, and what else a host dials on itself."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

from orchestra.model.address import LOOPBACKS, Endpoint
from orchestra.model.text import clean
from orchestra.render.picture.scene import Socket

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestra.graph import World
    from orchestra.model.plan import Plan, PlannedListen
    from orchestra.model.topology import Target

OwnDials: TypeAlias = "Mapping[str, Mapping[str, set[int]]]"
"""Host to the addresses that it dials on itself, with the steps in which it does."""

_LONGEST = 60


def sockets(world: World, plan: Plan, own: OwnDials) -> dict[str, tuple[Socket, ...]]:
    """By host; hosts at which nothing listens are left out."""
    found: dict[str, list[Socket]] = defaultdict(list)
    for host, socket in (*_listeners(plan), *_exits(plan), *_services(world, plan, own)):
        found[host].append(socket)
    return {host: tuple(each) for host, each in found.items()}


def _listeners(plan: Plan) -> Iterator[tuple[str, Socket]]:
    for tunnel in plan.tunnels:
        if tunnel.listen is not None:
            yield (
                tunnel.listen.at,
                Socket(
                    name=clean(tunnel.name),
                    address=_listening(tunnel.listen),
                    listener=True,
                    exposed=tunnel.listen.exposed,
                    tunnels=(tunnel.name,),
                ),
            )


def _exits(plan: Plan) -> Iterator[tuple[str, Socket]]:
    """Where kinds without one target leave: each connection says itself what is dialed there."""
    for tunnel in plan.tunnels:
        if tunnel.dial is None and tunnel.verdict == "reachable" and not tunnel.blocked:
            host = plan.client if tunnel.exit is None else plan.session(tunnel.exit).server
            yield host, _socket(tunnel.name, "dials what is asked for", set(), (tunnel.name,))


def _listening(listen: PlannedListen) -> str:
    ports = {bind.port for bind in listen.binds}
    if {bind.host for bind in listen.binds} == set(LOOPBACKS) and len(ports) == 1:
        return f"localhost:{next(iter(ports)) or 'auto'}"
    return clean(", ".join(listen.addresses), _LONGEST)


def _services(world: World, plan: Plan, own: OwnDials) -> Iterator[tuple[str, Socket]]:
    users: dict[str | None, list[str]] = defaultdict(list)
    for tunnel in plan.tunnels:
        users[tunnel.spec.to].append(tunnel.name)
    left = {host: dict(dials) for host, dials in own.items()}
    for name, target in sorted(world.topology.targets.items()):
        dials = left.get(target.host, {})
        meant = [text for text in dials if text == str(target.address) or text.endswith(f":{target.port}")]
        steps = {step for text in meant for step in dials.pop(text)}
        yield target.host, _socket(name, _served(world, target), steps, tuple(users[name]))
    for host, dials in left.items():
        yield from ((host, _socket("itself", text, steps)) for text, steps in sorted(dials.items()))


def _socket(name: str, address: str, steps: set[int], tunnels: tuple[str, ...] = ()) -> Socket:
    return Socket(
        name=clean(name),
        address=clean(address, _LONGEST),
        listener=False,
        steps=tuple(sorted(steps)),
        tunnels=tunnels,
    )


def _served(world: World, target: Target) -> str:
    """Where a target listens; a port on all addresses of a machine of its own stands with each of them."""
    suffix = "" if target.protocol == "tcp" else f"/{target.protocol}"
    if not isinstance(target.address, Endpoint) or target.address.host is not None:
        return f"{target.address}{suffix}"
    known = [address for each in world.networks_of(target.host).values() for address in each]
    if target.name != target.host or not known:
        return f":{target.port}{suffix}"
    return ", ".join(str(Endpoint(str(address), target.port)) for address in known) + suffix
