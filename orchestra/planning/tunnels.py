"""One tunnel: who holds it, where it is entered, by which chain of sessions, where it is left."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from orchestra.diagnostics import Code
from orchestra.model.address import UnixPath
from orchestra.model.frozen import dataclass
from orchestra.planning.dials import Attempt, attempt
from orchestra.planning.entry import entries
from orchestra.planning.problems import Problem
from orchestra.planning.reach import places_worth_trying
from orchestra.planning.services import Service, target_service
from orchestra.planning.sessions import HERE, Chain, prefixes
from orchestra.planning.simple_paths import through

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orchestra.model.topology import Tunnel
    from orchestra.planning.context import Context
    from orchestra.planning.listen import Listen


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A tunnel with everything resolved that does not need a path."""

    tunnel: Tunnel
    service: Service | None
    """None: its kind leads to no single target."""
    exit: str | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """A way to carry a tunnel. ``entry`` and ``exit`` are chains from here; ``dial`` is what the exit dials."""

    listen: Listen
    entry: Chain
    exit: Chain
    dial: Attempt | None
    user: Attempt | None = None

    @property
    def hops(self) -> tuple[str, ...]:
        """The servers on the path, in the order of flow."""
        return (*reversed(self.entry.servers), *self.exit.servers)

    def path(self, here: str) -> tuple[str, ...]:
        """Hosts in the order of flow, entry to exit."""
        return (*reversed(self.entry.servers), here, *self.exit.servers)


def make_request(context: Context, tunnel: Tunnel) -> Request:
    """Resolves target, exit and kind of a tunnel."""
    target = context.topology.targets.get(tunnel.to) if tunnel.to else None
    fixed = tunnel.exit or (tunnel.via[-1] if tunnel.via and not tunnel.at else None)
    service = target_service(context, target, fixed) if target else None
    problems = (*_by_kind(context, tunnel, service), *_no_servers(context, tunnel))
    if service is not None and context.kind(tunnel.kind).by_tcp(tunnel.options) == "only":
        service = replace(service, protocol="tcp")
    exit_ = tunnel.exit
    if service is None and exit_ is None and context.kind(tunnel.kind).to != "required":
        exit_, unclear = _default_exit(context, tunnel)
        problems += unclear
    return Request(tunnel=tunnel, service=service, exit=exit_, problems=problems)


def _by_kind(context: Context, tunnel: Tunnel, service: Service | None) -> tuple[Problem, ...]:
    """What the kind of the tunnel does not take."""
    spec = context.kind(tunnel.kind)
    found: list[tuple[str, str]] = []
    if service is None and spec.to == "required":
        found.append((f"tunnel {tunnel.name} leads to no target", "write `to:` with a target"))
    if service is not None and spec.to == "no":
        found.append((f"tunnels of kind {spec.name} take no `to`", "leave `to:` out"))
    if service is not None and spec.to != "no" and service.path is None and service.protocol not in spec.protocols:
        text = f"tunnels of kind {spec.name} do not carry {service.protocol}, which {service.name} speaks"
        found.append((text, f"write `kind: {service.protocol}`, which a plugin provides"))
    if tunnel.exit is None and spec.exit == "required":
        found.append((f"tunnels of kind {spec.name} need an `exit`", "write `exit:` with the host that dials"))
    if tunnel.exit is not None and spec.exit == "no":
        found.append((f"tunnels of kind {spec.name} take no `exit`", "leave `exit:` out"))
    if spec.datagrams and isinstance(tunnel.listen, UnixPath):
        found.append((f"tunnels of kind {spec.name} listen by UDP, not on unix sockets", "write `listen: HOST:PORT`"))
    return tuple(
        Problem(code=Code.KIND_CANNOT, text=text, at=context.here, place=tunnel.place, suggestion=hint)
        for text, hint in found
    )


def _no_servers(context: Context, tunnel: Tunnel) -> tuple[Problem, ...]:
    """Hosts that are to be passed, or to dial, and that run no SSH server."""
    named = [(name, "via") for name in tunnel.via] + ([(tunnel.exit, "exit")] if tunnel.exit else [])
    return tuple(
        Problem(
            code=Code.NOT_AN_SSH_SERVER,
            text=f"`{key}` of {tunnel.name} names {name}, which has no SSH server",
            at=name,
            place=context.topology.place_of("tunnels", tunnel.name, key) or tunnel.place,
            suggestion=f"name a server, or give {name} an `ssh:` section if it runs one",
        )
        for name, key in named
        if name not in context.servers and name != context.here
    )


