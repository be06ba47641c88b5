"""Names, and those that another mistake has lost."""

from __future__ import annotations

import pytest

from tests.loading.words import read, said


def test_the_name_of_a_broken_entry_is_known() -> None:
    loaded = read(
        "networks: {n: 10.0.0.1/8}\nservers: {a: [], b: {behind: a, networks: [n]}}\n"
        "targets: {t: {adress: 5}, u: {host: a, address: 1}}\ntunnels: {x: {to: t}, y: {to: u, via: a}}\n"
    )
    assert said(loaded) == ["1:15 BAD_CIDR", "2:14 BAD_TYPE", "3:15 UNKNOWN_KEY"]


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("sever: {a: u@a}\ntargets: {t: {host: a, address: 1}}\n", ["1:1 UNKNOWN_KEY"]),
        ("networks: [n]\nclients: {c: {networks: [n]}}\n", ["1:11 BAD_TYPE"]),
        ("include: no.yaml\ntunnels: {t: {via: [a]}, u: }\n", ["1:10 NO_SUCH_FILE"]),
    ],
)
def test_names_that_are_lost_by_another_mistake_are_not_said_to_be_unknown(text: str, errors: list[str]) -> None:
    assert said(read(text)) == errors
