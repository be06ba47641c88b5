"""Options as KEY=VALUE: values as in a file, faults with their place."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict

from orchestra.errors import TopologyInvalid
from orchestra.loading.options import options_text, read_options
from orchestra.plugin.vocabulary import Vocabulary


class Fields(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    name: str
    hosts: list[str] = []
    deep: bool = False


def read(*assignments: str) -> dict[str, object]:
    return read_options(assignments, Fields, Vocabulary())


def wrong(*assignments: str) -> list[tuple[str, str]]:
    with pytest.raises(TopologyInvalid) as invalid:
        read(*assignments)
    return [(str(found.place), found.message) for found in invalid.value.diagnostics]


def test_values_are_written_as_in_a_file() -> None:
    assert read("name=a: b".replace(": ", ":"), "hosts=[a, 'b c']", "deep=yes") == {
        "name": "a:b",
        "hosts": ["a", "b c"],
        "deep": True,
    }
    assert read_options([], None, Vocabulary()) == {}


def test_faults_have_their_place() -> None:
    assert wrong("name=x", "deep=maybe", "hosst=[]") == [
        ("--set:2:7", "yes or no is needed here, not text"),
        ("--set:3:1", "unknown key 'hosst'"),
    ]
    assert wrong("hosts=[a]") == [("None", "the key 'name' is missing")]
    assert wrong("name") == [("--set:1:1", "an option is written KEY=VALUE")]
    assert wrong("name=x", "name=y") != []


def test_the_text_that_places_are_about() -> None:
    assert options_text(["a=1", "b=c=d\nx"]) == "a: 1\nb: c=d x"
