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
        @model_validator(mode="before")
        @classmethod
        def _explode(cls, value: Any) -> Any:
            raise RuntimeError(f"no fuse in {value}")

    words = replace(VOCABULARY, kinds={"bang": KindSpec(name="bang", fields=Explosive)})
    text = "targets: {t: 'x:80', u: 'x:81'}\ntunnels: {t: {kind: bang, bang: {}}, u: {}}\n"
    loaded = load(["-"], environ={}, vocabulary=words, stdin=text)
    [problem] = loaded.diagnostics
    assert (problem.code, str(problem.place)) == (Code.PLUGIN_FAILED, "<stdin>:2:33")
    assert "RuntimeError: no fuse in {}" in problem.message
    assert "u" in loaded.partial.tunnels
