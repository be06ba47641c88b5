"""Whatever happens, in whatever order: the core never contradicts itself, and asks only for what can be done."""

from __future__ import annotations

from random import Random
from typing import TypeAlias

import pytest

from orchestra.diagnostics import Code
from orchestra.engine.core.messages import (
    BindListener,
    CancelCheck,
    CheckFailed,
    CheckPassed,
    CloseListener,
    CloseSession,
    Command,
    DropSession,
    EndRelays,
    Event,
    ListenerBound,
    ListenerFailed,
    OpenSession,
    RunCheck,
    SessionEnded,
    SessionFailed,
    SessionOpened,
    StopRequested,
)
from orchestra.engine.core.state import Limits
from orchestra.engine.core.telling import Teller
from tests.engine.core.script import Script, failure
from tests.engine.plans import CheckRef, chain, listen, plan, session, tunnel

Work: TypeAlias = dict[str, str]
"""What the world is doing: ``connecting``/``open``, ``binding``/``bound``, ``checking``."""

LIMITS = Limits(per_server=1, total=3)
PLAN = plan(
    (*chain("edge", "gateway", "vault"), session("west"), session("gw-2", "west", server="gateway", depth=2)),
    tunnel("desk", "edge", "gateway", "vault"),
    tunnel("hook", "west", entry=listen("localhost", at="west", port=0), check=CheckRef(every=30.0)),
    tunnel("bridge", "edge", "west", entry=listen("localhost", at="edge"), exit_="west"),
    tunnel("direct"),
)
CODES = [Code.CONNECT_REFUSED, Code.SESSION_LOST, Code.FORWARD_REFUSED, Code.LISTEN_IN_USE, Code.AUTH_FAILED]


class World:
    """Does what it is told, and complains about what cannot be done."""

    def __init__(self) -> None:
        self.sessions: Work = {}
        self.listeners: Work = {}
        self.checks: Work = {}

    def perform(self, command: Command) -> None:
        match command:
            case OpenSession(id_):
                via = PLAN.session(id_).via
                assert id_ not in self.sessions
                assert via is None or self.sessions[via] == "open"
                self.sessions[id_] = "connecting"
                connecting = [s for s, state in self.sessions.items() if state == "connecting"]
                assert len(connecting) <= LIMITS.total
                assert sum(PLAN.session(s).server == PLAN.session(id_).server for s in connecting) <= LIMITS.per_server
            case DropSession(id_) | CloseSession(id_):
                del self.sessions[id_]
            case BindListener(name, _):
                entry = PLAN.tunnel(name).entry
                assert name not in self.listeners
                assert entry is None or self.sessions[entry] == "open"
                self.listeners[name] = "binding"
            case CloseListener(name):
                del self.listeners[name]
            case RunCheck(name):
                assert name not in self.checks
                assert self.listeners[name] == "bound"
                assert all(self.sessions[id_] == "open" for id_ in PLAN.tunnel(name).sessions)
                self.checks[name] = "checking"
            case CancelCheck(name):
                del self.checks[name]
            case EndRelays():
                pass
            case _:
                raise AssertionError(command)

    def happen(self, rng: Random) -> Event | None:
        """Something that can happen now, and has."""
        sessions = [(id_, self._session) for id_ in self.sessions]
        listeners = [(n, self._listener) for n, state in self.listeners.items() if state == "binding"]
        checks = [(name, self._check) for name in self.checks]
        possible = [*sessions, *listeners, *checks]
        if not possible:
            return None
        name, happens = rng.choice(possible)
        return happens(name, rng)

    def _session(self, id_: str, rng: Random) -> Event:
        if self.sessions[id_] == "connecting" and rng.random() < 0.8:
            self.sessions[id_] = "open"
            return SessionOpened(id_)
        was = self.sessions.pop(id_)
        code = rng.choices(CODES, [9, 9, 2, 2, 1])[0]
        return (SessionEnded if was == "open" else SessionFailed)(id_, failure(code))

    def _listener(self, name: str, rng: Random) -> Event:
        if rng.random() < 0.8:
            self.listeners[name] = "bound"
            return ListenerBound(name, ("127.0.0.1:1",), 0)
        del self.listeners[name]
        return ListenerFailed(name, failure(rng.choice(CODES[:-1])))

    def _check(self, name: str, rng: Random) -> Event:
        del self.checks[name]
        return CheckPassed(name) if rng.random() < 0.7 else CheckFailed(name, failure(rng.choice(CODES)))


def play(seed: int, steps: int = 120) -> tuple[Script, World]:
    rng, world, script = Random(seed), World(), Script(PLAN, seed=seed, limits=LIMITS)  # noqa: S311
    for command in script.start():
        world.perform(command)
    for _ in range(steps):
        if script.timers and rng.random() < 0.3:
            key = min(script.timers, key=lambda each: script.timers[each])
            commands = script.ring(*key)
        elif (event := world.happen(rng)) is not None:
            commands = script.tell(event, after=rng.choice([0.0, 0.0, 0.01]))
        else:
            continue
        for command in commands:
            world.perform(command)
        told, fresh = script.teller.status(), Teller(script.state).status()
        assert [t.state for t in told.tunnels] == [t.state for t in fresh.tunnels]
        assert told.state == fresh.state
        open_ids = {id_ for id_, state in world.sessions.items() if state == "open"}
        assert open_ids == {id_ for id_, entry in script.state.sessions.items() if entry.state == "open"}
    return script, world


@pytest.mark.parametrize("seed", range(60))
def test_any_order_of_events(seed: int) -> None:
    script, world = play(seed)
    for command in script.tell(StopRequested()):
        world.perform(command)
    assert (world.sessions, world.listeners, world.checks) == ({}, {}, {})


def test_the_same_events_give_the_same_commands() -> None:
    assert play(7)[0].told == play(7)[0].told
