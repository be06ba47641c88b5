"""Golden files: what is said of every example, and of files with mistakes, letter by letter.

``tests/golden/NAME`` has what the commands print for ``topologies/NAME.yaml``; ``tests/golden/bad`` has files with
mistakes, each beside what is said of it. ``pytest --golden-update`` writes the expectations anew: read the difference.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestra.assembly.topology import load_topology, plugins
from orchestra.cli import main

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
EXAMPLES = sorted(path.stem for path in (ROOT / "topologies").glob("*.yaml"))
BAD = sorted(path.name for path in (GOLDEN / "bad").glob("*.yaml"))
COMMANDS = {
    "plan.txt": ("plan",),
    "plan.json": ("plan", "-o", "json"),
    "authorized_keys": ("authorize",),
    "sshd_config": ("authorize", "-o", "sshd"),
    "graph.mmd": ("graph", "-o", "mermaid"),
    "graph.dot": ("graph", "-o", "dot"),
}
Said = Callable[..., str]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """Runs a command; what it says on both streams, and its exit code."""
    for name in [name for name in os.environ if name.startswith("ORCHESTRA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("CI_SSH_KEY", "")
    monkeypatch.setenv("HOME", "/home/nobody")
    monkeypatch.setattr("orchestra.loading.sshconfig.machine.SYSTEM_FILE", "/nonexistent/ssh_config")

    def run(*argv: str) -> str:
        capsys.readouterr()
        code = main(argv)
        out, err = capsys.readouterr()
        parts = [out, *([f"-- standard error\n{err}"] if err else []), *([f"-- exit {code}\n"] if code else [])]
        return "".join(parts)

    return run


@pytest.fixture
def check(pytestconfig: pytest.Config) -> Callable[[Path, str], None]:
    """Compares with a golden file, or writes it."""

    def compare(file: Path, text: str) -> None:
        if pytestconfig.option.golden_update:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert file.exists(), f"{file} is missing: pytest --golden-update writes it"
        assert text == file.read_text(encoding="utf-8"), f"{file.relative_to(ROOT)}: pytest --golden-update, if meant"

    return compare


@pytest.mark.parametrize("file", COMMANDS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_example(
    name: str, file: str, said: Said, check: Callable[[Path, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT / "topologies")
    command, *options = COMMANDS[file]
    check(GOLDEN / name / file, said(command, f"{name}.yaml", *options))


@pytest.mark.parametrize("name", EXAMPLES)
def test_explanations(
    name: str, said: Said, check: Callable[[Path, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every pair that the example expects something of."""
    monkeypatch.chdir(ROOT / "topologies")
    loaded = load_topology([f"{name}.yaml"], plugins(), os.environ)
    assert loaded.topology
    pairs = dict.fromkeys((each.from_, each.to) for each in loaded.topology.expectations)
    parts = [f"$ orchestra explain {name}.yaml {a} {b}\n{said('explain', f'{name}.yaml', a, b)}" for a, b in pairs]
    check(GOLDEN / name / "explain.txt", "\n".join(parts))


@pytest.mark.parametrize("name", BAD)
def test_bad_file(name: str, said: Said, check: Callable[[Path, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Mistakes are said by validate; where there is none, plan says what is in the way."""
    monkeypatch.chdir(GOLDEN / "bad")
    text = said("validate", name)
    if "-- exit 2" not in text:
        text = said("plan", name)
    assert "-- exit" in text
    check(GOLDEN / "bad" / f"{name}.txt", text)


def test_no_golden_file_is_stale() -> None:
    wanted = {f"{name}/{file}" for name in EXAMPLES for file in (*COMMANDS, "explain.txt")}
    wanted |= {f"bad/{each}" for name in BAD for each in (name, f"{name}.txt")}
    found = {str(path.relative_to(GOLDEN)) for path in GOLDEN.rglob("*") if path.is_file()}
    assert found == wanted
    assert len(BAD) >= 12
