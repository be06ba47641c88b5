from __future__ import annotations

import math

import pytest

from orchestra.loading.scalars import resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("22:22", "22:22"),
        ("2222:22", "2222:22"),
        ("0777", 777),
        ("0o17", 15),
        ("0x1F", 31),
        ("-12", -12),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.2.3", "1.2.3"),
        ("2026-01-01", "2026-01-01"),
        ("", None),
        ("~", None),
        ("null", None),
        ("yes", True),
        ("On", True),
        ("TRUE", True),
        ("no", False),
        ("off", False),
        ("False", False),
        ("y", "y"),
        ("yEs", "yEs"),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("9" * 40, "9" * 40),
        ("+", "+"),
        ("-", "-"),
        (".", "."),
    ],
)
def test_yaml_12_with_the_booleans_that_people_write(text: str, value: object) -> None:
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


def test_not_a_number() -> None:
    found = resolve(".NaN")
    assert isinstance(found, float)
    assert math.isnan(found)
