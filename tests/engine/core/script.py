"""Transcripts of the core: what it is told, and what it then asks for."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from orchestra.diagnostics import Code
from orchestra.engine.core.failures import Failure
from orchestra.engine.core.messages import Command, Event, SetTimer, Started, TimerFired, TimerKey
from orchestra.engine.core.report import EngineStatus
from orchestra.engine.core.state import Limits
from orchestra.engine.core.supervisor import begin, step
from orchestra.engine.core.telling import Teller
from orchestra.model.events import Event as Told
from orchestra.model.plan import Plan, PlannedTunnel
from orchestra.model.status import SessionStatus, TunnelStatus


def failure(code: Code = Code.CONNECT_REFUSED, host: str | None = "laptop", message: str | None = None) -> Failure:
    return Failure(code=code, host=host, message=message or f"it failed: {code}")


def has_check(tunnel: PlannedTunnel) -> bool:
    return tunnel.spec.check.type != "none"


class Script:
    """Tells the core one event after another. Timers stand in ``timers``; ``tell`` returns all other commands."""

    def __init__(self, plan: Plan, *, seed: int = 1, limits: Limits | None = None) -> None:
        self.state = begin(plan, has_check=has_check, limits=limits)
        self.teller = Teller(self.state)
        self.rng = Random(seed)  # noqa: S311 - the same every time
        self.now = 0.0
        self.timers: dict[TimerKey, float] = {}
        self.told: list[Told] = []

    def start(self) -> list[Command]:
        return self.tell(Started())

    def tell(self, event: Event, *, after: float = 0.0) -> list[Command]:
        """The event happens ``after`` so many seconds; the commands that follow from it, timers apart."""
        self.now += after
        self.state, commands = step(self.state, event, self.now, self.rng)
        self.told += self.teller.changes(self.state, 1000.0)
        for command in commands:
            if isinstance(command, SetTimer):
                self.timers[command.key] = command.at
        return [command for command in commands if not isinstance(command, SetTimer)]

    def ring(self, *key: str) -> list[Command]:
        """Time passes until that timer fires."""
        at = self.timers.pop(key)  # type: ignore[arg-type]
        return self.tell(TimerFired(key), after=at - self.now)  # type: ignore[arg-type]

    def wait_of(self, *key: str) -> float:
        """Seconds until that timer."""
        return self.timers[key] - self.now  # type: ignore[index]

    @property
    def status(self) -> EngineStatus:
        return self.teller.status()

    def session(self, id_: str) -> SessionStatus:
        return next(s for s in self.status.sessions if s.id == id_)

    def tunnel(self, name: str = "desk") -> TunnelStatus:
        return next(t for t in self.status.tunnels if t.name == name)

    def states(self) -> str:
        """``edge=open gateway=waiting``."""
        return " ".join(f"{id_}={entry.state}" for id_, entry in self.state.sessions.items())


def kinds(told: list[Told], want: type[Any], read: Callable[[Any], object]) -> list[object]:
    return [read(event) for event in told if isinstance(event, want)]
