"""Addresses against one another."""

from __future__ import annotations

from tests.loading.words import read, said


def test_one_machine_with_two_accounts() -> None:
    both = "{networks: {n: 10.0.0.1}, ssh: {user: %s}}"
    text = f"networks: {{n: }}\nservers: {{a: {both}, b: {both % 'b'}}}\n"
    assert said(read(text % "a")) == []
    assert said(read(text % "b")) == ["2:75 DUPLICATE_ADDRESS"]
