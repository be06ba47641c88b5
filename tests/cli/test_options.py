"""Durations as people write them."""

import pytest

from orchestra.cli.options import seconds
from orchestra.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30", 30), ("1.5s", 1.5), ("500ms", 0.5), ("2m", 120), ("1h", 3600), ("0", None), ("0s", None)],
)
def test_durations(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "-1", "m", "1d", "1 m", "١", "nan", "1e9", "2m30"])
def test_what_is_no_duration(text):
    with pytest.raises(UsageError, match="is not a duration"):
        seconds(text)
