"""Which files are read, and in which order."""

from pathlib import Path

import pytest

from orchestra.cli.options import Source
from orchestra.cli.reading import choose_files, split_file
from orchestra.errors import UsageError


def test_files_that_are_named_win_over_the_environment(tmp_path):
    source = Source(file="a.yaml", files=["b.yaml", "c.yaml"])
    assert choose_files(source, {"ORCHESTRA_FILE": "d.yaml"}, tmp_path) == ("a.yaml", "b.yaml", "c.yaml")
    assert choose_files(Source(), {"ORCHESTRA_FILE": "d.yaml"}, tmp_path) == ("d.yaml",)


def test_the_nearest_file_is_found(tmp_path):
    (tmp_path / "orchestra.yaml").touch()
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (found,) = choose_files(Source(), {"ORCHESTRA_FILE": ""}, deep)
    assert Path(found).samefile(tmp_path / "orchestra.yaml")


def test_none_is_an_error_that_says_how_to_begin(tmp_path):
    with pytest.raises(UsageError, match="orchestra init"):
        choose_files(Source(), {}, tmp_path)


def test_a_file_may_be_left_out_before_other_words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "topology").touch()
    (tmp_path / "bastion").mkdir()
    for file in ("-", "none.yaml", "none.yml", "some/where", "topology"):
        assert split_file([file, "bastion"]) == (file, ("bastion",))
    assert split_file(["bastion", "db"]) == (None, ("bastion", "db"))
    assert split_file([]) == (None, ())
