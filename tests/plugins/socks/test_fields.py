"""The fields in the file: mistakes have line and column."""

from __future__ import annotations

import pytest
from orchestra_plugins import socks

from orchestra.engine import builtin
from orchestra.loading import load
from orchestra.model.topology import SecretRef
from orchestra.plugin.manager import load_plugins

VOCABULARY = load_plugins([socks, builtin], entry_points=False).vocabulary


def loaded(options: str):
    text = (
        f"clients: {{me: }}\nservers: {{gw: gw.example}}\ntunnels:\n  p: {{kind: socks, exit: gw, socks: {options}}}\n"
    )
    return load(["-"], environ={}, vocabulary=VOCABULARY, stdin=text)


def test_a_list_is_kept_as_it_is_written() -> None:
    topology = loaded('{allow: ["10.0.0.0/8:*", "*.example:443"]}').topology
    assert topology
    assert topology.tunnels["p"].options["allow"] == ["10.0.0.0/8:*", "*.example:443"]


def test_a_password_stays_a_reference() -> None:
    topology = loaded("{login: {user: alice, password: {env: PW}}}").topology
    assert topology
    assert topology.tunnels["p"].options["login"]["password"] == SecretRef(kind="env", value="PW")


@pytest.mark.parametrize("options", ["{}", "{x-note: later}"])
def test_it_may_be_left_out(options: str) -> None:
    topology = loaded(options).topology
    assert topology
    assert topology.tunnels["p"].options.get("allow") is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("{alow: []}", "'allow'"),
        ("{allow: }", "has no value"),
        ("{allow: db:22}", "a list"),
        ("{allow: [db]}", "write db:PORT"),
        ("{allow: [22]}", "write 22:PORT"),
        ("{allow: ['10.0.0.1/8:22']}", "CIDR"),
        ("{login: {user: alice}}", "'password' is missing"),
        ("{login: {password: {env: PW}}}", "'user' is missing"),
        ("{login: {user: alice, password: s3cret}}", "a secret is not written into the file"),
        ("{login: {user: alice, password: {environ: PW}}}", "environ"),
    ],
)
def test_mistakes_are_said_where_they_are(options: str, said: str) -> None:
    (fault,) = loaded(options).diagnostics
    assert said in f"{fault.message} {fault.suggestion}"
    assert fault.place
    assert (fault.place.line, fault.place.column) >= (4, 37)
