"""Files in, text and exit code out."""

import os
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from orchestra.cli import main
from tests.cli.instances import LAB, ONE, UP, Home, closed_port, refusing, tunnels


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
def closed():
    """A port of 127.0.0.1 that refuses."""
    with closed_port() as port:
        yield port


def new_home(path):
    """A home directory."""
    for part in ("run", "state"):
        (path / part).mkdir(mode=0o700)
    return Home(path)


@pytest.fixture
def home(tmp_path):
    """A home directory; whatever still runs there at the end is taken down, and nothing may be left of it."""
    made = new_home(tmp_path)
    yield made
    made.end()


@pytest.fixture
def cli(home, run_cli, monkeypatch):
    """Runs a command of the user of ``home`` in this process: ``cli(*argv, files={name: text})``."""
    home.enter(monkeypatch)
    return run_cli


@contextmanager
def ready_at(path, text):
    """Where an orchestra named office runs and is ready."""
    made = new_home(path)
    made.write(text)
    try:
        done = made.call("up", "-d", "-q", "--lab", "embedded", "office.yaml")
        assert done.returncode == 0, done.stderr
        yield made
    finally:
        made.end()


@pytest.fixture(scope="session")
def ready_home(tmp_path_factory):
    """One for all tests that only look."""
    with ready_at(tmp_path_factory.mktemp("ready"), LAB) as made:
        yield made


@pytest.fixture(scope="session")
def changing_home(tmp_path_factory):
    """One for all tests that change what it runs."""
    with ready_at(tmp_path_factory.mktemp("changing"), ONE) as made:
        yield made


@pytest.fixture
def changing(changing_home, run_cli, monkeypatch):
    """Runs a command beside an orchestra that has one tunnel again, whatever it was made to have before."""
    changing_home.enter(monkeypatch)
    changing_home.write(ONE)
    done = run_cli(*UP)
    assert done.code == 0, done.err
    for added in tunnels(run_cli).keys() - {"db"}:
        assert run_cli("remove", added).code == 0
    return run_cli


@pytest.fixture(scope="session")
def stuck_home(tmp_path_factory):
    """Where an orchestra named office runs that cannot become ready."""
    made = new_home(tmp_path_factory.mktemp("stuck"))
    with closed_port() as port:
        made.write(refusing(port))
        with made.started("up", "office.yaml") as up:
            up.said("CONNECT_REFUSED")
            yield made
            made.end()


@pytest.fixture
def ready(ready_home, run_cli, monkeypatch):
    """Runs a command that only looks, beside an orchestra that is ready."""
    ready_home.enter(monkeypatch)
    return run_cli


@pytest.fixture
def stuck(stuck_home, run_cli, monkeypatch):
    """Runs a command that only looks, beside an orchestra that cannot become ready."""
    stuck_home.enter(monkeypatch)
    return run_cli
