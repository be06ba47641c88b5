"""Every hook has a heading with its exact arguments, and the example plugin works."""

import inspect
import re
import types
from pathlib import Path

from orchestra.plugin import hookspecs
from orchestra.plugin.manager import load_plugins

TEXT = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text()


def test_every_hook_has_a_heading_with_its_arguments() -> None:
    hooks = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("orchestra_")}
    written = set(re.findall(r"^### (orchestra_\w+\(.*\))$", TEXT, re.MULTILINE))
    assert written == {f"{name}({', '.join(inspect.signature(hook).parameters)})" for name, hook in hooks.items()}


def test_every_hook_says_what_it_is_for() -> None:
    for name, hook in vars(hookspecs).items():
        if name.startswith("orchestra_"):
            assert inspect.getdoc(hook), name


def test_the_example_is_a_plugin() -> None:
    code = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert code
    module = types.ModuleType("orchestra_redis")
    exec(code[1], module.__dict__)  # noqa: S102 - our own documentation
    (info,) = load_plugins([], extra=[module], entry_points=False).loaded
    assert (info.adds, info.error) == (("check redis",), None)


def test_what_comes_along_is_listed() -> None:
    _, _, table = TEXT.partition("## What comes along")
    listed = set(re.findall(r"^\| `([\w-]+)` \| [a-z]", table, re.MULTILINE))
    assert listed == {info.name for info in load_plugins([]).loaded if info.origin == "orchestra-tunnels"}
