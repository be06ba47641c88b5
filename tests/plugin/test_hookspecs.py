"""Every hook against every fault: the plugin fails alone and by name, before anything of it is used.

What an object does wrong later, while an engine runs, is in tests/engine/test_plugin_faults.py.
"""

from __future__ import annotations

import importlib
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from orchestra.engine import builtin
from orchestra.plugin import hookimpl
from orchestra.plugin.manager import Plugins, load_plugins
from orchestra.plugin.vetting import MOST, SLOTS, Slot
from orchestra.testing import MemoryNetwork, MemoryTransport


def plugin(hook: str, function: Callable[[], Any], name: str = "mine") -> types.ModuleType:
    module = types.ModuleType(name)
    setattr(module, hook, hookimpl(function))
    return module


def part(slot: Slot, name: object = "mine", **changes: Any) -> Any:
    """What the hook wants, or nearly."""
    spec = slot.spec(name=name, **changes)
    return SimpleNamespace(spec=spec, **dict.fromkeys(slot.methods[:1], lambda *_: None))


def load(*extra: object) -> Plugins:
    return load_plugins([builtin], extra=extra, entry_points=False)


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even that")

    __repr__ = __str__


class Thing:
    def __repr__(self) -> str:
        raise RuntimeError("not even that")


def raising(error: BaseException) -> Callable[[], Any]:
    def hook() -> Any:
        raise error

    return hook


def breaking_off() -> Iterator[Any]:
    yield from ()
    raise ValueError("half way")


def endless() -> Iterator[Any]:
    while True:
        yield print


RETURNS: dict[str, tuple[Callable[[], Any], str]] = {
    "raises": (raising(ValueError("no\x1b licence")), "ValueError: no· licence"),
    "raises what cannot be shown": (raising(Unprintable()), "Unprintable"),
    "exits": (raising(SystemExit(3)), "SystemExit: 3"),
    "gives a number": (lambda: 42, "gave 42, where a list is due"),
    "gives text": (lambda: "tcp", "gave 'tcp', where a list is due"),
    "gives a list of nonsense": (lambda: [42], "42"),
    "gives what cannot be shown": (lambda: [Thing()], "a Thing"),
    "gives a generator that raises": (breaking_off, "ValueError: half way"),
}
SPECS: dict[str, tuple[dict[str, Any], str]] = {
    "no text": ({"name": 7}, "a spec whose name cannot be 7"),
    "empty": ({"name": ""}, "'' is no name for the file"),
    "a line break": ({"name": "a\nb"}, "is no name for the file"),
    "an escape": ({"name": "a\x1b[2Jb"}, "is no name for the file"),
    "a path": ({"name": "../etc"}, "'../etc' is no name for the file"),
    "very long": ({"name": "n" * 64}, "is no name for the file"),
    "fields of no model": ({"fields": {"port": int}}, "a spec whose fields cannot be {'port': <class 'int'>}"),
    "fields of a class": ({"fields": int}, "a spec whose fields cannot be <class 'int'>"),
    "a package that is no text": ({"package": None}, "a spec whose package cannot be None"),
}


@pytest.mark.parametrize("fault", RETURNS)
@pytest.mark.parametrize("hook", [*(slot.hook for slot in SLOTS), "orchestra_observers"])
def test_what_a_hook_returns(hook: str, fault: str) -> None:
    function, why = RETURNS[fault]
    plugins = load(plugin(hook, function), plugin("orchestra_checks", lambda: [part(SLOTS[2], "sound")], "other"))
    if fault == "gives what cannot be shown" and hook == "orchestra_observers":
        why = "which cannot be called"
    info, other = plugins.loaded[1:]
    assert (info.name, info.adds) == ("mine", ())
    assert why in (info.error or "")
    assert (other.error, other.adds) == (None, ("check sound",))


@pytest.mark.parametrize("fault", SPECS)
@pytest.mark.parametrize("slot", SLOTS, ids=lambda slot: slot.word)
def test_what_a_spec_says(slot: Slot, fault: str) -> None:
    changes, why = SPECS[fault]
    if "fields" in changes and slot.word == "secret":
        changes = changes | {"value": "any"}
    plugins = load(plugin(slot.hook, lambda: [part(slot, "good"), part(slot, **changes)]))
    assert why in (plugins.loaded[1].error or "")
    assert not plugins.loaded[1].adds
    assert plugins.vocabulary == replace(load().vocabulary, absent=plugins.vocabulary.absent)


@pytest.mark.parametrize("slot", SLOTS, ids=lambda slot: slot.word)
def test_a_spec_of_another_hook_and_no_method(slot: Slot) -> None:
    other = SLOTS[SLOTS.index(slot) - 1]
    assert f"no spec of type {slot.spec.__name__}" in error(plugin(slot.hook, lambda: [part(other)]))
    half = SimpleNamespace(spec=slot.spec(name="half"))
    assert f"no method {slot.methods[0]!r}" in error(plugin(slot.hook, lambda: [half]))


