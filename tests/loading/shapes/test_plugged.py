"""What plugins add to the file."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, model_validator

from orchestra.diagnostics import Code
from orchestra.loading import json_schema, load
from orchestra.plugin.vocabulary import KindSpec
from tests.loading.words import VOCABULARY, server


def test_plugin_transports() -> None:
    transport = server("servers: {s: {transport: {type: kubectl, pod: 5, x-y: z}}}").transport
    assert (transport.type, transport.options) == ("kubectl", {"pod": "5", "namespace": "default"})


def test_a_model_of_a_plugin_that_raises_fails_alone() -> None:
    class Explosive(BaseModel):
        needed: int

        @model_validator(mode="before")
        @classmethod
        def _explode(cls, value: Any) -> Any:
            raise RuntimeError(f"no fuse in {value}")

    words = replace(VOCABULARY, kinds={"bang": KindSpec(name="bang", fields=Explosive)})
    text = "targets: {t: 'x:80', u: 'x:81'}\ntunnels: {t: {kind: bang, bang: {needed: x}}, u: {}}\n"
    loaded = load(["-"], environ={}, vocabulary=words, stdin=text)
    [problem] = loaded.diagnostics
    assert (problem.code, str(problem.place)) == (Code.PLUGIN_FAILED, "<stdin>:2:33")
    assert problem.message.startswith("the model Explosive of the plugin tests.loading.shapes.test_plugged failed: ")
    assert problem.message.endswith("RuntimeError: no fuse in {'needed': 'x'}")
    assert "u" in loaded.partial.tunnels


def _broken() -> type[Any]:
    raise ImportError("No module named 'fuse'")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (_broken, "the model _broken of the plugin tests.loading.shapes.test_plugged failed: ImportError: No module"),
        (lambda: 5, "TypeError: it gives a int, where a model is due"),
        (partial(_broken), "the model partial of the plugin functools failed: ImportError"),
    ],
)
def test_a_model_is_asked_for_when_a_file_uses_it(fields: Any, why: str) -> None:
    words = replace(VOCABULARY, kinds=dict(VOCABULARY.kinds) | {"late": KindSpec(name="late", fields=fields)})
    text = "targets: {t: 'x:80', u: 'x:81'}\ntunnels: {t: {kind: tcp}, u: {kind: %s}}\n"
    assert not load(["-"], environ={}, vocabulary=words, stdin=text % "tcp").diagnostics
    [problem] = load(["-"], environ={}, vocabulary=words, stdin=text % "late").diagnostics
    assert (problem.code, problem.path) == (Code.PLUGIN_FAILED, "tunnels.u")
    assert why in problem.message


def test_a_model_by_a_function_is_as_one_by_itself() -> None:
    class Fields(BaseModel):
        model_config = ConfigDict(extra="forbid")
        port: int = 7

    words = replace(VOCABULARY, kinds={"late": KindSpec(name="late", fields=lambda: Fields)})
    loaded = load(
        ["-"], environ={}, vocabulary=words, stdin="targets: {t: 'x:80'}\ntunnels: {t: {kind: late, late: {prt: 1}}}\n"
    )
    [problem] = loaded.diagnostics
    assert (problem.code, problem.suggestion) == (Code.UNKNOWN_KEY, "did you mean 'port'?")
    tunnel = json_schema(words)["definitions"]["Tunnel"]
    late = tunnel["anyOf"][-1]["properties"]["late"]
    assert late["properties"]["port"]["default"] == 7


def test_nobody_knows_the_fields_of_what_is_unknown() -> None:
    text = "targets: {t: 'x:80'}\ntunnels: {t: {check: {type: kafka, topic: x}}}\n"
    [problem] = load(["-"], environ={}, vocabulary=VOCABULARY, stdin=text).diagnostics
    assert (problem.code, problem.path) == (Code.UNKNOWN_NAME, "tunnels.t.check.type")
