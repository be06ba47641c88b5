from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestra.assembly.launch import Launch, reachable_part
from orchestra.model.plan import Alternative, Dial, Plan, PlannedSession, PlannedTunnel
from orchestra.model.topology import Topology, Tunnel


def session(id_: str) -> PlannedSession:
    return PlannedSession(id=id_, server=id_, via=None, dial=Dial(by="laptop", host=id_, port=22), depth=1)


def tunnel(name: str, verdict: str, *sessions: str) -> PlannedTunnel:
    return PlannedTunnel(name=name, kind="tcp", verdict=verdict, spec=Tunnel(name=name), sessions=sessions)  # type: ignore[arg-type]


PLAN = Plan(
    topology="office",
    client="laptop",
    sessions=(session("gateway"), session("inner"), session("other")),
    tunnels=(
        tunnel("desk", "reachable", "gateway"),
        tunnel("dev", "elsewhere", "other"),
        tunnel("lost", "unreachable", "gateway", "inner"),
    ),
)


def test_only_what_is_reachable_from_here_is_opened_with_the_sessions_that_it_needs() -> None:
    part = reachable_part(PLAN)
    assert [tunnel.name for tunnel in part.tunnels] == ["desk"]
    assert [session.id for session in part.sessions] == ["gateway"]


def test_the_sessions_of_other_paths_are_opened_too_where_they_may_be_taken() -> None:
    desk = replace(PLAN.tunnels[0], alternatives=(Alternative(path=("laptop", "other"), sessions=("other",)),))
    part = reachable_part(replace(PLAN, tunnels=(desk,)))
    assert [session.id for session in part.sessions] == ["gateway", "other"]


def test_its_file_can_be_named_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    topology = Topology(name="office", file="office.yaml")
    launch = Launch(name="work", plan=PLAN, topology=topology)
    assert launch.info().file == str(tmp_path / "office.yaml")
    assert (launch.info().name, launch.info().topology) == ("work", "office")
    assert replace(launch, topology=Topology(name="office", file="<stdin>")).file == "<stdin>"
