"""The two functions that the shell calls: ``begin`` makes the first state, ``step`` every further one."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, assert_never

from orchestra.engine.core import changing, coming, session, tunnel
from orchestra.engine.core.messages import (
    CancelCheck,
    CheckFailed,
    CheckPassed,
    CloseListener,
    CloseSession,
    Command,
    EndRelays,
    Event,
    ListenerBound,
    ListenerFailed,
    NetworkChanged,
    PlanChanged,
    ReconnectRequested,
    Resumed,
    SessionAwaited,
    SessionEnded,
    SessionFailed,
    SessionIdle,
    SessionOpened,
    SessionSilent,
    Started,
    StopRequested,
    TimerFired,
    TimerKey,
)
from orchestra.engine.core.moves import LISTENER, PROOF, SESSION, move
from orchestra.engine.core.state import Draft, Limits, SessionEntry, State, tunnel_entry

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from orchestra.model.plan import Plan, PlannedTunnel


def begin(plan: Plan, *, has_check: Callable[[PlannedTunnel], bool], limits: Limits | None = None) -> State:
    """Nothing is open yet. Tunnels without a path, and those that another client holds, take no part."""
    tunnels = (t for t in plan.tunnels if t.verdict == "reachable" and t.listen is not None)
    return State(
        sessions=MappingProxyType({s.id: SessionEntry(spec=s) for s in plan.sessions}),
        tunnels=MappingProxyType({t.name: tunnel_entry(t, checked=has_check(t)) for t in tunnels}),
        limits=limits or Limits(),
    )


def step(state: State, event: Event, now: float, rng: Random) -> tuple[State, tuple[Command, ...]]:
    """What is known after the event, and what is to be done about it, in order.

    Raises :class:`~orchestra.engine.core.moves.IllegalMove` for an event that cannot have happened.
    """
    if state.stopping:
        return state, ()
    draft = Draft(state, now, rng)
    if isinstance(event, StopRequested):
        _stop(draft)
        return replace(draft.state(), stopping=True), tuple(draft.commands)
    _apply(draft, event)
    return draft.state(), tuple(draft.commands)


def _apply(draft: Draft, event: Event) -> None:
    match event:
        case Started():
            tunnel.advance_all(draft)
            session.open_what_can(draft)
        case SessionOpened() | SessionFailed() | SessionEnded() | SessionSilent() | SessionAwaited():
            _hear_of_session(draft, event)
        case ListenerBound() | ListenerFailed() | CheckPassed() | CheckFailed():
            _hear_of_tunnel(draft, event)
        case TimerFired(key):
            _time(draft, key)
        case Resumed() | NetworkChanged():
            session.shaken(draft)
            tunnel.hasten(draft)
        case PlanChanged():
            changing.change(draft, event)
        case SessionIdle(id_):
            coming.release(draft, id_)
        case ReconnectRequested(sessions, tunnels):
            session.reconnect(draft, sessions)
            tunnel.try_again(draft, tunnels)
        case StopRequested():
            raise AssertionError("handled by step")
        case _:
            assert_never(event)


def _hear_of_session(
    draft: Draft, event: SessionOpened | SessionFailed | SessionEnded | SessionSilent | SessionAwaited
) -> None:
    if event.id not in draft.sessions:
        return  # the plan has changed since
    match event:
        case SessionOpened(id_):
            session.opened(draft, id_)
        case SessionFailed(id_, failure):
            session.failed(draft, id_, failure)
        case SessionEnded(id_, failure):
            session.ended(draft, id_, failure)
        case SessionSilent(id_, failure):
            session.silent(draft, id_, failure)
        case SessionAwaited(id_):
            session.awaited(draft, id_)


def _hear_of_tunnel(draft: Draft, event: ListenerBound | ListenerFailed | CheckPassed | CheckFailed) -> None:
    match event:
        case ListenerBound(name, addresses, port, notes):
            tunnel.bound(draft, name, addresses, port, notes)
        case ListenerFailed(name, failure):
            tunnel.bind_failed(draft, name, failure)
        case CheckPassed(name, way, failed):
            tunnel.check_passed(draft, name, way, failed)
        case CheckFailed(name, failure):
            if tunnel.check_failed(draft, name, failure):
                session.open_what_can(draft)


def _time(draft: Draft, key: TimerKey) -> None:
    """What has gone from the plan since the timer was set has no turn any more."""
    match key:
        case ("server", server):
            session.due(draft, server)
        case ("drain", id_):
            coming.release(draft, id_)
        case ("listener", name) if name in draft.tunnels:
            tunnel.bind_due(draft, name)
        case ("check", name) if name in draft.tunnels:
            tunnel.check_due(draft, name)
        case ("way", name) if name in draft.tunnels:
            tunnel.way_due(draft, name)


def _stop(draft: Draft) -> None:
    """Nobody new is let in, then those inside are let go, then the sessions close, children before their parents."""
    entries = list(draft.tunnels.values())
    draft.commands += [CloseListener(e.name) for e in entries if e.listener in ("binding", "bound", "moving")]
    draft.commands += [CancelCheck(e.name) for e in entries if e.proof == "running"]
    draft.commands += [EndRelays(e.name) for e in entries]
    for entry in entries:
        listener, proof = move(LISTENER, entry.listener, "close"), move(PROOF, entry.proof, "close")
        draft.put_tunnel(entry, listener=listener, proof=proof, proven=False, addresses=())
    for session_entry in reversed(list(draft.sessions.values())):
        if session_entry.state in ("connecting", "open"):
            draft.commands.append(CloseSession(session_entry.spec.id))
        draft.put_session(session_entry, state=move(SESSION, session_entry.state, "close"), trouble=None)
