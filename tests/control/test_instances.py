from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from orchestra.control.claim import Claim, Info
from orchestra.control.client import NotRunning
from orchestra.control.instances import alive, find
from orchestra.control.paths import place_of
from orchestra.errors import UsageError


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_RUNTIME_DIR": str(tmp_path)}


@pytest.fixture
def start(environ: dict[str, str]) -> Iterator[Callable[[str, str], None]]:
    with ExitStack() as stack:

        def claim(name: str, file: str) -> None:
            info = Info(name=name, topology=name, pid=1, file=file, version="0", started=0.0)
            stack.enter_context(Claim.take(place_of(name, environ), info))

        yield claim


def test_nothing_runs(environ: dict[str, str]) -> None:
    with pytest.raises(NotRunning, match="no orchestra is running"):
        find(None, environ)
    with pytest.raises(NotRunning, match="no orchestra named office is running"):
        find("office", environ)


def test_the_only_one_is_meant(environ: dict[str, str], start: Callable[[str, str], None]) -> None:
    start("office", "/x/office.yaml")
    assert find(None, environ).name == "office"


def test_of_several_one_must_be_named(environ: dict[str, str], start: Callable[[str, str], None]) -> None:
    start("office", "/x/office.yaml")
    start("home", "/x/home.yaml")
    with pytest.raises(UsageError, match="home, office"):
        find(None, environ)
    assert find("home", environ).name == "home"
    assert [place.name for place in alive(environ)] == ["home", "office"]


def test_a_file_means_the_one_that_runs_it(
    environ: dict[str, str], start: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("office.yaml").touch()
    with pytest.raises(NotRunning, match=r"no orchestra runs office\.yaml"):
        find("office.yaml", environ)
    start("work", str(tmp_path / "office.yaml"))
    assert find("office.yaml", environ).name == "work"
    start("play", str(tmp_path / "office.yaml"))
    with pytest.raises(UsageError, match="play, work"):
        find("office.yaml", environ)


def test_what_was_killed_is_not_alive(environ: dict[str, str]) -> None:
    place = place_of("office", environ)
    place.directory.mkdir(parents=True, mode=0o700)
    place.lock.touch()
    assert alive(environ) == ()
