"""Files in, text and exit code out."""

import os
from dataclasses import dataclass

import pytest

from orchestra.cli import main
from tests.cli.instances import Home


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str


@pytest.fixture
def run_cli(tmp_path, monkeypatch, capsys):
    """Runs the command line in a directory of its own: ``run_cli(*argv, files={name: text})``."""
    for name in [name for name in os.environ if name.startswith("ORCHESTRA_")] + ["NO_COLOR"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)

    def run(*argv, files=None):
        for name, text in (files or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        capsys.readouterr()
        code = main(argv)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def home(tmp_path):
    """A home directory; whatever still runs there at the end is taken down, and nothing may be left of it."""
    for part in ("run", "state"):
        (tmp_path / part).mkdir(mode=0o700)
    made = Home(tmp_path)
    yield made
    try:
        made.orchestra("down", "--all", "--quiet")
        assert made.places == []
    finally:
        made.kill_all()
