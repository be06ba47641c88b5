"""What is written is what is read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra.loading.nodes import plain
from orchestra.loading.reader import read_yaml
from orchestra.loading.report import Report
from orchestra.loading.writing import write_yaml

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff"), max_size=12)
KEYS = st.text("abcd-_. :#{}[]'\"&*!|>%@`,?$0", min_size=1, max_size=6)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | TEXT
    | st.sampled_from(["no", "~", "0x1f", "1e3", "$X", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def read(text: str) -> object:
    report = Report()
    root = read_yaml("f", text, environ={}, report=report, dropped=set())
    assert report.diagnostics == []
    return {} if root is None else plain(root)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_there_and_back(document: dict[str, object]) -> None:
    if document:
        assert read(write_yaml(document, {})) == document


def test_comments_stand_above_what_they_are_about() -> None:
    document = {"servers": {"a": {"ssh": "x", "cost": 3}}, "tunnels": {}}
    text = write_yaml(document, {(): ("head\nof it",), ("servers", "a", "cost"): ("dear",), ("tunnels",): ("none",)})
    assert (
        text
        == """\
# head of it

servers:
  a:
    ssh: x
    # dear
    cost: 3

# none
tunnels: {}
"""
    )
    assert read(text) == document


def test_what_is_long_has_lines_of_its_own() -> None:
    document = {"servers": {"a": {"ssh": "x" * 60, "names": ["y" * 60]}}}
    assert max(map(len, write_yaml(document, {}).splitlines())) < 100
    assert read(write_yaml(document, {})) == document


def test_what_yaml_cannot_say() -> None:
    with pytest.raises(TypeError, match="a object is nothing"):
        write_yaml({"a": object()}, {})
