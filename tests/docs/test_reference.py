"""The reference is what the models say: complete, up to date, and with examples that load."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from orchestra.assembly.topology import plugins
from orchestra.loading import json_schema
from orchestra.loading.nodes import plain
from orchestra.loading.reader import read_yaml
from orchestra.loading.report import Report
from orchestra.plugin.vocabulary import Vocabulary
from orchestra.render.reference import reference
from tests.docs.test_documents import ROOT

RULES = {"oneOf", "dependencies"}
"""They restrict keys that are described elsewhere."""

DOCUMENT = ROOT / "docs" / "reference.md"


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return plugins([]).vocabulary


def fields(part: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key of every shape."""
    if isinstance(part, dict):
        for key, field in (part.get("properties") or {}).items():
            yield f"{path}.{key}", field
        for key, item in ((key, item) for key, item in part.items() if key not in RULES):
            yield from fields(item, key if path == "definitions" else path if key == "anyOf" else key)
    elif isinstance(part, list):
        for item in part:
            yield from fields(item, path)


def test_the_file_is_up_to_date(vocabulary: Vocabulary) -> None:
    hint = "orchestra schema -o markdown > docs/reference.md"
    assert DOCUMENT.read_text("utf-8") == reference(json_schema(vocabulary)) + "\n", hint


def test_every_key_has_a_description(vocabulary: Vocabulary) -> None:
    found = list(fields(json_schema(vocabulary)))
    assert len(found) > 100
    assert [path for path, field in found if not field.get("description")] == []


def test_every_row_is_whole() -> None:
    keys = DOCUMENT.read_text("utf-8").split("## Types")[0]
    rows = re.findall(r"^\| `.*$", keys, re.MULTILINE)
    assert len(rows) > 100
    whole = re.compile(r"\| `\w+` \| [^|]+ \| [^|]+ \| [^|]+\.(?: `[^|]+`)? \|")
    assert [row for row in rows if not whole.fullmatch(row)] == []


def test_every_example_loads_as_it_is_written(vocabulary: Vocabulary) -> None:
    schema = json_schema(vocabulary)
    written = re.findall(r" `((\w+): [^`]+)` \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    held = {
        (path.rpartition(".")[2], str(example)): field
        for path, field in fields(schema)
        for example in field.get("examples", ())
    }
    assert len(set(written)) == len(held) > 10
    for text, key in written:
        node = read_yaml("example", text, environ={}, report=Report(), dropped=set())
        assert node is not None
        value = plain(node)[key]
        field = held[key, str(value)]
        jsonschema.Draft7Validator({**field, "definitions": schema["definitions"]}).validate(value)
