from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestra.control.paths import (
    SOCKET_PATH_LIMIT,
    check_name,
    log_file,
    make_own_directory,
    make_private_directory,
    place_of,
    places,
    runtime_root,
)
from orchestra.diagnostics import Code
from orchestra.errors import RuntimeFailure, UsageError


def test_the_runtime_directory_is_taken_when_it_is_our_own(tmp_path: Path) -> None:
    assert runtime_root({"XDG_RUNTIME_DIR": str(tmp_path)}) == tmp_path / "orchestra"


@pytest.mark.parametrize("given", ["", "relative/run", "/nowhere/at/all"])
def test_without_a_runtime_directory_the_state_directory_takes_its_place(given: str, tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": given, "XDG_STATE_HOME": str(tmp_path)}
    assert runtime_root(environ) == tmp_path / "orchestra" / "run"


def test_without_any_of_them_everything_is_under_the_home_directory() -> None:
    environ = {"HOME": "/home/alice"}
    assert place_of("office", environ).directory == Path("/home/alice/.local/state/orchestra/run/office")
    assert log_file("office", environ) == Path("/home/alice/.local/state/orchestra/office.log")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-x", ".hidden", "a b", "x" * 65, "a\n"])
def test_names_that_cannot_be_file_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="--name"):
        check_name(name)


def test_a_long_path_gets_a_short_socket_of_its_own() -> None:
    deep = {"HOME": "/home/" + "deep/" * 30}
    one, two = place_of("one", deep).socket, place_of("two", deep).socket
    assert one != two
    assert one.parent == Path(f"/tmp/orchestra-{os.geteuid()}")
    assert len(os.fsencode(one)) <= SOCKET_PATH_LIMIT


def test_places_lists_directories_only(tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    assert places(environ) == ()
    (tmp_path / "orchestra" / "office").mkdir(parents=True)
    (tmp_path / "orchestra" / "a file").touch()
    (tmp_path / "orchestra" / "linked").symlink_to(tmp_path)
    assert [place.name for place in places(environ)] == ["office"]


def test_a_private_directory_is_made_closed_to_others(tmp_path: Path) -> None:
    made = tmp_path / "a" / "b"
    make_private_directory(made)
    assert made.stat().st_mode & 0o777 == 0o700


def test_a_symlink_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(RuntimeFailure, match=f"it is a symbolic link, to {tmp_path}/real") as caught:
        make_private_directory(tmp_path / "link")
    assert caught.value.code is Code.STATE_UNWRITABLE
    (tmp_path / "nowhere").symlink_to(tmp_path / "none")
    with pytest.raises(RuntimeFailure, match="it is a symbolic link"):
        make_private_directory(tmp_path / "nowhere")
    assert not (tmp_path / "none").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(mode=0o700)
    os.chown(tmp_path / "theirs", 65534, 65534)
    with pytest.raises(RuntimeFailure, match="it belongs to user 65534, and you are 0"):
        make_private_directory(tmp_path / "theirs")


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RuntimeFailure, match="it is not a directory"):
        make_private_directory(tmp_path / "file")


def test_a_directory_of_our_own_may_be_looked_at_but_not_written(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs").chmod(0o755)
    assert make_own_directory(tmp_path / "logs") == 0o755
    (tmp_path / "logs").chmod(0o775)
    with pytest.raises(RuntimeFailure, match=r"other users can write it \(mode 0775\): chmod 700"):
        make_own_directory(tmp_path / "logs")


def test_a_directory_that_others_can_enter_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    with pytest.raises(RuntimeFailure, match=r"mode 0755\): chmod 700"):
        make_private_directory(tmp_path / "open")


def test_a_path_below_a_file_is_unwritable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RuntimeFailure, match="cannot write orchestra's state") as caught:
        make_private_directory(tmp_path / "file" / "run")
    assert caught.value.code is Code.STATE_UNWRITABLE
    assert "XDG_RUNTIME_DIR" in (caught.value.suggestion or "")
