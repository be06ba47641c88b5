"""What is wrong with a topology whatever the paths are. Works on a partial topology, next to the loader's errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestra.diagnostics import Code, Diagnostic, in_file_order
from orchestra.errors import TopologyInvalid, UsageError
from orchestra.model.address import Endpoint, is_loopback
from orchestra.planning.client import choose_client
from orchestra.planning.conflicts import listen_conflicts
from orchestra.planning.context import make_context
from orchestra.planning.elsewhere import held_by
from orchestra.planning.entry import fixed_entry
from orchestra.planning.lint.meanings import differing_names, overlapping_networks
from orchestra.planning.lint.shadowed import shadowed_rules
from orchestra.planning.lint.unmatchable import unmatchable_rules
from orchestra.planning.listen import plan_listen
from orchestra.planning.problems import own_only
from orchestra.planning.unused import unused_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestra.graph import World
    from orchestra.model.plan import PlannedListen
    from orchestra.model.topology import Target, Topology, Tunnel
    from orchestra.planning.context import Context
    from orchestra.plugin.vocabulary import Vocabulary


def check_statically(
    topology: Topology, *, client: str | None = None, vocabulary: Vocabulary, whole: bool = True
) -> tuple[Diagnostic, ...]:
    """Checks that need no path: listeners that conflict, loopback targets nobody can dial, settings without an effect,
    rules that never match, addresses and names with several meanings.

    ``whole``: the file has no errors; else nothing is said that what is missing could explain. A missing or ambiguous
    client is no reason to stop: the first of the file is taken, since what is checked here hardly depends on it.
    """
    context = make_context(topology, _any_client(topology, client), vocabulary)
    return in_file_order(
        (
            *_conflicts(context),
            *_loopback_elsewhere(context),
            *unused_settings(topology),
            *(lint(context.world) if whole else ()),
        )
    )


def lint(world: World) -> Iterator[Diagnostic]:
    """What is probably not meant in a file that works. Of one rule one thing is said."""
    unmatchable = tuple(unmatchable_rules(world))
    said = {each.place for each in unmatchable if each.place is not None}
    yield from unmatchable
    yield from (each for each in shadowed_rules(world) if each.place not in said)
    yield from differing_names(world)
    yield from overlapping_networks(world)


def _any_client(topology: Topology, client: str | None) -> str:
    try:
        return choose_client(topology, client)
    except (TopologyInvalid, UsageError):
        return topology.clients[0] if topology.clients else "localhost"


def _conflicts(context: Context) -> tuple[Diagnostic, ...]:
    """Tunnels that may be open at one time: those without profiles, and those of each profile with them."""
    placed = [(tunnel, listen) for tunnel in context.topology.tunnels.values() if (listen := _listen(context, tunnel))]
    profiles = {profile for tunnel, _ in placed for profile in tunnel.profiles} or {""}
    found: dict[Diagnostic, None] = {}
    for profile in sorted(profiles):
        together = [each for each in placed if not each[0].profiles or profile in each[0].profiles]
        found.update(dict.fromkeys(listen_conflicts(context, together)))
    return tuple(found)


def _listen(context: Context, tunnel: Tunnel) -> PlannedListen | None:
    """The listener, when its host is certain without a path."""
    if held_by(context.topology, context.here, tunnel) != context.here:
        return None
    at = fixed_entry(context, tunnel)
    if at is None or at not in context.world.hosts:
        return None
    target = context.topology.targets.get(tunnel.to or "")
    return plan_listen(context, tunnel, at, target.port if target else None, free_ports=False).planned


def _loopback_elsewhere(context: Context) -> tuple[Diagnostic, ...]:
    """Targets on the loopback of a machine from which nothing can be dialed."""
    return tuple(
        _unreached(target)
        for _, target in sorted(context.topology.targets.items())
        if _loopback_only(target) and not _can_dial(context, target.host)
    )


def _loopback_only(target: Target) -> bool:
    address = target.address
    return isinstance(address, Endpoint) and address.host is not None and is_loopback(address.host)


def _can_dial(context: Context, host: str) -> bool:
    """Whether orchestra, here or on some client, can dial from the machine."""
    declared = context.world.hosts.get(host)
    if declared is None or declared.kind == "client" or host == context.here:
        return True
    return any(context.world.same_machine(host, server) for server in context.servers)


def _unreached(target: Target) -> Diagnostic:
    way = f"declare {target.host} as a server and write `host: {target.host}` in the target"
    if target.behind:  # as in `-L 5432:localhost:5432 bastion`: it means the one who dials
        way = f"when it runs on {target.behind[0]} itself, write `host: {target.behind[0]}` in place of `behind`"
    return Diagnostic(
        code=Code.LOOPBACK_ELSEWHERE,
        severity="error",
        message=f"{own_only(target.name, target.address, target.host)}, and {target.host} has no SSH server",
        place=target.place,
        path=f"targets.{target.name}.address",
        suggestion=f"{way}, or give the address that others dial",
    )
