"""Imports go one way, and what is heavy or dangerous is imported in one place only. Each rule carries its reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
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


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the package: its path below ``orchestra/`` without suffix, and its tree."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).with_suffix("").as_posix(), ast.parse(path.read_text())


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every absolute module that a tree imports, also inside functions, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import at line {node.lineno}"
            yield node.module or "", node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


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


def test_core_does_not_import_the_plugins_that_come_with_it() -> None:
    wrong = [path for path, tree in modules() for module, _ in imported(tree) if module.startswith("orchestra_plugins")]
    assert not wrong


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
