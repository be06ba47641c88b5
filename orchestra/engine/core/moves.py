"""Life cycles as transition tables: every state, and every move that is legal in it. Anything else is a bug."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestra.model.status import SessionState

SessionMove: TypeAlias = Literal["open", "opened", "failed", "refused", "lost", "due", "again", "parent lost", "close"]
ListenerState: TypeAlias = Literal["idle", "binding", "bound", "moving", "retrying", "closed"]
ListenerMove: TypeAlias = Literal["bind", "bound", "move", "failed", "due", "session lost", "close"]
ProofState: TypeAlias = Literal["idle", "running", "passed", "failed", "closed"]
ProofMove: TypeAlias = Literal["check", "passed", "failed", "path lost", "close"]

S = TypeVar("S", bound=str)
M = TypeVar("M", bound=str)

SESSION: Mapping[SessionState, Mapping[SessionMove, SessionState]] = MappingProxyType(
    {
        "waiting": {"open": "connecting", "again": "waiting", "parent lost": "waiting", "close": "closed"},
        "connecting": {
            "opened": "open",
            "failed": "retrying",
            "refused": "failed",
            "again": "waiting",
            "parent lost": "waiting",
            "close": "closed",
        },
        "open": {
            "lost": "retrying",
            "refused": "failed",
            "again": "waiting",
            "parent lost": "waiting",
            "close": "closed",
        },
        "retrying": {"due": "waiting", "again": "waiting", "parent lost": "waiting", "close": "closed"},
        "failed": {"again": "waiting", "parent lost": "failed", "close": "closed"},
        "closed": {},
    }
)
"""waiting: for its parent, for its server's next turn or for a free handshake · failed: stopped for good."""

LISTENER: Mapping[ListenerState, Mapping[ListenerMove, ListenerState]] = MappingProxyType(
    {
        "idle": {"bind": "binding", "session lost": "idle", "close": "closed"},
        "binding": {"bound": "bound", "failed": "retrying", "session lost": "idle", "close": "closed"},
        "bound": {"move": "moving", "session lost": "idle", "close": "closed"},
        "moving": {"bound": "bound", "failed": "bound", "session lost": "bound", "close": "closed"},
        "retrying": {"due": "idle", "session lost": "idle", "close": "closed"},
        "closed": {},
    }
)
"""idle: not asked for, because the session that it listens at is not open · moving: bound, while the one that is to
take its place is being bound; the session that it loses is the other's."""

PROOF: Mapping[ProofState, Mapping[ProofMove, ProofState]] = MappingProxyType(
    {
        "idle": {"check": "running", "path lost": "idle", "close": "closed"},
        "running": {"passed": "passed", "failed": "failed", "path lost": "idle", "close": "closed"},
        "passed": {"check": "running", "path lost": "idle", "close": "closed"},
        "failed": {"check": "running", "path lost": "idle", "close": "closed"},
        "closed": {},
    }
)


class IllegalMove(Exception):
    """A move that the life cycle does not have: the engine has contradicted itself."""


def move(table: Mapping[S, Mapping[M, S]], state: S, by: M) -> S:
    """The state that follows; raises :class:`IllegalMove`."""
    try:
        return table[state][by]
    except KeyError:
        raise IllegalMove(f"{by!r} in state {state!r}") from None