@pytest.mark.parametrize("slot", SLOTS, ids=lambda slot: slot.word)
def test_one_name_twice(slot: Slot) -> None:
    assert "twice" in error(plugin(slot.hook, lambda: [part(slot), part(slot)]))
    first, second = plugin(slot.hook, lambda: [part(slot)]), plugin(slot.hook, lambda: [part(slot)], "later")
    plugins = load(first, second)
    assert plugins.loaded[1].adds == (f"{slot.word} mine",)
    assert plugins.loaded[2].error == f"the {slot.word} mine exists already: the plugin mine adds it"
    assert plugins.loaded[2].would_add == (f"{slot.word} mine",)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"protocols": "udp"}, "protocols cannot be 'udp'"),
        ({"to": "sometimes"}, "to cannot be 'sometimes'"),
        ({"exec": "yes"}, "exec cannot be 'yes'"),
    ],
)
def test_what_the_planner_would_stumble_over(changes: dict[str, Any], why: str) -> None:
    assert why in error(plugin("orchestra_kinds", lambda: [part(SLOTS[1], **changes)]))


def test_none_is_no_name_of_a_check() -> None:
    assert "check 'none' is no name" in error(plugin("orchestra_checks", lambda: [part(SLOTS[2], "none")]))


def test_a_hook_that_never_ends_is_cut_off() -> None:
    assert f"gives more than {MOST} things" in error(plugin("orchestra_observers", endless))


def test_a_spec_may_raise() -> None:
    class Lazy:
        def run(self) -> None: ...

        @property
        def spec(self) -> object:
            raise OSError("no configuration")

    assert error(plugin("orchestra_checks", lambda: [Lazy()])) == "OSError: no configuration"


def test_a_person_who_interrupts_is_heard() -> None:
    with pytest.raises(KeyboardInterrupt):
        load(plugin("orchestra_kinds", raising(KeyboardInterrupt())))


def error(faulty: object) -> str:
    (_, info) = load(faulty).loaded
    assert info.name == "mine"
    return info.error or ""


# Each hook, as it should be.


@dataclass
class Fields:
    """A dataclass will do where no pydantic is wanted."""

    depth: int = 1


def test_hook_orchestra_transports() -> None:
    transport = MemoryTransport(MemoryNetwork(), "carrier-pigeon")
    plugins = load(plugin("orchestra_transports", lambda: [transport]))
    assert plugins.transports["carrier-pigeon"] is transport
    assert plugins.vocabulary.transports["carrier-pigeon"] == transport.spec


def test_hook_orchestra_kinds() -> None:
    kind = part(SLOTS[1], "echo", fields=Fields)
    assert load(plugin("orchestra_kinds", lambda: [kind])).kinds["echo"] is kind
    binding = SimpleNamespace(spec=kind.spec, bind=lambda *_: None)
    assert load(plugin("orchestra_kinds", lambda: (binding for _ in range(1)))).kinds["echo"] is binding


def test_hook_orchestra_checks() -> None:
    check = part(SLOTS[2], "ping")
    assert load(plugin("orchestra_checks", lambda: [check])).vocabulary.checks["ping"] is check.spec


def test_hook_orchestra_secrets() -> None:
    secret = part(SLOTS[3], "vault", value="any", fields=Fields)
    assert load(plugin("orchestra_secrets", lambda: [secret])).vocabulary.secrets["vault"] is secret.spec


def test_hook_orchestra_importers() -> None:
    importer = part(SLOTS[4], "putty", default="~/.putty/sessions", fields=Fields)
    plugins = load(plugin("orchestra_importers", lambda: [importer]))
    assert (plugins.importers["putty"], plugins.loaded[1].adds) == (importer, ("importer putty",))


def test_hook_orchestra_exporters() -> None:
    exporter = part(SLOTS[5], "ssh-config")
    assert load(plugin("orchestra_exporters", lambda: [exporter])).exporters["ssh-config"] is exporter


def test_hook_orchestra_observers() -> None:
    heard: list[object] = []
    (observer,) = load(plugin("orchestra_observers", lambda: [heard.append])).observers
    observer("event")  # type: ignore[arg-type]
    assert (heard, getattr(observer, "plugin", None)) == (["event"], "mine")


def test_one_that_is_loaded_already_is_not_loaded_twice() -> None:
    mine = plugin("orchestra_checks", lambda: [part(SLOTS[2])])
    assert [info.error for info in load(mine, mine).loaded] == [None, None]
    socks = importlib.import_module("orchestra_plugins.socks")
    assert load_plugins([], extra=[socks]).loaded == load_plugins([]).loaded
