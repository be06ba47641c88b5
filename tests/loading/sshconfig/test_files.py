"""Files on disk: what is read, what is refused."""

import os

import pytest

from orchestra.loading.sshconfig.files import LARGEST, NOT_REGULAR, Library, read


def test_a_file_is_read_once(tmp_path):
    file = tmp_path / "config"
    file.write_bytes(b"User \xff\n")
    library = Library()
    first = library.open(str(file))
    file.unlink()
    assert library.open(str(file)) is first
    [section] = first.sections.concerning("gw")
    assert [entry.line.words for entry in section.body] == [("\udcff",)]
    assert library.sources == {str(file): "User \udcff\n"}


def test_no_file_is_no_problem(tmp_path):
    found = Library().open(str(tmp_path / "none"))
    assert (found.exists, found.problem) == (False, None)


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for name in (tmp_path, tmp_path / "fifo", "/dev/zero"):
        assert read(str(name)).problem == NOT_REGULAR
    assert read("/dev/null").text == ""
    assert "null" in read("a\0b").problem


def test_a_file_that_is_too_large(tmp_path):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(LARGEST + 1)
    assert read(str(tmp_path / "large")).problem == "it has more than 4 MiB"


@pytest.mark.parametrize(("mode", "insecure"), [(0o600, False), (0o644, False), (0o664, True), (0o606, True)])
def test_others_may_not_write_it(tmp_path, mode, insecure):
    file = tmp_path / "config"
    file.touch()
    file.chmod(mode)
    assert bool(read(str(file)).insecure) is insecure


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_it_belongs_to_the_user_or_to_root(tmp_path):
    file = tmp_path / "config"
    file.touch()
    os.chown(file, 4321, -1)
    assert read(str(file)).insecure == "it belongs to user 4321"
