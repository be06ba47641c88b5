"""The fields in the file: mistakes have line and column."""

from __future__ import annotations

import pytest
from orchestra_plugins import udp
from orchestra_plugins.udp.kind import table_of, treatment_of

from orchestra.engine import builtin
from orchestra.loading import load
from orchestra.plugin.manager import load_plugins

VOCABULARY = load_plugins([udp, builtin], entry_points=False).vocabulary


def loaded(options: str, kind: str = "kind: udp, "):
    text = (
        "clients: {me: }\nservers: {gw: gw.example}\ntargets: {dns: {address: 'dns.example:53', protocol: udp}}\n"
        f"tunnels:\n  dns: {{{kind}udp: {options}}}\n"
    )
    return load(["-"], environ={}, vocabulary=VOCABULARY, stdin=text)


def test_the_kind_is_the_default_of_targets_that_speak_udp_and_so_is_its_check() -> None:
    text = "servers: {gw: gw.example}\ntargets: {dns: {address: 'dns.example:53', protocol: udp}}\n"
    tunnel = load(["-"], environ={}, vocabulary=VOCABULARY, stdin=text).topology.tunnels["dns"]
    assert (tunnel.kind, tunnel.check.type) == ("udp", "udp")


@pytest.mark.parametrize(
    ("options", "idle", "age", "room", "head"),
    [
        ("{}", 300, 0.25, 262144, False),
        ("{preset: dns}", 30, 0.25, 262144, False),
        ("{preset: realtime}", 300, 0.1, 262144, True),
        ("{preset: bulk}", 300, 2, 1048576, False),
        ("{idle: 2m, age: 1s, queue: 65536}", 120, 1, 65536, False),
        ("{preset: dns, idle: 5s}", 5, 0.25, 262144, False),
    ],
)
def test_presets_and_what_is_written_beside_them(options: str, idle: int, age: float, room: int, head: bool) -> None:
    found = loaded(options)
    assert found.topology, found.diagnostics
    options_ = found.topology.tunnels["dns"].options
    policy = treatment_of(options_).policy
    assert (table_of(options_).idle, policy.age, policy.room, policy.head) == (idle, age, room, head)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("{idle: 60s}", "at least 120s"),
        ("{age: 2h}", "at most 60s"),
        ("{preset: dsn}", "'dns'"),
        ("{over: tcp}", "RFC 7766"),
        ("{flows: 0}", "1"),
        ("{flows: 70000}", "4096"),
        ("{queue: 1}", "65536"),
        ("{quene: 65536}", "queue"),
        ("{idle: soon}", "15s"),
        ("[dns]", "map"),
    ],
)
def test_mistakes_have_line_and_column(options: str, said: str) -> None:
    problems = [each for each in loaded(options).diagnostics if each.severity == "error"]
    assert len(problems) == 1, problems
    assert said in f"{problems[0].message} {problems[0].suggestion}", problems
    assert problems[0].place
    assert (problems[0].place.line, problems[0].place.column > 20) == (5, True)


@pytest.mark.parametrize(
    ("options", "over"),
    [
        ("{}", "udp"),
        ("{preset: dns}", "both"),
        ("{preset: dns, over: udp}", "udp"),
        ("{preset: dns, over: tcp}", "tcp"),
        ("{over: both}", "both"),
    ],
)
def test_by_which_protocols_the_target_is_dialed(options: str, over: str) -> None:
    assert loaded(options).topology.tunnels["dns"].options["over"] == over
