"""Every hook has a heading with its arguments, an example that is a plugin, and a test; all code in the page runs."""

from __future__ import annotations

import inspect
import re
import types
from functools import cache

import pytest

from orchestra.plugin import hookspecs
from orchestra.plugin.manager import load_plugins
from tests.docs.test_documents import ROOT

TEXT = (ROOT / "docs" / "plugins.md").read_text("utf-8")
HOOKS = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("orchestra_")}
SECTIONS = dict(re.findall(r"^### (orchestra_\w+)\(.*?\)\n(.*?)(?=^##)", TEXT, re.MULTILINE | re.DOTALL))
CODE = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
PLUGINS = {"memcached": 0, "announced": 2, "speaks": 3}
"""Which block is the plugin that a test of the page takes as an argument."""


@cache
def module(index: int) -> types.ModuleType:
    """A block of the page as the module that it is."""
    made = types.ModuleType(f"block_{index}")
    exec(compile(CODE[index], f"docs/plugins.md, block {index}", "exec"), made.__dict__)  # noqa: S102 - our own page
    return made


def test_every_hook_has_a_heading_with_its_arguments() -> None:
    written = set(re.findall(r"^### (orchestra_\w+\(.*\))$", TEXT, re.MULTILINE))
    assert written == {f"{name}({', '.join(inspect.signature(hook).parameters)})" for name, hook in HOOKS.items()}


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_says_what_it_is_for(name: str) -> None:
    """In the specification: what it adds in a sentence, and when what it gives is used, and what an error does."""
    said = inspect.getdoc(HOOKS[name]) or ""
    first, _, rest = said.partition("\n\n")
    assert first.endswith(".")
    assert re.search(r"\b(called|awaited)\b", rest)
    assert re.search(r"\b(error|raises)\b", rest)


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_documented_with_an_example(name: str) -> None:
    section = SECTIONS[name]
    for part in ("**Gives**", "**Called**", "**An error**"):
        assert part in section
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert f"\n@hookimpl\ndef {name}():\n" in code
    (info,) = load_plugins([], extra=[module(CODE.index(code))], entry_points=False).loaded
    assert info.error is None
    assert len(info.adds) == 1


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_has_a_test(name: str) -> None:
    assert f"def test_hook_{name}()" in (ROOT / "tests" / "plugin" / "test_hookspecs.py").read_text("utf-8")


def test_the_first_example_is_a_plugin() -> None:
    (info,) = load_plugins([], extra=[module(0)], entry_points=False).loaded
    assert (info.adds, info.error) == (("check memcached",), None)


def test_the_plugin_that_is_quick_to_load_imports_nothing() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT.split("## Quick to load")[1].split("\n## ")[0], re.DOTALL)
    assert "from orchestra_mqtt" in code  # which nobody has
    (info,) = load_plugins([], extra=[module(CODE.index(code))], entry_points=False).loaded
    assert (info.adds, info.error) == (("kind mqtt",), None)


@pytest.mark.parametrize("index", [i for i, code in enumerate(CODE) if "\ndef test_" in code])
def test_the_tests_of_the_page_pass(index: int) -> None:
    tests = {name: test for name, test in vars(module(index)).items() if name.startswith("test_")}
    assert tests
    for test in tests.values():
        test(**{name: module(PLUGINS[name]) for name in inspect.signature(test).parameters})


def test_the_figures_of_the_page_are_those_of_the_code() -> None:
    from orchestra.assembly.observers import PATIENCE, SLOW
    from orchestra.engine.context import GRACE
    from orchestra.engine.fences import SECRET_DEADLINE
    from orchestra.engine.work import BIND_DEADLINE, CHECK_GRACE, OPEN_DEADLINE

    rows = dict(re.findall(r"^\| (`?[\w. ']+`?[\w' ]*) \| ([^|]+) \|", TEXT, re.MULTILINE))
    assert rows["`transport.open`"].startswith(f"{OPEN_DEADLINE:g},")
    assert rows["`secret.read`"] == f"{SECRET_DEADLINE:g}"
    assert rows["`kind.bind`"] == f"{BIND_DEADLINE:g}"
    assert rows["`accept`"].endswith(f" and {GRACE:g}")
    assert rows["`check.run`"].endswith(f" and {CHECK_GRACE:g}")
    assert rows["an observer"] == f"{SLOW:g}"
    assert PATIENCE == 10
    assert "after ten times" in TEXT


def test_the_modules_of_the_kit_are_listed() -> None:
    kit = {path.stem for path in (ROOT / "orchestra" / "testing").glob("[a-z]*.py")}
    listed = set(re.findall(r"^\| `(\w+)` \| ", TEXT.split("## The kit")[1].split("## What comes")[0], re.MULTILINE))
    assert listed == kit - {"clock"}


def test_what_comes_along_is_listed() -> None:
    listed = set(re.findall(r"^\| `([\w-]+)` \| ", TEXT.split("## What comes along")[1], re.MULTILINE))
    assert listed == {info.name for info in load_plugins([]).loaded if info.origin == "orchestra-tunnels"}
