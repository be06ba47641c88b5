"""Imports go one way, and what is heavy or dangerous is imported in one place only. Each rule carries its reason."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "orchestra"

LAYERS = (
    ("cli",),
    ("assembly",),
    ("testing",),
    ("control", "lab", "engine"),
    ("render",),
    ("planning",),
    ("graph",),
    ("loading",),
    ("plugin",),
    ("session",),
    ("model",),
    ("errors",),
    ("diagnostics",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
ROOT_MODULES = {"__init__", "__main__"}

CONFINED = {
    "asyncssh": (
        ("engine/ssh", "lab"),
        "its exceptions and internals are translated at one edge; its import takes 0.16 s",
    ),
    "networkx": (("graph", "planning"), "the graph is a detail of the planner; its import takes 0.13 s"),
    "pydantic": (("loading",), "the models of the file are not the model of the world"),
    "typer": (("cli",), "only the command line knows of exit codes and flags"),
    "aiohttp": (("control",), "`status` must answer quickly, so its client does without"),
    "prometheus_client": (("control",), "metrics are one form of a status; it is imported when they are asked for"),
    "yaml": (("loading",), "text is read in one place"),
    "graphlay": (("render/picture",), "an optional library that places pictures; `mermaid` and `dot` do without"),
    "rich": (("render", "cli"), "values become pictures in one place"),
}


PLUGINS = ROOT / "plugins"
PUBLIC = {
    "plugin": "the hooks",
    "session": "what a place is that dials, listens and runs",
    "model": "the nouns",
    "errors": "what can be said to a person",
    "diagnostics": "its codes",
    "testing": "the kit",
    "loading.sshconfig": "ssh_config as OpenSSH reads it, which knows nothing of topologies",
}
"""What plugins may import of orchestra, those that come along as well as a stranger's; of ``loading`` itself, which has
the types of fields, the names that it lists."""
SHARED = ("orchestra_plugins.udp.interface",)
"""What plugins may import of other plugins."""


@cache
def modules(package: Path = PACKAGE) -> tuple[tuple[str, ast.Module], ...]:
    """Every module of a package: its path below it without suffix, and its tree."""
    return tuple(
        (path.relative_to(package).with_suffix("").as_posix(), ast.parse(path.read_text()))
        for path in sorted(package.rglob("*.py"))
    )


@cache
def imported(tree: ast.AST, home: str = "") -> tuple[tuple[str, int], ...]:
    """Every module that a tree imports, and every name, also inside functions, with its line; ``home``: the package to
    which relative imports are relative, where there may be some."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert home or node.level == 0, f"relative import at line {node.lineno}"
            whole = importlib.util.resolve_name("." * node.level + (node.module or ""), home or None)
            found += [(whole, node.lineno), *((f"{whole}.{alias.name}", node.lineno) for alias in node.names)]
    return tuple(found)


def layer_of(module: str) -> str | None:
    """``orchestra.engine.ssh`` is of the layer ``engine``."""
    parts = module.split(".")
    return parts[1] if parts[0] == "orchestra" and len(parts) > 1 and parts[1] in LEVEL else None


def test_every_module_has_a_layer() -> None:
    names = {path.split("/")[0] for path, _ in modules()} - ROOT_MODULES
    assert names <= set(LEVEL)


def test_imports_go_downwards() -> None:
    wrong = []
    for path, tree in modules():
        own = path.split("/")[0]
        if own in ROOT_MODULES:
            continue
        for module, line in imported(tree):
            other = layer_of(module)
            if other is None or other == own:
                continue
            if LEVEL[other] <= LEVEL[own]:
                wrong.append(f"orchestra/{path}.py:{line} ({own}) imports {module}")
    assert not wrong, "\n".join(dict.fromkeys(wrong))


