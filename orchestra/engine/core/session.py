"""The tree of sessions: who is opened when, and who answers for a loss.

A child waits for its parent and is not blamed for it; branches that have nothing in common go on in parallel; the
attempts at one server are counted together, whatever the ways to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orchestra.engine.core import coming, tunnel
from orchestra.engine.core.backoff import HEALTHY, PAUSE, SPREAD
from orchestra.engine.core.failover import standing_by
from orchestra.engine.core.failures import classify
from orchestra.engine.core.messages import DropSession, OpenSession, ProbeSession, SetTimer
from orchestra.engine.core.moves import SESSION, move
from orchestra.engine.core.state import Budget

if TYPE_CHECKING:
    from orchestra.engine.core.failures import Failure
    from orchestra.engine.core.state import Draft, SessionEntry

PROBE = 5.0
"""Seconds that a session of the first hop has for an answer."""
PROBE_STEP = 1.0
"""A further hop has more, so that the one at fault is named."""


def open_what_can(draft: Draft) -> None:
    """Starts every session whose parent is open, as far as its server's turn and the limits allow; parents first."""
    connecting = [e.spec.server for e in draft.sessions.values() if e.state == "connecting"]
    able = [e for e in draft.sessions.values() if e.state == "waiting" and _may_open(draft, e, connecting)]
    spare = standing_by(draft) if able else frozenset()
    for entry in able:
        needed = entry.awaited or entry.spec.id not in spare
        if needed and _may_open(draft, entry, connecting):
            connecting.append(entry.spec.server)
            draft.put_session(entry, state=move(SESSION, entry.state, "open"))
            draft.commands.append(OpenSession(entry.spec.id))


def _may_open(draft: Draft, entry: SessionEntry, connecting: list[str]) -> bool:
    server, via = entry.spec.server, entry.spec.via
    return (
        (via is None or draft.sessions[via].state == "open")
        and draft.budgets.get(server, Budget()).not_before <= draft.now
        and len(connecting) < draft.limits.total
        and connecting.count(server) < draft.limits.per_server
    )


def opened(draft: Draft, id_: str) -> None:
    """It is up: what waited for it goes on."""
    entry = draft.sessions[id_]
    state = move(SESSION, entry.state, "opened")
    draft.put_session(entry, state=state, opened_at=draft.now, trouble=None)
    tunnel.advance_all(draft, id_)
    open_what_can(draft)


def failed(draft: Draft, id_: str, failure: Failure) -> None:
    """It could not be opened."""
    _set_back(draft, id_, failure, lost=False)
    tunnel.reconsider(draft, id_)
    open_what_can(draft)


def ended(draft: Draft, id_: str, failure: Failure) -> None:
    """It was open and ended by itself; what stood on it falls with it."""
    entry = draft.sessions[id_]
    if entry.retiring:
        coming.forget(draft, id_)
        return
    budget = draft.budgets.get(entry.spec.server, Budget())
    if draft.now - entry.opened_at >= HEALTHY:
        draft.budgets[entry.spec.server] = replace(budget, failures=0)
    _set_back(draft, id_, failure, lost=True)
    gone = {id_} | _drop_children(draft, id_)
    tunnel.lose_sessions(draft, gone)
    open_what_can(draft)


def silent(draft: Draft, id_: str, failure: Failure) -> None:
    """It does not answer: it counts as lost."""
    if draft.sessions[id_].state == "open":
        draft.commands.append(DropSession(id_))
        ended(draft, id_, failure)


def awaited(draft: Draft, id_: str) -> None:
    """A connection waits for it: what stands by is opened, and what waits for its turn has it earlier."""
    at: str | None = id_
    while at is not None and (entry := draft.sessions[at]).state != "open":
        if entry.state != "failed":
            draft.put_session(entry, awaited=True)
        _hurry(draft, entry.spec.server, draft.now)
        at = entry.spec.via
    open_what_can(draft)


def shaken(draft: Draft) -> None:
    """The world may be another one: what is open has to answer, outer sessions first, and waits are cut short."""
    for entry in draft.sessions.values():
        if entry.state == "open":
            draft.commands.append(ProbeSession(entry.spec.id, PROBE + PROBE_STEP * (entry.spec.depth - 1)))
    for server, budget in list(draft.budgets.items()):
        if not budget.patient:
            draft.budgets[server] = replace(budget, failures=0)
            _hurry(draft, server, draft.now + draft.rng.uniform(0.0, SPREAD))


def _hurry(draft: Draft, server: str, at: float) -> None:
    """Brings the next attempt forward, unless somebody decided against us or it was done just before."""
    budget = draft.budgets.get(server, Budget())
    at = max(at, budget.hurried + PAUSE)
    if budget.patient or at >= budget.not_before:
        return
    draft.budgets[server] = replace(budget, not_before=at, hurried=at)
    for entry in list(draft.sessions.values()):
        if entry.spec.server == server and entry.state == "retrying" and entry.trouble is not None:
            draft.put_session(entry, trouble=replace(entry.trouble, next_retry=at))
    draft.commands.append(SetTimer(("server", server), at))


def due(draft: Draft, server: str) -> None:
    """The server may be tried again."""
    budget = draft.budgets.get(server, Budget())
    draft.budgets[server] = replace(budget, not_before=min(budget.not_before, draft.now))  # timers may be early
    for entry in list(draft.sessions.values()):
        if entry.spec.server == server and entry.state == "retrying":
            draft.put_session(entry, state=move(SESSION, entry.state, "due"))
    open_what_can(draft)


def reconnect(draft: Draft, ids: tuple[str, ...]) -> None:
    """They are opened anew, at once, and what failed before is forgotten: somebody says that it is mended."""
    gone: set[str] = set()
    for id_ in ids:
        entry = draft.sessions[id_]
        if entry.state in ("connecting", "open"):
            draft.commands.append(DropSession(id_))
        gone |= {id_} | _drop_children(draft, id_)
        draft.budgets.pop(entry.spec.server, None)
        draft.put_session(draft.sessions[id_], state=move(SESSION, entry.state, "again"), trouble=None)
    tunnel.lose_sessions(draft, gone)
    open_what_can(draft)


def _set_back(draft: Draft, id_: str, failure: Failure, *, lost: bool) -> None:
    entry = draft.sessions[id_]
    kind, server = classify(failure.code), entry.spec.server
    attempts = draft.budgets.get(server, Budget()).failures + 1
    trouble = draft.trouble(entry.trouble, failure, kind, attempts, ("server", server))
    if trouble.next_retry is None:
        draft.put_session(entry, state=move(SESSION, entry.state, "refused"), trouble=trouble, awaited=False)
        return
    budget = draft.budgets.get(server, Budget())
    draft.budgets[server] = replace(budget, failures=attempts, not_before=trouble.next_retry, patient=kind == "policy")
    state = move(SESSION, entry.state, "lost" if lost else "failed")
    draft.put_session(entry, state=state, trouble=trouble, awaited=False)


def _drop_children(draft: Draft, id_: str) -> set[str]:
    """Sends everything above it back to waiting; deepest last, as the plan has parents first."""
    gone: set[str] = set()
    for entry in list(draft.sessions.values()):
        if entry.spec.via != id_ and entry.spec.via not in gone:
            continue
        gone.add(entry.spec.id)
        if entry.state in ("connecting", "open"):
            draft.commands.append(DropSession(entry.spec.id))
        if entry.retiring:
            del draft.sessions[entry.spec.id]
            continue
        state = move(SESSION, entry.state, "parent lost")
        trouble = entry.trouble if state == "failed" else None
        draft.put_session(entry, state=state, trouble=trouble, awaited=False)
    return gone
