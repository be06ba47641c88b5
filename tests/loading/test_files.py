from __future__ import annotations

from pathlib import Path

import pytest

from orchestra.diagnostics import Code
from orchestra.loading import load
from orchestra.loading.files import MAX_BYTES
from tests.loading.words import VOCABULARY, read, said


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".yaml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_include_merges_maps_and_replaces_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(
        tmp_path,
        main="include: [parts/one.yaml, parts/two.yaml]\nservers: {a: {ssh: {user: me}}}\n",
        parts__one="servers: {a: {ssh: {host: a.one, user: one, identity: [key1, key2]}}, b: b.one}\n",
        parts__two="include: three.yaml\nservers: {a: {ssh: {identity: [../key3]}}}\n",
        parts__three="servers: {b: b.three, c: c.three}\n",
    )
    loaded = load(["main.yaml"], environ={}, vocabulary=VOCABULARY)
    assert loaded.diagnostics == ()
    assert loaded.topology is not None
    servers = {name: host.server for name, host in loaded.topology.hosts.items()}
    a = servers["a"]
    assert a is not None
    assert (a.ssh.host, a.ssh.user) == ("a.one", "me")
    assert a.ssh.identity == (str(tmp_path / "parts/../key3"),), "relative to the file that names it"
    assert sorted(servers) == ["a", "b", "c"]
    assert set(loaded.sources) == {"main.yaml", "parts/one.yaml", "parts/two.yaml", "parts/three.yaml"}
    assert str(loaded.topology.place_of("servers", "c")) == "parts/three.yaml:1:23"
    assert loaded.topology.name == "main"


def test_later_files_win(tmp_path: Path) -> None:
    write(tmp_path, base="name: base\nservers: {a: u@a, b: b}\ntargets: {t: 'x:1'}\n", over="servers: {a: v@a}\n")
    files = [str(tmp_path / "base.yaml"), str(tmp_path / "over.yaml")]
    loaded = load(files, environ={}, vocabulary=VOCABULARY)
    assert loaded.topology is not None
    server = loaded.topology.hosts["a"].server
    assert server is not None
    assert server.ssh.user == "v"
    assert loaded.topology.name == "base"
    assert loaded.topology.file == files[0]


def test_an_include_may_be_reached_twice(tmp_path: Path) -> None:
    write(
        tmp_path, a="include: [b.yaml, c.yaml]\n", b="include: d.yaml\n", c="include: d.yaml\n", d="servers: {x: y}\n"
    )
    assert load([str(tmp_path / "a.yaml")], environ={}, vocabulary=VOCABULARY).diagnostics == ()


def test_an_include_loop_shows_its_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, a="include: b.yaml\n", b="include: [c.yaml]\n", c="x-a: 1\ninclude:\n- ./a.yaml\n")
    [problem] = load(["a.yaml"], environ={}, vocabulary=VOCABULARY).diagnostics
    assert problem.code is Code.INCLUDE_LOOP
    assert str(problem.place) == "c.yaml:3:3"
    assert "a.yaml → b.yaml → c.yaml → a.yaml" in problem.message


def test_variables_in_names_of_included_files(tmp_path: Path) -> None:
    write(tmp_path, a='include: "${SITE}.yaml"\n', north="servers: {x: y}\n")
    loaded = load([str(tmp_path / "a.yaml")], environ={"SITE": "north"}, vocabulary=VOCABULARY)
    assert loaded.topology is not None
    assert list(loaded.topology.hosts) == ["x"]


def test_no_such_file(tmp_path: Path) -> None:
    loaded = load([str(tmp_path / "no.yaml")], environ={}, vocabulary=VOCABULARY)
    assert said(loaded) == ["NO_SUCH_FILE"]
    assert loaded.topology is None
    assert loaded.partial.name == "no"


def test_names_that_no_file_can_have() -> None:
    assert said(read('include: "a\\0b"\nservers: {s: }\n')) == ["1:10 NO_SUCH_FILE"]
    assert said(read("name: ../up\nservers: {s: }\n")) == ["1:7 BAD_VALUE"]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    [problem] = load([str(tmp_path)], environ={}, vocabulary=VOCABULARY).diagnostics
    assert problem.code is Code.NO_SUCH_FILE
    assert "cannot be read: Is a directory" in problem.message


def test_a_file_of_sixteen_mebibytes(tmp_path: Path) -> None:
    (tmp_path / "big.yaml").write_bytes(b"#" * (16 * 1024 * 1024))
    assert said(load([str(tmp_path / "big.yaml")], environ={}, vocabulary=VOCABULARY)) == ["1:1 FILE_TOO_LARGE"]
    assert said(read(b"#" * MAX_BYTES)) == ["1:1 BAD_TYPE"], "as large as it may be, and empty"


def test_text_that_is_not_utf_8() -> None:
    loaded = read(b"servers:\n  b\xc3\xa4: \xff\n")
    assert said(loaded) == ["2:7 YAML_SYNTAX"]
    assert "byte 0xff" in loaded.diagnostics[0].message
    assert "UTF-16" in read("servers: {}".encode("utf-16")).diagnostics[0].message


def test_a_byte_order_mark_and_windows_line_ends() -> None:
    loaded = read(b"\xef\xbb\xbfservers:\r\n  bastion: ci@bastion.example.com\r\n")
    assert loaded.diagnostics == ()
    assert loaded.sources["<stdin>"].startswith("servers:\n")


def test_standard_input_over_a_file(tmp_path: Path) -> None:
    write(tmp_path, a="servers: {x: one}\n")
    loaded = load([str(tmp_path / "a.yaml"), "-"], environ={}, vocabulary=VOCABULARY, stdin="servers: {x: two}\n")
    assert loaded.topology is not None
    assert str(loaded.topology.place_of("servers", "x")) == "<stdin>:1:11"
