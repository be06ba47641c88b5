"""From one plan to the next, pure: which sessions of the old one serve the new one, and what becomes of each part.

A session is the same when it is dialed the same way, over the same one, with the same settings of its server; names and
numbers of sessions mean nothing. So the new plan first takes the ids of what is open already (:func:`align`); what
differs then differs in truth (:func:`compare`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from orchestra.model.changes import Action, Change, Changes, Difference
from orchestra.model.frozen import dataclass
from orchestra.model.topology import SecretRef

if TYPE_CHECKING:
    from collections.abc import Collection

    from orchestra.model.plan import Alternative, Dial, Plan, PlannedListen, PlannedSession, PlannedTunnel
    from orchestra.model.topology import Host

Part: TypeAlias = Literal["listen", "kind", "way", "check", "rest"]
"""What of a tunnel differs: its listener, what is done with connections, where they go, its proof, anything else."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A session that is there, or asked for, and the host that it leads to."""

    session: PlannedSession
    host: Host


def align(plan: Plan, hosts: Mapping[str, Host], known: Mapping[str, Standing]) -> Plan:
    """The plan with the ids of those ``known`` sessions that do as they are; every other one has an id of its own."""
    ids: dict[str, str] = {}
    for session in plan.sessions:
        moved = replace(session, via=None if session.via is None else ids[session.via])
        wanted = Standing(moved, hosts[session.server])
        taken = set(ids.values())
        same = (id_ for id_, each in known.items() if id_ not in taken and _does(each, wanted))
        ids[session.id] = next(same, None) or _fresh(session.id, {*known, *taken})
    return _renamed(plan, ids)


def compare(before: Plan, hosts: Mapping[str, Host], after: Plan, after_hosts: Mapping[str, Host]) -> Changes:
    """What becomes of every session and tunnel of two plans, of which the second is aligned."""
    return Changes(items=(*_sessions(before, hosts, after, after_hosts), *_tunnels(before, after)))


def parts(before: PlannedTunnel, after: PlannedTunnel) -> frozenset[Part]:
    """What of the tunnel differs, as far as it matters while it is open."""
    old, new = before.spec, after.spec
    differs: Mapping[Part, bool] = {
        "listen": _listener(before.listen) != _listener(after.listen),
        "kind": (before.kind, before.protocol, old.options) != (after.kind, after.protocol, new.options),
        "way": _way(before) != _way(after),
        "check": old.check != new.check,
        "rest": _rest(before) != _rest(after),
    }
    return frozenset(part for part, found in differs.items() if found)


# -- sessions ---------------------------------------------------------------------------------------------------------


def _does(standing: Standing, wanted: Standing) -> bool:
    """Whether the one does as well as the other."""
    old, new = standing.session, wanted.session
    same_way = (old.server, old.via, _address(old.dial)) == (new.server, new.via, _address(new.dial))
    return same_way and _settings(standing.host) == _settings(wanted.host)


def _address(dial: Dial | None) -> tuple[Any, ...]:
    """Who dials what; why it passes is no part of it."""
    return (dial.by, dial.host, dial.port, dial.path, dial.transport, dial.text) if dial is not None else ()


def _settings(host: Host) -> Mapping[str, Any]:
    """What decides how its session is opened, by the key that says so in the file."""
    if host.server is None:
        return {}
    ssh, transport = host.server.ssh, host.server.transport
    found = _fields("ssh", replace(ssh, config=None)) | _fields("ssh_config", ssh.config)
    found["names"] = tuple((name.text, name.network) for name in host.names)
    return found | {"transport": transport.type, "transport.options": dict(transport.options)}


def _fields(prefix: str, settings: Any) -> dict[str, Any]:
    shown = (each.name for each in fields(settings) if each.compare) if settings is not None else ()
    return {f"{prefix}.{name}": getattr(settings, name) for name in shown}


def _fresh(id_: str, taken: Collection[str]) -> str:
    stem, number, name = id_.partition("~")[0], 1, id_
    while name in taken:
        number += 1
        name = f"{stem}~{number}"
    return name