@pytest.mark.parametrize("library", CONFINED)
def test_a_library_is_imported_where_it_belongs(library: str) -> None:
    homes, reason = CONFINED[library]
    wrong = [
        f"orchestra/{path}.py:{line}"
        for path, tree in modules()
        for module, line in imported(tree)
        if module.split(".")[0] == library and not any(path.startswith(f"{home}/") for home in homes)
    ]
    assert not wrong, f"{library} belongs under {homes}: {reason}. Found at {wrong}"


def test_the_pure_core_knows_neither_clock_nor_loop() -> None:
    forbidden = {"asyncio", "time", "socket", "threading", "subprocess"}
    pure = ("engine/core/", "planning/", "graph/", "model/", "render/")
    wrong = [
        f"orchestra/{path}.py:{line} imports {module}"
        for path, tree in modules()
        for module, line in imported(tree)
        if path.startswith(pure) and module.split(".")[0] in forbidden
    ]
    assert not wrong, "\n".join(wrong)


def test_what_is_frozen_has_its_methods_written_when_they_are_called() -> None:
    exempt = {
        "diagnostics",  # whose layer is below that of model
        "cli/up",  # one is a default, and ruff knows only of dataclasses' own that it never changes
    }
    wrong = [
        f"orchestra/{path}.py:{node.lineno} {node.name}"
        for path, tree in modules()
        if path not in exempt and "dataclasses.dataclass" in dict(imported(tree))
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for made in node.decorator_list
        if isinstance(made, ast.Call)
        if {"frozen", "slots"} <= {each.arg for each in made.keywords} <= {"frozen", "slots", "kw_only"}
    ]
    assert not wrong, "\n".join(wrong)


def test_core_does_not_import_the_plugins_that_come_with_it() -> None:
    wrong = [path for path, tree in modules() for module, _ in imported(tree) if module.startswith("orchestra_plugins")]
    assert not wrong


def imported_by_plugins() -> Iterator[tuple[str, str, str, int]]:
    """Every import of a plugin: the module, the plugin that it is of, what is imported, and the line."""
    for path, tree in modules(PLUGINS):
        home = ".".join(("orchestra_plugins", *path.split("/")[:-1]))
        for module, line in imported(tree, home):
            yield path, ".".join(("orchestra_plugins", path.split("/")[0])), module, line


def test_plugins_import_of_orchestra_what_a_stranger_may() -> None:
    from orchestra import loading

    allowed = tuple(f"orchestra.{name}." for name in (*PUBLIC, *(f"loading.{name}" for name in loading.__all__)))
    wrong = [
        f"plugins/{path}.py:{line} imports {module}"
        for path, _, module, line in imported_by_plugins()
        if module.startswith("orchestra.") and module != "orchestra.loading"
        if not f"{module}.".startswith(allowed) or "._" in module
    ]
    assert not wrong, "\n".join(wrong)


def test_plugins_import_of_each_other_what_is_meant_for_it() -> None:
    wrong = [
        f"plugins/{path}.py:{line} imports {module}"
        for path, own, module, line in imported_by_plugins()
        if module.startswith("orchestra_plugins.") and not f"{module}.".startswith((f"{own}.", *SHARED))
    ]
    assert not wrong, "\n".join(wrong)


def assignments(tree: ast.Module) -> Iterator[tuple[list[str], ast.expr, int]]:
    """Names that are bound at the top of a module, with the expression and its line."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            yield [t.id for t in node.targets if isinstance(t, ast.Name)], node.value, node.lineno
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            yield [node.target.id], node.value, node.lineno


def test_there_is_no_state_at_module_level() -> None:
    mutable = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
    wrong = []
    for path, tree in modules():
        for names, value, line in assignments(tree):
            if isinstance(value, mutable) and any(name != name.upper() and name != "__all__" for name in names):
                wrong.append(f"orchestra/{path}.py:{line} {names}")
        wrong += [f"orchestra/{path}.py:{n.lineno} global" for n in ast.walk(tree) if isinstance(n, ast.Global)]
    assert not wrong, "\n".join(wrong)
