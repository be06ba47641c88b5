"""Secrets among the fields of plugins: paths are absolute, and places are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from orchestra.loading import Command, File, Secret, load
from orchestra.model.topology import CommandRef, SecretRef
from orchestra.plugin.vocabulary import CheckSpec, KindSpec, SecretSpec, TransportSpec, Vocabulary


class Inner(BaseModel):
    token: Secret


class Fields(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    inner: Inner | None = None
    token: Secret | None = None
    port: int = 1


VOCABULARY = Vocabulary(
    transports={"ssh": TransportSpec(name="ssh"), "own": TransportSpec(name="own", fields=Fields)},
    kinds={"own": KindSpec(name="own", to="no", fields=Fields)},
    checks={"own": CheckSpec(name="own", kinds=("own",), fields=Fields)},
    secrets={"file": SecretSpec(name="file", value="path"), "env": SecretSpec(name="env")},
)
TEXT = """
servers:
  s: {transport: {type: own, token: {file: ~/a}}}
tunnels:
  t:
    kind: own
    own: {token: {file: ~/b}, inner: {token: {file: ~/c}}}
    check: {type: own, token: {env: C}}
"""


def loaded(text: str) -> Any:
    return load(["-"], environ={"HOME": "/home/u"}, vocabulary=VOCABULARY, stdin=text)


def test_they_are_references_with_absolute_paths_and_places() -> None:
    topology = loaded(TEXT).topology
    server, tunnel = topology.hosts["s"].server, topology.tunnels["t"]
    none = {"inner": None, "port": 1}
    assert server.transport.options == none | {"token": SecretRef(kind="file", value="/home/u/a")}
    assert tunnel.options == none | {
        "token": SecretRef(kind="file", value="/home/u/b"),
        "inner": {"token": SecretRef(kind="file", value="/home/u/c")},
    }
    assert tunnel.check.options == none | {"token": SecretRef(kind="env", value="C")}
    assert tunnel.options["token"].place.line == 7


def test_a_secret_that_is_written_out_is_a_mistake() -> None:
    (fault,) = loaded(TEXT.replace("{file: ~/b}", "hunter2")).diagnostics
    assert (str(fault.code), fault.place.line, fault.path) == ("BAD_TYPE", 7, "tunnels.t.own.token")
    assert "hunter2" not in fault.message


class Things(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    ca: File | None = None
    run: Command | None = None


THINGS = Vocabulary(
    transports={"ssh": TransportSpec(name="ssh")},
    kinds={"tcp": KindSpec(name="tcp")},
    checks={"own": CheckSpec(name="own", fields=Things)},
)


def checked(options: str) -> Any:
    text = f"targets: {{t: 'x:80'}}\ntunnels: {{t: {{check: {{type: own, {options}}}}}}}\n"
    return load(["-"], environ={"HOME": "/home/u"}, vocabulary=THINGS, stdin=text)


def test_files_of_plugins_are_absolute_and_commands_are_words() -> None:
    options = checked("ca: ~/ca.pem, run: [a, b c]").topology.tunnels["t"].check.options
    assert options == {"ca": Path("/home/u/ca.pem"), "run": CommandRef(argv=("a", "b c"))}
    assert checked("ca: ca.pem").topology.tunnels["t"].check.options["ca"] == Path.cwd() / "ca.pem"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("run: pg_isready", "a command is a list of words"),
        ("run: []", "a command is a list of words"),
        ("run: [sh, 1]", "a command is a list of words"),
        ("ca: [x]", "text is needed here, not a list"),
        ("ca: -x", "'-x'"),
    ],
)
def test_what_is_no_file_and_no_command_is_said_where_it_stands(options: str, said: str) -> None:
    (fault,) = checked(options).diagnostics
    assert said in fault.message
    assert (fault.place.line, fault.path) == (2, f"tunnels.t.check.{options.partition(':')[0]}")
