"""From one plan to the next while everything runs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from orchestra.engine.core import session, tunnel
from orchestra.engine.core.coming import retire, switch
from orchestra.engine.core.messages import CancelBind, CancelCheck, CloseListener, DrainTunnel
from orchestra.engine.core.moves import LISTENER, move
from orchestra.engine.core.state import Coming, SessionEntry, tunnel_entry
from orchestra.planning.changes import parts

if TYPE_CHECKING:
    from orchestra.engine.core.messages import PlanChanged
    from orchestra.engine.core.state import Draft, TunnelEntry
    from orchestra.model.plan import PlannedListen, PlannedSession, PlannedTunnel

Socket: TypeAlias = tuple[str, str | int]
"""A host, and a path or a port there."""


def change(draft: Draft, event: PlanChanged) -> None:
    """Another plan is to be made true. Its sessions bear the ids of those that are there and do."""
    draft.drain = event.drain
    _want(draft, event.plan.sessions)
    entries, draft.tunnels = draft.tunnels, {}
    for planned in event.plan.tunnels:
        if (entry := entries.pop(planned.name, None)) is None:
            draft.tunnels[planned.name] = tunnel_entry(planned, checked=planned.name in event.checked)
        else:
            draft.tunnels[planned.name] = _changed(draft, entry, planned, event)
    _take_turns(draft)
    for entry in entries.values():
        _remove(draft, entry)
    for entry in list(draft.tunnels.values()):
        if entry.coming is not None and not draft.is_passable(entry.way):
            switch(draft, entry)  # there is nothing that it could go on with
    tunnel.advance_all(draft)
    retire(draft)
    session.open_what_can(draft)


def _want(draft: Draft, sessions: tuple[PlannedSession, ...]) -> None:
    """New settings are tried at once, whatever became of the old ones."""
    wanted = {planned.id for planned in sessions}
    for id_, entry in draft.sessions.items():
        if id_ not in wanted:
            draft.put_session(entry, wanted=False)
    for planned in sessions:
        if (known := draft.sessions.get(planned.id)) is not None:
            draft.put_session(known, spec=planned, wanted=True, retiring=False)
        else:
            draft.sessions[planned.id] = SessionEntry(spec=planned)
            draft.budgets.pop(planned.server, None)


def _changed(draft: Draft, entry: TunnelEntry, planned: PlannedTunnel, event: PlanChanged) -> TunnelEntry:
    if entry.listener == "moving":
        draft.commands.append(CancelBind(entry.name))
        entry = replace(entry, listener=move(LISTENER, entry.listener, "session lost"))
    differing = parts(entry.spec, planned)
    if not differing:
        return replace(entry, spec=planned, coming=None)
    binds_itself = planned.name in event.binding
    coming = Coming(
        spec=planned,
        checked=planned.name in event.checked,
        moves="listen" in differing or (binds_itself and "kind" in differing),
        apart=not binds_itself and not _meet(entry.spec.listen, planned.listen),
        proves=bool(differing - {"rest"}),
    )
    return replace(entry, coming=coming)


def _take_turns(draft: Draft) -> None:
    """Who is to listen where another tunnel still does waits until that has moved. Of those that wait for one another
    nobody could begin: they let go first."""
    moving = [(entry, entry.coming) for entry in draft.tunnels.values() if entry.coming and entry.coming.moves]
    holders: defaultdict[Socket, list[TunnelEntry]] = defaultdict(list)
    for entry, _ in moving:
        for each in _sockets(entry.spec.listen):
            holders[each].append(entry)
    behind: dict[str, frozenset[str]] = {}
    for entry, coming in moving:
        after = coming.spec.listen
        others = (other for each in _sockets(after) for other in holders.get(each, ()) if other is not entry)
        behind[entry.name] = frozenset(other.name for other in others if _meet(other.spec.listen, after))
    left = {name: names for name, names in behind.items() if names}
    while free := [name for name, names in left.items() if names.isdisjoint(left)]:
        for name in free:
            del left[name]
    for entry, coming in moving:
        apart = coming.apart and entry.name not in left
        draft.put_tunnel(entry, coming=replace(coming, apart=apart, behind=behind[entry.name]))


def _sockets(listen: PlannedListen | None) -> set[Socket]:
    """What a listener needs, apart from which of a port's addresses."""
    if listen is None:
        return set()
    if listen.unix is not None:
        return {(listen.at, listen.unix.path)}
    return {(listen.at, bind.port) for bind in listen.binds if bind.port}


def _remove(draft: Draft, entry: TunnelEntry) -> None:
    """It accepts nothing more; what it carries may come to an end."""
    if entry.listener in ("binding", "bound", "moving"):
        draft.commands.append(CloseListener(entry.name))
    if entry.proof == "running":
        draft.commands.append(CancelCheck(entry.name))
    draft.commands.append(DrainTunnel(entry.name, draft.deadline()))


def _meet(before: PlannedListen | None, after: PlannedListen | None) -> bool:
    """Whether the two cannot be bound at once: a socket, or the port of a server, that both need."""
    if before is None or after is None or before.at != after.at:
        return False
    if before.unix is not None and before.unix == after.unix:
        return True
    return any(
        old.port == new.port != 0 and (old.host == new.host or "*" in (old.host, new.host))
        for old in before.binds
        for new in after.binds
    )
