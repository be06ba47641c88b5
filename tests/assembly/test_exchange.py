"""Importers and exporters are found, asked, and fail by name."""

from __future__ import annotations

import types
from typing import Any

import pytest

from orchestra.assembly.exchange import exported, imported
from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure, UsageError
from orchestra.model.plan import Plan
from orchestra.model.topology import Topology
from orchestra.plugin import hookimpl
from orchestra.plugin.interfaces import Imported
from orchestra.plugin.manager import Plugins, load_plugins
from orchestra.plugin.vocabulary import ExporterSpec, ImporterSpec


def one(does: Any) -> Plugins:
    """A plugin with an importer and an exporter ``mine`` that do that."""
    importer = types.SimpleNamespace(spec=ImporterSpec(name="mine"), read=does)
    exporter = types.SimpleNamespace(spec=ExporterSpec(name="mine"), write=does)
    module = types.ModuleType("mine")
    vars(module)["orchestra_importers"] = hookimpl(lambda: [importer])
    vars(module)["orchestra_exporters"] = hookimpl(lambda: [exporter])
    return load_plugins([], extra=[module], entry_points=False)


def read(plugins: Plugins, name: str = "mine") -> str:
    return imported(plugins, name, "text", source="f", assignments=[], environ={})


def write(plugins: Plugins, name: str = "mine") -> str:
    return exported(plugins, name, Plan(topology="t", client="c"), Topology(name="t", file="f"), [])


def test_what_they_give() -> None:
    assert read(one(lambda request: Imported(document={"name": request.text}))) == "name: text\n"
    assert write(one(lambda request: request.plan.topology)) == "t"


@pytest.mark.parametrize("ask", [read, write])
def test_one_that_nobody_knows(ask: Any) -> None:
    with pytest.raises(UsageError, match=r"there is no (im|ex)porter 'mime'; did you mean 'mine'\?"):
        ask(one(None if ask is None else lambda _: ""), "mime")


@pytest.mark.parametrize(("ask", "what"), [(read, "importer mine"), (write, "exporter mine")])
@pytest.mark.parametrize(
    ("does", "why"),
    [
        (lambda _: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda _: 42, "TypeError: it returned a int"),
        (lambda: "", "TypeError: "),
        (lambda _: Imported(document={"a": object()}), "TypeError: "),
    ],
)
def test_what_they_do_wrong_bears_their_name(ask: Any, what: str, does: Any, why: str) -> None:
    with pytest.raises(RuntimeFailure) as failure:
        ask(one(does))
    assert failure.value.code == Code.PLUGIN_FAILED
    assert failure.value.message.startswith(f"{what} failed: {why}")


def test_what_they_refuse_is_said_in_their_words() -> None:
    def refuses(_: object) -> None:
        raise UsageError("this is from another version")

    for ask in (read, write):
        with pytest.raises(UsageError, match="another version"):
            ask(one(refuses))
