"""Names without a look into the entries."""

from __future__ import annotations

from pathlib import Path

from orchestra.loading.names import Names

TEXT = """\
include: [below.yaml]
servers: {gateway: , bastion: [what, is, this]}
tunnels: {a: {profiles: [x, y]}, b: {profiles: x}, c: , d: {profiles: {}}}
"""


def names(tmp_path: Path, text: str, below: str = "targets: {db: 1}") -> Names:
    (tmp_path / "t.yaml").write_text(text)
    (tmp_path / "below.yaml").write_text(below)
    return Names([str(tmp_path / "t.yaml")], {})


def test_they_are_the_keys_of_a_section_with_what_is_included(tmp_path: Path) -> None:
    found = names(tmp_path, TEXT)
    assert found.of("servers") == ("gateway", "bastion")
    assert found.of("targets") == ("db",)
    assert found.of("tunnels") == ("a", "b", "c", "d")
    assert found.of("networks") == ()
    assert found.profiles() == ("x", "y")


def test_without_tunnels_every_target_has_one(tmp_path: Path) -> None:
    found = names(tmp_path, "targets: {db: 1, cache: 2}")
    assert found.of("tunnels") == ("db", "cache")
    assert found.profiles() == ()


def test_what_cannot_be_read_has_none(tmp_path: Path) -> None:
    for text in ("", "text", "[a", "servers: text"):
        assert names(tmp_path, text).of("servers") == ()
    assert Names(["/nowhere.yaml", "-"], {}).of("servers") == ()