def _default_exit(context: Context, tunnel: Tunnel) -> tuple[str | None, tuple[Problem, ...]]:
    """The exit of a tunnel without one target: the last server of `via`, or the only server."""
    if tunnel.via:
        return tunnel.via[-1], ()
    if len(context.declared) == 1:
        return context.declared[0], ()
    text = f"it is not said which server dials for {tunnel.name}"
    problem = Problem(
        code=Code.AMBIGUOUS_EXIT, text=text, at=context.here, place=tunnel.place, suggestion="write `exit:`"
    )
    return None, (problem,)


def solve(context: Context, request: Request, *, free_ports: bool) -> Solution | None:
    """The best way to carry a tunnel; None when there is none."""
    if request.problems:
        return None
    for entry in entries(context, request.tunnel, request.service, free_ports=free_ports):
        if entry.weight:
            continue
        solution = _solve_from(context, request, entry.at, entry.listen, entry.user)
        if solution is not None:
            return solution
    return None


def _solve_from(context: Context, request: Request, at: str, listen: Listen, user: Attempt | None) -> Solution | None:
    """The best split of `via` between the way to the entry and the way to the exit."""
    via, avoid = request.tunnel.via, frozenset(request.tunnel.avoid)
    found: list[Solution] = []
    for split in range(len(via) + 1) if at != context.here else (0,):
        entry = chain_to(context, at, via[:split][::-1], avoid)
        if entry is None:
            continue
        left = via[split:]
        sources = prefixes(entry) if not left else (HERE,)
        exit_ = through(context, left, avoid, partial(nearest_exit, context, request), sources)
        if exit_ is not None:
            dial = attempt(context, exit_.place(context.here), request.service) if request.service else None
            found.append(Solution(listen=listen, entry=entry, exit=exit_, dial=dial, user=user))
    return min(found, key=lambda each: _rank(context, each)) if found else None


def _rank(context: Context, solution: Solution) -> tuple[int, int, int, tuple[str, ...]]:
    """Declared cost and number of all its sessions, then how often traffic passes one, then names."""
    chains = (solution.entry.servers, solution.exit.servers)
    opened = {chain[: length + 1] for chain in chains for length in range(len(chain))}
    costs = (context.host(servers[-1]).server for servers in opened)
    path = solution.path(context.here)
    return sum(part.cost for part in costs if part), len(opened), len(path), path


def chain_to(context: Context, place: str, via: tuple[str, ...], avoid: frozenset[str]) -> Chain | None:
    """The best chain of sessions to a place, by way of servers in order."""
    if via and via[-1] == place:
        via = via[:-1]
    return through(context, via, avoid, lambda tree: tree.get(place))


def nearest_exit(context: Context, request: Request, tree: Mapping[str, Chain]) -> Chain | None:
    """The nearest place of a tree that can dial the service."""
    return next((chain for chain, _ in possible_exits(context, tree, request)), None)


def possible_exits(
    context: Context, tree: Mapping[str, Chain], request: Request
) -> Iterator[tuple[Chain, Attempt | None]]:
    """Every place of a tree that can dial the service, nearest first."""
    avoid = frozenset(request.tunnel.avoid)
    if request.exit is not None:
        only = tree.get(request.exit)
        tree = {request.exit: only} if only else {}
    if request.service is None:
        yield from ((chain, None) for chain in tree.values())
        return
    for place, chain in within(tree, places_worth_trying(context, request.service)):
        made = attempt(context, place, request.service)
        if made.passes and not avoid.intersection(made.firewalls):
            yield chain, made


def within(tree: Mapping[str, Chain], places: frozenset[str] | None) -> Iterable[tuple[str, Chain]]:
    """The places of a tree that are worth trying, nearest first, as the tree has them."""
    if places is None:
        return tree.items()
    return ((place, chain) for place, chain in tree.items() if place in places)
