from __future__ import annotations

import pytest

from orchestra.control.versions import distance


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("0.1.0", "0.1.0", "same"),
        ("0.1.0", "0.1.9", "near"),
        ("0.1.0", "0.2.0rc1", "near"),
        ("1.9.0", "1.10.0", "near"),
        ("0.1.0", "0.3.0", "far"),
        ("1.0.0", "2.0.0", "far"),
        ("0.1.0", "", "far"),
        ("0.1.0", "banana", "far"),
        ("0.1.0", "٠.1.0", "far"),
    ],
)
def test_one_minor_version_apart_is_near(one: str, other: str, found: str) -> None:
    assert (distance(one, other), distance(other, one)) == (found, found)
