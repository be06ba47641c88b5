"""Scripts whose plan becomes another one."""

from __future__ import annotations

from orchestra.engine.core.messages import (
    BindListener,
    CheckPassed,
    Command,
    ListenerBound,
    OpenSession,
    PlanChanged,
    RunCheck,
    SessionOpened,
)
from orchestra.model.plan import Dial, Plan
from orchestra.planning.changes import Standing, align
from tests.engine.core.script import Script, has_check
from tests.engine.plans import chain, plan, topology, tunnel

HOSTS = topology("edge", "gateway", "vault", "west").hosts
OTHER = Dial(by="edge", host="10.20.0.31", port=5900, means="other")


def change(script: Script, after: Plan, *, drain: float | None = 30.0, aligned: bool = True) -> list[Command]:
    """The script's plan becomes another one, whose sessions are those that are there where they do."""
    known = {id_: Standing(entry.spec, HOSTS[entry.spec.server]) for id_, entry in script.state.sessions.items()}
    after = align(after, HOSTS, known) if aligned else after
    checked = frozenset(t.name for t in after.tunnels if has_check(t))
    return script.tell(PlanChanged(plan=after, checked=checked, drain=drain))


def ready(before: Plan) -> Script:
    """Everything is open, bound and proven."""
    script = Script(before)
    commands = script.start()
    while commands:
        commands = [more for command in commands for more in answer(script, command)]
    assert script.status.state == "ready"
    return script


def answer(script: Script, command: Command) -> list[Command]:
    match command:
        case OpenSession(id_):
            return script.tell(SessionOpened(id_))
        case BindListener(name, _):
            return script.tell(ListenerBound(name, ("127.0.0.1:1",), 0))
        case RunCheck(name):
            return script.tell(CheckPassed(name))
        case _:
            return []


EDGE = chain("edge")
DESK = plan(EDGE, tunnel("desk", "edge"))
