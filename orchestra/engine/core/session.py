"""The tree of sessions: who is opened when, and who answers for a loss.

A child waits for its parent and is not blamed for it; branches that have nothing in common go on in parallel; the
attempts at one server are counted together, whatever the ways to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orchestra.engine.core import tunnel
from orchestra.engine.core.backoff import HEALTHY
from orchestra.engine.core.failures import classify
from orchestra.engine.core.messages import DropSession, OpenSession
from orchestra.engine.core.moves import SESSION, move
from orchestra.engine.core.state import Budget

if TYPE_CHECKING:
    from orchestra.engine.core.failures import Failure
    from orchestra.engine.core.state import Draft, SessionEntry


def open_what_can(draft: Draft) -> None:
    """Starts every session whose parent is open, as far as its server's turn and the limits allow; parents first."""
    connecting = [e.spec.server for e in draft.sessions.values() if e.state == "connecting"]
    for entry in list(draft.sessions.values()):
        server = entry.spec.server
        if entry.state == "waiting" and _may_open(draft, entry, connecting):
            connecting.append(server)
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
    open_what_can(draft)
    tunnel.advance_all(draft)


def failed(draft: Draft, id_: str, failure: Failure) -> None:
    """It could not be opened."""
    _set_back(draft, id_, failure, lost=False)
    open_what_can(draft)


def ended(draft: Draft, id_: str, failure: Failure) -> None:
    """It was open and ended by itself; what stood on it falls with it."""
    entry = draft.sessions[id_]
    budget = draft.budgets.get(entry.spec.server, Budget())
    if draft.now - entry.opened_at >= HEALTHY:
        draft.budgets[entry.spec.server] = replace(budget, failures=0)
    _set_back(draft, id_, failure, lost=True)
    gone = {id_} | _drop_children(draft, id_)
    tunnel.lose_sessions(draft, gone)
    open_what_can(draft)


def due(draft: Draft, server: str) -> None:
    """The server may be tried again."""
    for entry in list(draft.sessions.values()):
        if entry.spec.server == server and entry.state == "retrying":
            draft.put_session(entry, state=move(SESSION, entry.state, "due"))
    open_what_can(draft)


def _set_back(draft: Draft, id_: str, failure: Failure, *, lost: bool) -> None:
    entry = draft.sessions[id_]
    kind, server = classify(failure.code), entry.spec.server
    attempts = draft.budgets.get(server, Budget()).failures + 1
    trouble = draft.trouble(entry.trouble, failure, kind, attempts, ("server", server))
    if trouble.next_retry is None:
        draft.put_session(entry, state=move(SESSION, entry.state, "refused"), trouble=trouble)
        return
    draft.budgets[server] = Budget(failures=attempts, not_before=trouble.next_retry)
    draft.put_session(entry, state=move(SESSION, entry.state, "lost" if lost else "failed"), trouble=trouble)


def _drop_children(draft: Draft, id_: str) -> set[str]:
    """Sends everything above it back to waiting; deepest last, as the plan has parents first."""
    gone: set[str] = set()
    for entry in list(draft.sessions.values()):
        if entry.spec.via != id_ and entry.spec.via not in gone:
            continue
        gone.add(entry.spec.id)
        if entry.state in ("connecting", "open"):
            draft.commands.append(DropSession(entry.spec.id))
        state = move(SESSION, entry.state, "parent lost")
        draft.put_session(entry, state=state, trouble=entry.trouble if state == "failed" else None)
    return gone
