"""What is coming for tunnels and sessions that the plan in force has otherwise: made before what is old is let go.

A tunnel goes on as it was until its new way is open and its new listener is bound; connections that it carries stay
where they are. A session that nothing needs any more *retires*: it ends with the last connection over it, or when the
time to drain is over.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orchestra.engine.core.messages import (
    AdoptPlan,
    BindListener,
    CancelBind,
    CancelCheck,
    CloseListener,
    DropSession,
    ReleaseSession,
    SetTimer,
)
from orchestra.engine.core.moves import LISTENER, move
from orchestra.engine.core.state import tunnel_entry
from orchestra.engine.core.ways import ways_of

if TYPE_CHECKING:
    from orchestra.engine.core.failures import Failure
    from orchestra.engine.core.state import Coming, Draft, TunnelEntry


def follow(draft: Draft, name: str) -> None:
    """Makes the step to what is coming that can be made now."""
    entry = draft.tunnels[name]
    coming = entry.coming
    if coming is None or entry.listener == "moving" or not _is_possible(draft, coming):
        return
    if not (coming.moves and coming.apart and entry.listener == "bound"):
        switch(draft, entry)
    elif any(_still_holds(draft, other) for other in coming.behind):
        return
    elif coming.trouble is None or (coming.trouble.next_retry or 0.0) <= draft.now:
        draft.put_tunnel(entry, listener=move(LISTENER, entry.listener, "move"))
        draft.commands.append(BindListener(name))


def _is_possible(draft: Draft, coming: Coming) -> bool:
    return any(draft.is_passable(way) for way in ways_of(coming.spec))


def _still_holds(draft: Draft, name: str) -> bool:
    """Whether that tunnel listens where it did before the plan changed."""
    entry = draft.tunnels.get(name)
    return entry is not None and entry.coming is not None and entry.listener in ("bound", "moving")


def moved(draft: Draft, name: str) -> None:
    """The new listener is bound, and the old one closed."""
    switch(draft, draft.tunnels[name])


def move_failed(draft: Draft, name: str, failure: Failure) -> None:
    """The new listener cannot be bound; the old one goes on, and it is tried again."""
    entry = draft.tunnels[name]
    assert entry.coming is not None  # noqa: S101 - it moves
    before = entry.coming.trouble
    attempts = before.attempts + 1 if before else 1
    trouble = draft.trouble(before, failure, "policy", attempts, ("listener", name))
    coming = replace(entry.coming, trouble=trouble)
    draft.put_tunnel(entry, listener=move(LISTENER, entry.listener, "failed"), coming=coming)


def lose(draft: Draft, gone: set[str]) -> None:
    """Listeners that were to move to these sessions, or from them, do not; what becomes of the others is not decided
    here."""
    for entry in list(draft.tunnels.values()):
        coming = entry.coming
        if (
            entry.listener == "moving"
            and coming is not None
            and not gone.isdisjoint({entry.entry, *coming.spec.sessions})
        ):
            draft.commands.append(CancelBind(entry.name))
            draft.put_tunnel(entry, listener=move(LISTENER, entry.listener, "session lost"))


def release(draft: Draft, id_: str) -> None:
    """No connection needs that session any more, or the time to drain is over; children first."""
    entry = draft.sessions.get(id_)
    if entry is None or not entry.retiring:
        return
    for child in [each for each in draft.sessions.values() if each.spec.via == id_]:
        release(draft, child.spec.id)
    draft.commands.append(ReleaseSession(id_, entry.spec.depth))
    del draft.sessions[id_]


def forget(draft: Draft, id_: str) -> None:
    """A retiring session has ended by itself, and with it those above it."""
    del draft.sessions[id_]
    for child in [each for each in draft.sessions.values() if each.spec.via == id_]:
        draft.commands.append(DropSession(child.spec.id))
        forget(draft, child.spec.id)


def switch(draft: Draft, entry: TunnelEntry) -> None:
    """From now on the tunnel is what was coming; its proof begins anew, unless nothing of it differs."""
    coming = entry.coming
    assert coming is not None  # noqa: S101 - there is something to switch to
    stays = not coming.moves or (entry.listener == "bound" and coming.apart and _is_possible(draft, coming))
    if not stays and entry.listener in ("binding", "bound"):
        draft.commands.append(CloseListener(entry.name))
    after = replace(tunnel_entry(coming.spec, checked=coming.checked), port=entry.port)
    if stays:
        kept = {"listener": entry.listener, "addresses": entry.addresses, "port": entry.port, "notes": entry.notes}
        after = replace(after, **kept, bind_trouble=entry.bind_trouble)  # type: ignore[arg-type]
    if stays and not coming.proves:
        proof = {"proof": entry.proof, "proven": entry.proven, "streak": entry.streak, "settled": entry.settled}
        after = replace(after, **proof, proof_trouble=entry.proof_trouble)  # type: ignore[arg-type]
    elif entry.proof == "running":
        draft.commands.append(CancelCheck(entry.name))
    draft.tunnels[entry.name] = after
    draft.commands.append(AdoptPlan(entry.name))
    retire(draft)
    for other in list(draft.tunnels.values()):
        if other.coming is not None and entry.name in other.coming.behind:
            follow(draft, other.name)


def retire(draft: Draft) -> None:
    """Sessions that no plan and no tunnel needs: those that are open may drain, the others go."""
    used = {id_ for entry in draft.tunnels.values() for way in entry.ways for id_ in way.sessions}
    for id_, entry in reversed(list(draft.sessions.items())):
        if entry.wanted or entry.retiring or id_ in used:
            continue
        if entry.state == "open":
            draft.put_session(entry, retiring=True)
            if (until := draft.deadline()) is not None:
                draft.commands.append(SetTimer(("drain", id_), until))
            continue
        if entry.state == "connecting":
            draft.commands.append(DropSession(id_))
        del draft.sessions[id_]