def _renamed(plan: Plan, ids: Mapping[str, str]) -> Plan:
    def of(id_: str | None) -> str | None:
        return None if id_ is None else ids[id_]

    def all_of(found: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(ids[id_] for id_ in found)

    def alternative(each: Alternative) -> Alternative:
        return replace(each, sessions=all_of(each.sessions), exit=of(each.exit))

    def tunnel(each: PlannedTunnel) -> PlannedTunnel:
        return replace(
            each,
            sessions=all_of(each.sessions),
            entry=of(each.entry),
            exit=of(each.exit),
            listen=each.listen and replace(each.listen, session=of(each.listen.session)),
            alternatives=tuple(map(alternative, each.alternatives)),
        )

    sessions = tuple(replace(each, id=ids[each.id], via=of(each.via)) for each in plan.sessions)
    return replace(plan, sessions=sessions, tunnels=tuple(map(tunnel, plan.tunnels)))


def _sessions(
    before: Plan, hosts: Mapping[str, Host], after: Plan, after_hosts: Mapping[str, Host]
) -> Iterator[Change]:
    stays = {session.id for session in after.sessions}
    gone = {session.id: session for session in before.sessions if session.id not in stays}
    kept = {session.id for session in before.sessions} & stays
    found = []
    for session in after.sessions:
        if session.id in kept:
            found.append(_session(session, session.id, "keep"))
            continue
        old = next((each for each in gone.values() if each.server == session.server), None)
        if old is None:
            found.append(_session(session, session.id, "add"))
            continue
        del gone[old.id]
        differences = _session_differences(old, hosts[old.server], session, after_hosts[session.server])
        found.append(_session(session, old.id, "change", tuple(differences)))
    found += (_session(session, session.id, "remove") for session in gone.values())
    yield from sorted(found, key=lambda each: each.name)


def _session(session: PlannedSession, name: str, action: Action, differences: tuple[Difference, ...] = ()) -> Change:
    text = f"{session.dial.by} dials {session.dial}"
    return Change(what="session", name=name, action=action, text=text, differences=differences)


def _session_differences(
    before: PlannedSession, host: Host, after: PlannedSession, after_host: Host
) -> Iterator[Difference]:
    old, new = _settings(host), _settings(after_host)
    yield from _differing("dial", _said(before.dial), _said(after.dial))
    if before.via != after.via:
        was, now = before.via or before.dial.by, after.via or after.dial.by
        after_text = f"another session to {after.dial.by}" if before.dial.by == after.dial.by else now
        yield Difference(field="through", before=was, after=after_text)
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) != new.get(key):
            yield Difference(field=key, before=_value(old.get(key)), after=_value(new.get(key)))


# -- tunnels ----------------------------------------------------------------------------------------------------------


def _listener(listen: PlannedListen | None) -> tuple[Any, ...]:
    if listen is None:
        return ()
    return listen.at, listen.session, listen.binds, listen.requests, listen.unix, listen.probes, listen.removable


def _way(tunnel: PlannedTunnel) -> tuple[Any, ...]:
    others = ((each.sessions, each.exit, _address(each.dial)) for each in tunnel.alternatives if each.sessions)
    spec = tunnel.spec
    return tunnel.sessions, tunnel.exit, _address(tunnel.dial), spec.failover, spec.standby, *others


def _rest(tunnel: PlannedTunnel) -> tuple[Any, ...]:
    spec = tunnel.spec
    return spec.hold, spec.dial_timeout, spec.optional, spec.env, spec.family


def _tunnels(before: Plan, after: Plan) -> Iterator[Change]:
    old, new = ({tunnel.name: tunnel for tunnel in plan.tunnels} for plan in (before, after))
    for name in sorted({*old, *new}):
        if name not in new:
            yield _tunnel(old[name], "remove")
        elif name not in old:
            yield _tunnel(new[name], "add")
        elif parts(old[name], new[name]):
            differences = tuple(_tunnel_differences(old[name], new[name]))
            yield replace(_tunnel(new[name], "change"), differences=differences)
        else:
            yield _tunnel(new[name], "keep")


def _tunnel(tunnel: PlannedTunnel, action: Action) -> Change:
    target = tunnel.spec.to or _said(tunnel.dial) or "wherever its users ask"
    where = ", ".join(tunnel.listen.addresses) if tunnel.listen is not None else "nowhere"
    at = f" of {tunnel.listen.at}" if tunnel.listen is not None and tunnel.listen.session is not None else ""
    return Change(what="tunnel", name=tunnel.name, action=action, text=f"{where}{at} → {target}")


def _tunnel_differences(before: PlannedTunnel, after: PlannedTunnel) -> Iterator[Difference]:
    old, new = before.spec, after.spec
    yield from _differing("listen", _listens(before.listen), _listens(after.listen))
    yield from _differing("dial", _said(before.dial), _said(after.dial))
    yield from _differing("path", " → ".join(before.path), " → ".join(after.path))
    if before.path == after.path and before.sessions != after.sessions:
        yield Difference(field="sessions", before=", ".join(before.sessions), after=", ".join(after.sessions))
    yield from _differing("kind", before.kind, after.kind)
    for name in ("options", "check", "hold", "dial_timeout", "optional", "failover", "standby", "env"):
        key = after.kind if name == "options" else name
        yield from _differing(key, _value(getattr(old, name)), _value(getattr(new, name)))
    if _way(before)[5:] != _way(after)[5:]:
        was, now = (
            "; ".join(" → ".join(each.path) for each in tunnel.alternatives if each.sessions)
            for tunnel in (before, after)
        )
        yield Difference(field="alternatives", before=was, after=now)


def _differing(field: str, before: str, after: str) -> Iterator[Difference]:
    if before != after:
        yield Difference(field=field, before=before, after=after)


def _listens(listen: PlannedListen | None) -> str:
    return f"{', '.join(listen.addresses)} of {listen.at}" if listen is not None else ""


def _said(dial: Dial | None) -> str:
    return f"{dial.by} dials {dial}" if dial is not None else ""


def _value(value: Any) -> str:
    """As the file would have it, more or less; secrets are references, never values."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}s"
        case SecretRef(kind=kind, value=what):
            return f"{{{kind}: {_value(what)}}}"
        case tuple() | list():
            return ", ".join(map(_value, value))
        case Mapping():
            return ", ".join(f"{key}: {_value(item)}" for key, item in value.items())
        case _ if hasattr(value, "__dataclass_fields__"):
            found = {each.name: getattr(value, each.name) for each in fields(value) if each.compare}
            return ", ".join(f"{name}: {_value(item)}" for name, item in found.items() if item not in (None, {}, ()))
        case _:
            return str(value)
