"""What plugins add to the file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import BaseModel, model_validator

from orchestra.diagnostics import Code
from orchestra.loading import load
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


def test_nobody_knows_the_fields_of_what_is_unknown() -> None:
    text = "targets: {t: 'x:80'}\ntunnels: {t: {check: {type: kafka, topic: x}}}\n"
    [problem] = load(["-"], environ={}, vocabulary=VOCABULARY, stdin=text).diagnostics
    assert (problem.code, problem.path) == (Code.UNKNOWN_NAME, "tunnels.t.check.type")
