"""The whole file: its sections and its head."""

from __future__ import annotations

import pytest

from orchestra.loading.shapes.file import FORMAT_VERSION, SECTIONS, Defaults, File, Head, check_version
from tests.loading.words import read, said


def test_every_section_has_defaults_and_stands_in_the_schema_of_the_file() -> None:
    assert set(Defaults.known_keys()) == set(SECTIONS)
    assert set(File.known_keys()) == {*SECTIONS, *Head.known_keys(), "defaults", "expect"}


@pytest.mark.parametrize("version", [0, 2, 99])
def test_a_version_that_is_not_ours_is_refused(version: int) -> None:
    assert check_version(FORMAT_VERSION) is None
    fault = check_version(version)
    assert fault is not None
    assert str(version) in fault.message
    assert said(read(f"version: {version}\ntargets: {{t: 'x:80'}}\n")) == ["1:10 BAD_VALUE"]


@pytest.mark.parametrize("key", [*SECTIONS, "defaults", "expect"])
def test_a_section_may_be_empty(key: str) -> None:
    assert said(read(f"x-a: 1\n{key}:\n")) == []
