"""What is wrong with one value, before it is known where the value stands."""

from __future__ import annotations

import pytest

from orchestra.diagnostics import Code
from orchestra.loading.faults import Fault, Faults, describe, from_address
from orchestra.model.address import AddressError, parse_address


def test_a_fault_seen_from_further_out_is_the_same_at_a_longer_path() -> None:
    near = Fault("no", code=Code.BAD_CIDR, suggestion="yes", key=(1,), blame="key")
    far = near.below(("networks", "lan")).below(("x",))
    assert (far.message, far.code, far.suggestion, far.blame) == ("no", Code.BAD_CIDR, "yes", "key")
    assert (far.key, near.key) == (("x", "networks", "lan", 1), (1,))


def test_several_read_as_one() -> None:
    assert str(Faults([Fault("one"), Fault("two")])) == "one; two"


def test_an_address_keeps_its_suggestion() -> None:
    with pytest.raises(AddressError) as raised:
        parse_address("70000")
    fault = from_address(raised.value)
    assert (fault.code, fault.message, fault.suggestion) == (
        Code.BAD_ADDRESS,
        str(raised.value),
        raised.value.suggestion,
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nothing"),
        (True, "yes or no"),
        ({}, "a map"),
        ([], "a list"),
        ("", "text"),
        (1, "a number"),
        (0.5, "a number"),
    ],
)
def test_values_in_a_files_words(value: object, words: str) -> None:
    assert describe(value) == words
